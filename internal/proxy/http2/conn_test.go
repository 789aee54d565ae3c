package http2

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
)

// TestEcho: bodies of all sizes come back whole, through windows that the client opens as it
// reads, with the stream's end in the last frame.
func TestEcho(t *testing.T) {
	r := start(t, 10, echo)
	for i, size := range []int{0, 1, 16 << 10, 100 << 10} {
		stream := uint32(2*i + 1)
		sent := bytes.Repeat([]byte("fairlead"), size/8+1)[:size]
		r.headers(stream, false, request("POST")...)
		for p := sent; ; {
			n := min(len(p), 10000)
			r.must(r.fr.WriteData(stream, n == len(p), p[:n]))
			if p = p[n:]; len(p) == 0 {
				break
			}
		}
		h := r.head(stream)
		if h.PseudoValue("status") != "200" || h.StreamEnded() != (size == 0) {
			t.Fatalf("of %d bytes: %v", size, h)
		}
		if size > 0 {
			if got := r.body(stream); !bytes.Equal(got, sent) {
				t.Fatalf("%d bytes came back as %d", size, len(got))
			}
		}
	}
}

// TestStreamWindow: nothing is sent that the client has not opened a window for.
func TestStreamWindow(t *testing.T) {
	r := start(t, 10, echo, xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 3})
	r.headers(1, false, request("POST")...)
	r.must(r.fr.WriteData(1, true, []byte("0123456789")))
	r.head(1)
	if p, end := r.data(1); string(p) != "012" || end {
		t.Fatalf("%q, end: %v", p, end)
	}
	r.must(r.fr.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 1})) // now it is -2
	r.must(r.fr.WriteWindowUpdate(1, 3))
	if p, end := r.data(1); string(p) != "3" || end {
		t.Fatalf("%q, end: %v", p, end)
	}
	r.must(r.fr.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 100}))
	if p, end := r.data(1); string(p) != "456789" || !end {
		t.Fatalf("%q, end: %v", p, end)
	}
}

// TestConnectionWindow: it is shared, and opened again.
func TestConnectionWindow(t *testing.T) {
	r := start(t, 10, func(s *Stream) {
		if _, _, err := readAll(s); err == nil {
			_, _ = s.Finish(append([]byte("HTTP/1.1 200 OK\r\n\r\n"), make([]byte, defaultWindow+10)...), nil)
		}
	}, xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 1 << 20})
	r.headers(1, true, request("GET")...)
	r.head(1)
	for got := 0; got < defaultWindow; {
		p, end := r.data(1)
		if got += len(p); end || got > defaultWindow {
			t.Fatalf("%d bytes, end: %v", got, end)
		}
	}
	r.must(r.fr.WriteWindowUpdate(0, 10))
	if p, end := r.data(1); len(p) != 10 || !end {
		t.Fatalf("%d bytes, end: %v", len(p), end)
	}
}

// TestCreditReturns: what handlers leave unread is no loss to those that come after them.
func TestCreditReturns(t *testing.T) {
	r := start(t, 10, func(s *Stream) { // it reads nothing
		_, _ = s.Finish([]byte("HTTP/1.1 200 OK\r\n\r\n"), nil)
	})
	left, stream := defaultWindow, uint32(1)
	for sent := 0; sent < 3*connWindow; stream += 2 {
		r.headers(stream, false, request("POST")...)
		const piece = 16 << 10
		for left < piece {
			f, err := r.fr.ReadFrame()
			r.must(err)
			if w, is := f.(*xhttp2.WindowUpdateFrame); is && w.StreamID == 0 {
				left += int(w.Increment)
			}
		}
		r.must(r.fr.WriteData(stream, true, make([]byte, piece)))
		sent, left = sent+piece, left-piece
	}
}

// TestReset: a client that gives a stream up frees who reads from it, writes to it, or waits.
func TestReset(t *testing.T) {
	for _, how := range []string{"reads", "writes", "is told", "is told late"} {
		t.Run(how, func(t *testing.T) {
			r := start(t, 10, nil, xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 0})
			r.headers(1, false, request("POST")...)
			s := <-r.served
			result := make(chan error, 1)
			told := make(chan *Stream, 2)
			switch how {
			case "reads":
				go func() {
					_, err := io.ReadAll(s)
					result <- err
				}()
			case "writes":
				go func() {
					_, err := s.Finish([]byte("HTTP/1.1 200 OK\r\n\r\nx"), nil)
					result <- err
				}()
				r.head(1)
			case "is told":
				s.OnReset(func(s *Stream) { told <- s })
			}
			r.must(r.fr.WriteRSTStream(1, xhttp2.ErrCodeCancel))
			switch how {
			case "reads", "writes":
				if err := <-result; err != errReset {
					t.Errorf("it ends with %v", err)
				}
			case "is told late":
				r.must(r.fr.WritePing(false, [8]byte{}))
				r.next() // the reset was read before it
				s.OnReset(func(s *Stream) { told <- s })
				fallthrough
			case "is told":
				if <-told != s {
					t.Error("another stream was reset")
				}
			}
			r.must(s.Close())
			if s.Close() == nil {
				t.Error("a stream is closed twice")
			}
			r.headers(3, true, request("GET")...)
			next := <-r.served
			_, _, err := readAll(next)
			r.must(err)
			r.must(next.Close())
			r.isReset(3, InternalError) // it was not answered
			if len(told) > 0 {
				t.Error("it is told twice")
			}
		})
	}
}

// TestEndOfConnection: it ends its streams.
func TestEndOfConnection(t *testing.T) {
	r := start(t, 10, nil)
	r.headers(1, false, request("POST")...)
	s := <-r.served
	told := make(chan *Stream, 1)
	s.OnReset(func(s *Stream) { told <- s })
	r.must(r.nc.Close())
	<-told
	if _, err := io.ReadAll(s); err == nil {
		t.Error("a request is whole that is not")
	}
	if _, err := s.Write([]byte("HTTP/1.1 200 OK\r\n\r\n")); err == nil {
		t.Error("nobody could be answered")
	}
	r.must(s.Close())
	if err := r.over(); err == nil {
		t.Error("Serve ends without a reason")
	}
}

func TestTrailers(t *testing.T) {
	r := start(t, 10, func(s *Stream) {
		if _, body, err := readAll(s); err == nil {
			_, _ = s.Write([]byte("HTTP/1.1 200 OK\r\n\r\n" + body))
			_, _ = s.Finish(nil, append([]byte("Own: a\r\n"), s.Trailers()...))
		}
	})
	r.headers(1, false, request("POST")...)
	r.must(r.fr.WriteData(1, false, []byte("body")))
	r.headers(1, true, "sum: 7")
	r.head(1)
	if p, end := r.data(1); string(p) != "body" || end {
		t.Fatalf("%q, end: %v", p, end)
	}
	h := r.head(1)
	if fields := h.RegularFields(); len(fields) != 2 || fields[0].Name != "own" || fields[1].Name != "sum" || fields[1].Value != "7" || !h.StreamEnded() {
		t.Errorf("trailers: %v", h)
	}
	for _, bad := range [][]string{{":path: /"}, {"Upper: x"}, {"connection: x"}} {
		stream := r.c.lastStream() + 2
		r.headers(stream, false, request("POST")...)
		r.headers(stream, true, bad...)
		r.isReset(stream, ProtocolError)
	}
}

// lastStream returns the number of the latest stream.
func (c *Conn) lastStream() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// TestAnswers: what is written in one call or in many is the same to the client.
func TestAnswers(t *testing.T) {
	field := strings.Repeat("x", 40<<10) // more than a frame
	for name, write := range map[string]func(s *Stream){
		"at once": func(s *Stream) {
			_, _ = s.Finish([]byte("HTTP/1.1 103 Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nBig: "+field+"\r\n\r\nbody"), nil)
		},
		"in pieces": func(s *Stream) {
			_, _ = s.Write([]byte("HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n"))
			_, _ = s.Write([]byte("HTTP/1.1 200 OK\r\nBig: " + field + "\r\n\r\n"))
			_, _ = s.Write([]byte("bo"))
			_, _ = s.Write([]byte("dy"))
			_, _ = s.Finish(nil, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, 10, func(s *Stream) { write(s); _, _ = io.Copy(io.Discard, s) })
			r.headers(1, true, request("GET")...)
			if h := r.head(1); h.PseudoValue("status") != "103" || h.StreamEnded() || h.RegularFields()[0].Name != "link" {
				t.Fatal(h)
			}
			if h := r.head(1); h.PseudoValue("status") != "200" || h.StreamEnded() || h.RegularFields()[0].Value != field {
				t.Fatalf("%.100v", h)
			}
			if got := r.body(1); string(got) != "body" {
				t.Fatalf("%q", got)
			}
		})
	}
}

// TestContinue: the client is told to go on, until it is answered.
func TestContinue(t *testing.T) {
	r := start(t, 10, func(s *Stream) {
		s.Continue()
		_, _ = s.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		s.Continue()
		_, _ = s.Finish([]byte("body"), nil)
		s.Continue()
	})
	r.headers(1, true, request("POST")...)
	for _, status := range []string{"100", "200"} {
		if h := r.head(1); h.PseudoValue("status") != status || h.StreamEnded() {
			t.Fatal(h)
		}
	}
	if p, end := r.data(1); string(p) != "body" || !end {
		t.Fatalf("%q, end: %v", p, end)
	}
	_ = r.nc.(*net.TCPConn).CloseWrite()
	if f, err := r.fr.ReadFrame(); err == nil && f.Header().Type == xhttp2.FrameHeaders {
		t.Fatalf("behind the answer comes %v", f)
	}
}

// TestBadAnswer: what has no whole head is no answer.
func TestBadAnswer(t *testing.T) {
	r := start(t, 10, func(s *Stream) {
		if _, err := s.Finish([]byte("HTTP/1.1 200 OK\r\nA: b\r\n"), nil); err != errHead {
			t.Error(err)
		}
	})
	r.headers(1, true, request("GET")...)
	r.isReset(1, InternalError)
}

// TestEarlyAnswer: a client whose request was answered before it was whole need not send the
// rest, and what it had sent by then does no harm.
func TestEarlyAnswer(t *testing.T) {
	r := start(t, 10, func(s *Stream) { _, _ = s.Finish([]byte("HTTP/1.1 413 Too Large\r\n\r\n"), nil) })
	r.headers(1, false, request("POST")...)
	if h := r.head(1); h.PseudoValue("status") != "413" || !h.StreamEnded() {
		t.Fatal(h)
	}
	r.must(r.fr.WriteData(1, false, []byte("late")))
	r.isReset(1, NoError)
	r.must(r.fr.WriteData(1, false, []byte("later")))
	r.headers(1, true, "late: trailer")
	r.must(r.fr.WriteWindowUpdate(1, 1))
	r.must(r.fr.WriteRSTStream(1, xhttp2.ErrCodeNo))
	r.must(r.fr.WritePing(false, [8]byte{1}))
	if f, is := r.next().(*xhttp2.PingFrame); !is || !f.IsAck() {
		t.Error("the connection does not go on")
	}
	for i, end := range []func(stream uint32){
		func(stream uint32) { r.must(r.fr.WriteData(stream, true, []byte("all"))) },
		func(stream uint32) { r.headers(stream, true, "a: trailer") },
		func(stream uint32) { r.must(r.fr.WriteRSTStream(stream, xhttp2.ErrCodeCancel)) },
	} {
		stream := uint32(2*i + 3)
		r.headers(stream, false, request("POST")...)
		r.head(stream)
		end(stream)
	}
	for left := -1; left != 0; { // none of them is reset
		r.must(r.fr.WritePing(false, [8]byte{}))
		if f, is := r.next().(*xhttp2.PingFrame); !is {
			t.Fatal(f)
		}
		r.c.mu.Lock()
		left = len(r.c.lingering)
		r.c.mu.Unlock()
	}
}

// TestBusy: it is told of the first stream, and of the last one's end.
func TestBusy(t *testing.T) {
	r := start(t, 10, nil)
	r.headers(1, true, request("GET")...)
	r.headers(3, true, request("GET")...)
	one, two := <-r.served, <-r.served
	r.must(one.Close())
	r.must(two.Close())
	for i, want := range []bool{false, true, false} {
		if got := <-r.busy; got != want {
			t.Errorf("%d: %v", i, got)
		}
	}
	if len(r.busy) > 0 {
		t.Error("more often than needed")
	}
}

// TestDrain: those who run go on, who comes meanwhile is served, and with the last one the
// connection ends.
func TestDrain(t *testing.T) {
	r := start(t, 10, nil)
	r.headers(1, true, request("GET")...)
	one := <-r.served
	r.c.Drain()
	r.goesAway(NoError)
	r.headers(3, true, request("GET")...)
	two := <-r.served
	for i, s := range []*Stream{one, two} {
		_, _, err := readAll(s)
		r.must(err)
		_, err = s.Finish([]byte("HTTP/1.1 204 No Content\r\n\r\n"), nil)
		r.must(err)
		r.head(uint32(2*i + 1))
		r.must(s.Close())
	}
	r.goesAway(NoError)
	var wrong *Error
	if err := r.over(); errors.As(err, &wrong) {
		t.Error(err)
	}
}

// TestEndIdle: only one without streams ends.
func TestEndIdle(t *testing.T) {
	r := start(t, 10, nil)
	r.headers(1, true, request("GET")...)
	s := <-r.served
	r.c.EndIdle()
	_, err := s.Finish([]byte("HTTP/1.1 204 No Content\r\n\r\n"), nil)
	r.must(err)
	r.head(1)
	r.must(s.Close())
	r.c.EndIdle()
	r.goesAway(NoError)
	if err := r.over(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

// TestDeadlines: one that has passed frees who reads or writes; without it they go on.
func TestDeadlines(t *testing.T) {
	r := start(t, 10, nil, xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 0})
	r.headers(1, false, request("POST")...)
	s := <-r.served
	head := make([]byte, 1000)
	n, err := s.Read(head)
	r.must(err)
	read := make(chan error)
	go func() {
		_, err := s.Read(head)
		read <- err
	}()
	wrote := make(chan error)
	go func() {
		_, err := s.Write([]byte("HTTP/1.1 200 OK\r\n\r\nx"))
		wrote <- err
	}()
	r.head(1) // the body waits for the window
	r.must(s.SetReadDeadline(past))
	if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err, n)
	}
	r.must(s.SetWriteDeadline(past))
	if err := <-wrote; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	r.must(s.SetDeadline(time.Time{}))
	r.must(r.fr.WriteData(1, true, []byte("body")))
	if b, err := io.ReadAll(s); string(b) != "body" || err != nil || !s.AtEnd() {
		t.Errorf("%q %v", b, err)
	}
	r.must(r.fr.WriteWindowUpdate(1, 10))
	_, err = s.Finish([]byte("y"), nil)
	r.must(err)
	if got := r.body(1); string(got) != "y" {
		t.Errorf("%q", got)
	}
	r.must(s.Close())
	if s.RemoteAddr().String() != r.nc.LocalAddr().String() || s.LocalAddr().String() != r.nc.RemoteAddr().String() {
		t.Error("its addresses are not the connection's")
	}
}
