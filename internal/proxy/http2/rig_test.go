package http2

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// input reads a connection as package http1 does.
type input struct {
	nc  net.Conn
	buf []byte
}

func (i *input) Unused() []byte { return i.buf }
func (i *input) Use(n int)      { i.buf = i.buf[n:] }
func (i *input) Wait() error    { return i.Fill() }
func (i *input) Fill() error {
	var p [4096]byte
	n, err := i.nc.Read(p[:])
	i.buf = append(i.buf[:len(i.buf):len(i.buf)], p[:n]...)
	if n > 0 {
		return nil
	}
	return err
}

// rig is a Conn and a client of it.
type rig struct {
	*testing.T
	c      *Conn
	nc     net.Conn
	fr     *xhttp2.Framer
	enc    *hpack.Encoder
	block  bytes.Buffer
	served chan *Stream
	busy   chan bool
	bad    chan struct{}
	ended  chan error
}

const patience = 20 * time.Second

// pair returns two ends of a connection.
func pair(t testing.TB) (server, client net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return server, client
}

// start begins to serve a client that has said its preface and settings. With handle nil the
// test takes the streams itself.
func start(t *testing.T, maxStreams int, handle func(*Stream), settings ...xhttp2.Setting) *rig {
	t.Helper()
	server, client := pair(t)
	r := &rig{T: t, nc: client, served: make(chan *Stream, 1000), ended: make(chan error, 1), busy: make(chan bool, 1000), bad: make(chan struct{}, 1000)}
	var handlers sync.WaitGroup
	r.c = New(server, &input{nc: server}, Config{
		MaxStreams: maxStreams, MaxHead: 16 << 10,
		Serve: func(s *Stream) {
			if handle == nil {
				r.served <- s
				return
			}
			handlers.Go(func() {
				defer func() { _ = s.Close() }()
				handle(s)
			})
		},
		Malformed: func() { r.bad <- struct{}{} }, Busy: func(is bool) { r.busy <- is }, Writing: func(bool) {},
	})
	r.fr = xhttp2.NewFramer(client, client)
	r.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	r.fr.AllowIllegalWrites = true
	r.enc = newEncoder(&r.block)
	go func() {
		r.ended <- r.c.Serve()
		_ = server.Close()
	}()
	t.Cleanup(func() {
		_ = client.Close()
		if r.ended != nil {
			<-r.ended
		}
		handlers.Wait()
	})
	_ = client.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(client, Preface); err != nil {
		t.Fatal(err)
	}
	r.must(r.fr.WriteSettings(settings...))
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// headers sends a header block. Fields are "name: value".
func (r *rig) headers(stream uint32, end bool, fields ...string) {
	r.Helper()
	r.must(r.fr.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: stream, BlockFragment: r.encode(fields...), EndHeaders: true, EndStream: end}))
}

func (r *rig) encode(fields ...string) []byte {
	r.block.Reset()
	for _, f := range fields {
		i := strings.Index(f[1:], ": ") + 1
		r.must(r.enc.WriteField(hpack.HeaderField{Name: f[:i], Value: f[i+2:]}))
	}
	return bytes.Clone(r.block.Bytes())
}

func request(method string, more ...string) []string {
	return append([]string{":method: " + method, ":scheme: http", ":authority: a.example", ":path: /x"}, more...)
}

// next returns the next frame that is not about settings or the connection's window.
func (r *rig) next() xhttp2.Frame {
	r.Helper()
	for {
		f, err := r.fr.ReadFrame()
		if err != nil {
			r.Fatal("instead of a frame: ", err)
		}
		switch f := f.(type) {
		case *xhttp2.SettingsFrame, *xhttp2.WindowUpdateFrame:
			continue
		default:
			return f
		}
	}
}

// isReset expects a stream to be reset.
func (r *rig) isReset(stream uint32, code Code) {
	r.Helper()
	f, is := r.next().(*xhttp2.RSTStreamFrame)
	if !is || f.StreamID != stream || f.ErrCode != xhttp2.ErrCode(code) {
		r.Fatalf("not a reset of stream %d with code %d, but %v", stream, code, f)
	}
}

// goesAway expects the connection to end.
func (r *rig) goesAway(code Code) {
	r.Helper()
	for {
		f, is := r.next().(*xhttp2.GoAwayFrame)
		if !is {
			continue
		}
		if f.ErrCode != xhttp2.ErrCode(code) {
			r.Fatalf("the connection ends with %v, not with code %d", f, code)
		}
		return
	}
}

// serves ends the wait for Serve, and returns what it did.
func (r *rig) over() error {
	err := <-r.ended
	r.ended = nil
	return err
}

// headersFrame expects a head of an answer.
func (r *rig) head(stream uint32) *xhttp2.MetaHeadersFrame {
	r.Helper()
	f := r.next()
	h, is := f.(*xhttp2.MetaHeadersFrame)
	if !is || h.StreamID != stream {
		r.Fatalf("not the headers of stream %d, but %v", stream, f)
	}
	return h
}

func (r *rig) data(stream uint32) (p []byte, end bool) {
	r.Helper()
	f := r.next()
	d, is := f.(*xhttp2.DataFrame)
	if !is || d.StreamID != stream {
		r.Fatalf("no data of stream %d, but %v", stream, f)
	}
	return bytes.Clone(d.Data()), d.StreamEnded()
}

// body reads data until the stream ends, giving the windows back.
func (r *rig) body(stream uint32) []byte {
	r.Helper()
	var all []byte
	for {
		p, end := r.data(stream)
		all = append(all, p...)
		if end {
			return all
		}
		if len(p) > 0 {
			r.must(r.fr.WriteWindowUpdate(0, uint32(len(p))))
			r.must(r.fr.WriteWindowUpdate(stream, uint32(len(p))))
		}
	}
}

// readAll reads a stream's whole request: its head, and its body.
func readAll(s *Stream) (head, body string, err error) {
	all, err := io.ReadAll(s)
	head, body, found := strings.Cut(string(all), "\r\n\r\n")
	if !found && err == nil {
		err = errors.New("the head has no end")
	}
	return head, body, err
}

// echo answers with the request's body.
func echo(s *Stream) {
	if _, body, err := readAll(s); err == nil {
		_, _ = s.Finish([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"+body), nil)
	}
}

func newEncoder(into *bytes.Buffer) *hpack.Encoder { return hpack.NewEncoder(into) }
