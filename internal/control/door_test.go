package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"golang.org/x/net/http2"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/fairlead/fairlead/internal/trust"
)

// slow is a connection whose writes end when the test says so.
type slow struct {
	net.Conn
	began, end chan struct{}
}

func (s *slow) Write(p []byte) (int, error) {
	s.began <- struct{}{}
	<-s.end
	return len(p), nil
}

func newWritten(c net.Conn) *written { return &written{Conn: c, more: make(chan struct{})} }

// dataFrame returns a frame that carries a gRPC message of n bytes.
func dataFrame(t testing.TB, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := http2.NewFramer(&b, nil).WriteData(1, false, make([]byte, grpcPrefix+n)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFlushed: what was sent counts as on its way when it is written, and not before.
func TestFlushed(t *testing.T) {
	raw := &slow{began: make(chan struct{}), end: make(chan struct{})}
	w := newWritten(raw)
	if err := w.flushed(t.Context()); err != nil {
		t.Fatalf("nothing was sent, and flushed = %v", err)
	}
	m := wrapperspb.String("an assignment")
	w.sending(m)
	over, cancel := context.WithCancelCause(t.Context())
	cancel(io.EOF)
	if err := w.flushed(over); !errors.Is(err, io.EOF) {
		t.Fatalf("nothing is written, and flushed = %v, want the context's cause", err)
	}
	done := make(chan error, 1)
	go func() { done <- w.flushed(t.Context()) }()
	go func() { _, _ = w.Write(dataFrame(t, 15)) }() // 13 letters, their tag and length
	<-raw.began
	select {
	case err := <-done:
		t.Fatalf("flushed = %v while the write goes on", err)
	default:
	}
	close(raw.end)
	if err := <-done; err != nil {
		t.Fatalf("flushed = %v", err)
	}
}

// TestScan holds the count of what is written against the reader of golang.org/x/net.
func TestScan(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var wire bytes.Buffer
		f := http2.NewFramer(&wire, nil)
		for range 1 + rng.IntN(20) {
			var err error
			switch payload := make([]byte, rng.IntN(2000)); rng.IntN(4) {
			case 0, 1:
				err = f.WriteData(1+2*rng.Uint32N(5), rng.IntN(2) == 0, payload)
			case 2:
				err = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: payload, EndHeaders: true})
			case 3:
				err = f.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 15})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		want := uint64(0)
		for r := http2.NewFramer(nil, bytes.NewReader(wire.Bytes())); ; {
			fr, err := r.ReadFrame()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if d, ok := fr.(*http2.DataFrame); ok {
				want += uint64(len(d.Data()))
			}
		}
		w := newWritten(nil)
		for b := wire.Bytes(); len(b) > 0; {
			n := min(1+rng.IntN(300), len(b))
			w.scan(b[:n])
			b = b[n:]
		}
		if w.data != want {
			t.Fatalf("seed %d: %d bytes of messages were counted, want %d", seed, w.data, want)
		}
	}
}

// TestDoorman: strangers are few, and whoever becomes known makes room.
func TestDoorman(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := make(chan trust.Reason, 10)
	d := newDoorman(ln, func(_ net.Addr, why trust.Reason, _ error) { refused <- why })
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			c, err := d.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	var inside []net.Conn
	for range maxStrangersEach {
		dial()
		inside = append(inside, <-accepted)
	}
	turned := dial()
	if why := <-refused; why != tooMany {
		t.Errorf("the %dth stranger was refused for %q", maxStrangersEach+1, why)
	}
	if n, err := turned.Read(make([]byte, 1)); err == nil {
		t.Errorf("who was turned away was sent %d bytes", n)
	}
	inside[0].(*stranger).known()
	inside[0].(*stranger).known() // makes room once
	dial()
	inside = append(inside, <-accepted)
	dial()
	<-refused
	for _, c := range inside {
		c.Close()
	}
	if d.strangers != 0 || len(d.each) != 0 {
		t.Errorf("all are gone, and %d strangers from %d addresses are counted", d.strangers, len(d.each))
	}
	ln.Close()
	for range accepted {
	}
}

// FuzzScan: whatever is written, the count never runs ahead of it.
func FuzzScan(f *testing.F) {
	f.Add(dataFrame(f, 10), 3)
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), 1)
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		w := newWritten(nil)
		for rest := b; len(rest) > 0; {
			n := min(max(step, 1), len(rest))
			w.scan(rest[:n])
			rest = rest[n:]
		}
		if w.data > uint64(len(b)) {
			t.Errorf("%d of %d bytes written were counted", w.data, len(b))
		}
	})
}
