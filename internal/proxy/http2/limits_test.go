package http2

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	xhttp2 "golang.org/x/net/http2"
)

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
