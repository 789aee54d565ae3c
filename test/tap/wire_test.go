package tap

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
)

// script is a connection of which everything is known before.
type script struct {
	net.Conn
	down io.Reader
}

func (s script) Read(p []byte) (int, error)  { return s.down.Read(p) }
func (s script) Write(p []byte) (int, error) { return len(p), nil }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// head writes the head of a call in two frames.
func head(t *testing.T, f *http2.Framer, enc *hpack.Encoder, block *bytes.Buffer, id uint32, path string) {
	t.Helper()
	block.Reset()
	for _, field := range []hpack.HeaderField{{Name: ":method", Value: "POST"}, {Name: ":path", Value: path}} {
		must(t, enc.WriteField(field))
	}
	b := block.Bytes()
	must(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b[:2], PadLength: 3,
		Priority: http2.PriorityParam{Weight: 7}}))
	must(t, f.WriteContinuation(id, true, b[2:]))
}

func encoded(t *testing.T, m proto.Message) []byte {
	t.Helper()
	body, err := proto.Marshal(m)
	must(t, err)
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))), body...)
}

// TestWireOrder: messages are in the order of their last bytes, however they were cut.
func TestWireOrder(t *testing.T) {
	var up, down, block bytes.Buffer
	up.WriteString(http2.ClientPreface)
	sent, got := http2.NewFramer(&up, nil), http2.NewFramer(&down, nil)
	must(t, sent.WriteSettings())
	enc := hpack.NewEncoder(&block)
	head(t, sent, enc, &block, 1, fairleadv1.Proxies_Session_FullMethodName)
	head(t, sent, enc, &block, 3, fairleadv1.Agents_Session_FullMethodName)
	must(t, sent.WriteDataPadded(1, false, encoded(t, &fairleadv1.ProxyMessage{Hello: &fairleadv1.ProxyHello{Name: "p"}}), make([]byte, 5)))
	must(t, sent.WriteData(3, false, encoded(t, &fairleadv1.AgentMessage{Hello: &fairleadv1.AgentHello{Address: "b"}})))
	// The grant's message begins first, and ends last.
	grant := encoded(t, &fairleadv1.ControllerMessage{Grants: []*fairleadv1.Grant{{Ask: 1}}})
	must(t, got.WriteData(1, false, grant[:6]))
	must(t, got.WriteWindowUpdate(0, 100))
	must(t, got.WriteData(3, false, encoded(t, &fairleadv1.BackendMessage{Assignments: []*fairleadv1.Assignment{{Proxy: "p"}}})))
	must(t, got.WriteData(1, false, append(grant[6:], encoded(t, &fairleadv1.ControllerMessage{})...)))
	for _, size := range []int{1, 7, 1 << 20} {
		tap := &Tap{}
		conn := tap.wire.listen(script{down: bytes.NewReader(down.Bytes())})
		for b := up.Bytes(); len(b) > 0; {
			n, err := conn.Write(b[:min(size, len(b))])
			must(t, err)
			b = b[n:]
		}
		if _, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{conn}, make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		must(t, tap.wire.problem())
		var order string
		for _, h := range tap.Wire(0) {
			order += h.Who + map[bool]string{true: "^ ", false: "v "}[h.Up]
		}
		if want := "p^ b^ bv pv pv "; order != want || tap.WireMark() != 5 {
			t.Errorf("in pieces of %d: %s, want %s", size, order, want)
		}
	}
}
