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

// TestTooMuch: who sends more than there is room for is told.
func TestTooMuch(t *testing.T) {
	r := start(t, 10, nil)
	r.headers(1, false, request("POST")...)
	s := <-r.served
	for range streamWindow/(16<<10) + 1 {
		r.must(r.fr.WriteData(1, false, make([]byte, 16<<10)))
	}
	r.isReset(1, FlowControlError)
	if err := s.Close(); err != nil {
		t.Error(err)
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
	r.isReset(1, NoError)
	r.must(r.fr.WriteData(1, false, []byte("late")))
	r.headers(1, true, "late: trailer")
	r.must(r.fr.WriteWindowUpdate(1, 1))
	r.must(r.fr.WriteRSTStream(1, xhttp2.ErrCodeNo))
	r.must(r.fr.WritePing(false, [8]byte{1}))
	if f, is := r.next().(*xhttp2.PingFrame); !is || !f.IsAck() {
		t.Error("the connection does not go on")
	}
}

// TestLengths: a body is as long as its head says.
func TestLengths(t *testing.T) {
	r := start(t, 10, echo)
	r.headers(1, false, request("POST", "content-length: 3")...)
	r.must(r.fr.WriteData(1, true, []byte("ab")))
	r.isReset(1, ProtocolError)
	r.headers(3, false, request("POST", "content-length: 3")...)
	r.must(r.fr.WriteData(3, false, []byte("abcd")))
	r.isReset(3, ProtocolError)
	r.headers(5, false, request("POST", "content-length: 3")...)
	r.must(r.fr.WriteData(5, true, []byte("abc")))
	r.head(5)
	if got := r.body(5); string(got) != "abc" {
		t.Errorf("%q", got)
	}
}

// TestMostStreams: one whose handler still runs counts, though its client gave it up: to open
// and to reset makes no more work than there may be.
func TestMostStreams(t *testing.T) {
	r := start(t, 2, nil)
	r.headers(1, true, request("GET")...)
	r.headers(3, true, request("GET")...)
	r.must(r.fr.WriteRSTStream(1, xhttp2.ErrCodeCancel))
	r.must(r.fr.WriteRSTStream(3, xhttp2.ErrCodeCancel))
	r.headers(5, true, request("GET")...)
	r.isReset(5, RefusedStream)
	r.must((<-r.served).Close())
	r.headers(7, true, request("GET")...)
	one, two := <-r.served, <-r.served
	for stream := uint32(9); stream < 9+2*(4*2+1); stream += 2 {
		r.headers(stream, true, request("GET")...)
	}
	r.goesAway(EnhanceYourCalm)
	r.must(one.Close())
	r.must(two.Close())
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

// TestFloods: who makes this side work or wait for nothing is closed.
func TestFloods(t *testing.T) {
	for name, flood := range map[string]func(r *rig) error{
		"a header block without end": func(r *rig) error {
			if err := r.fr.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1}); err != nil {
				return err
			}
			for range maxFragments {
				if err := r.fr.WriteContinuation(1, false, nil); err != nil {
					return err
				}
			}
			return nil
		},
		"a large header block": func(r *rig) error {
			field := appendFieldLine(nil, []byte("x"), make([]byte, 10<<10))
			if err := r.fr.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: field}); err != nil {
				return err
			}
			for range maxFragments / 2 {
				if err := r.fr.WriteContinuation(1, false, field); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, 10, echo)
			wrote := make(chan struct{})
			go func() {
				defer close(wrote)
				_ = flood(r) // the connection may have ended meanwhile
			}()
			var wrong *Error
			if err := r.over(); !errors.As(err, &wrong) || wrong.Code != EnhanceYourCalm {
				t.Errorf("it ends with %v", err)
			}
			_ = r.nc.Close()
			<-wrote
		})
	}
}

// TestUnread: a client that has this side say much, and reads nothing, is closed.
func TestUnread(t *testing.T) {
	for name, send := range map[string]func(r *rig, i uint32) error{
		"pings":    func(r *rig, _ uint32) error { return r.fr.WritePing(false, [8]byte{}) },
		"settings": func(r *rig, _ uint32) error { return r.fr.WriteSettings() },
		"malformed": func(r *rig, i uint32) error {
			return r.fr.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: r.encode("x: y"), EndHeaders: true, EndStream: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, client := net.Pipe() // which holds nothing
			r := &rig{T: t, nc: client}
			stuck := make(chan struct{}, 1)
			r.c = New(server, &input{nc: server}, Config{MaxStreams: 10, MaxHead: 1 << 10, Serve: func(*Stream) {}, Malformed: func() {}, Busy: func(bool) {}, Writing: func(is bool) {
				if is {
					stuck <- struct{}{}
				}
			}})
			r.fr = xhttp2.NewFramer(client, nil)
			r.enc = newEncoder(&r.block)
			r.ended = make(chan error, 1)
			go func() {
				r.ended <- r.c.Serve()
				_ = server.Close()
			}()
			_, err := io.WriteString(client, Preface)
			r.must(err)
			r.must(r.fr.WriteSettings())
			<-stuck
			for i := uint32(0); send(r, i) == nil && i < 20000; i++ {
				if len(r.ended) > 0 {
					break
				}
			}
			var wrong *Error
			if err := r.over(); !errors.As(err, &wrong) || wrong.Code != EnhanceYourCalm {
				t.Errorf("it ends with %v", err)
			}
			_ = client.Close()
		})
	}
}

// TestTooLong: a head that is longer than allowed is served, to be answered that it is.
func TestTooLong(t *testing.T) {
	r := start(t, 10, nil)
	r.headers(1, true, request("GET", "x: "+strings.Repeat("y", 17<<10))...)
	s := <-r.served
	if !s.TooLong() {
		t.Error("it is not too long")
	}
	_, _ = s.Finish([]byte("HTTP/1.1 431 Too Large\r\n\r\n"), nil)
	r.must(s.Close())
	if h := r.head(1); h.PseudoValue("status") != "431" {
		t.Error(h)
	}
}

// TestMalformed: it is reset, and the connection goes on.
func TestMalformed(t *testing.T) {
	r := start(t, 10, echo)
	r.headers(1, true, request("GET", "connection: close")...)
	r.isReset(1, ProtocolError)
	<-r.bad
	r.headers(3, true, request("GET")...)
	r.head(3)
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
