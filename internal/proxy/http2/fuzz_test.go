package http2

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"

	xhttp2 "golang.org/x/net/http2"
)

// session writes what a client could.
func session(write func(r *rig)) []byte {
	var all bytes.Buffer
	r := &rig{fr: xhttp2.NewFramer(&all, nil)}
	r.fr.AllowIllegalWrites = true
	r.T = &testing.T{}
	r.enc = newEncoder(&r.block)
	r.must(r.fr.WriteSettings())
	write(r)
	return all.Bytes()
}

// FuzzConn: whatever a client sends, Serve returns when it has closed the connection, all
// streams end, and none of the windows is overdrawn.
func FuzzConn(f *testing.F) {
	f.Add(session(func(r *rig) {
		r.headers(1, false, request("POST", "content-length: 4")...)
		r.must(r.fr.WriteData(1, true, []byte("body")))
		r.must(r.fr.WriteWindowUpdate(0, 100))
		r.must(r.fr.WritePing(false, [8]byte{}))
	}))
	f.Add(session(func(r *rig) {
		r.headers(1, false, request("POST")...)
		r.must(r.fr.WriteDataPadded(1, false, []byte("body"), make([]byte, 20)))
		r.headers(3, true, request("GET")...)
		r.must(r.fr.WriteRSTStream(3, xhttp2.ErrCodeCancel))
		r.headers(1, true, "a: trailer")
		r.must(r.fr.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 1}))
		r.must(r.fr.WriteGoAway(0, xhttp2.ErrCodeNo, nil))
	}))
	f.Add(session(func(r *rig) {
		block := r.encode(request("GET")...)
		r.must(r.fr.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:3], Priority: xhttp2.PriorityParam{StreamDep: 1}}))
		r.must(r.fr.WriteContinuation(1, true, block[3:]))
		r.must(r.fr.WritePriority(3, xhttp2.PriorityParam{StreamDep: 3}))
		r.must(r.fr.WritePushPromise(xhttp2.PushPromiseParam{StreamID: 1, PromiseID: 2}))
	}))
	f.Fuzz(func(t *testing.T, said []byte) {
		server, client := net.Pipe()
		var handlers sync.WaitGroup
		c := New(server, &input{nc: server}, Config{
			MaxStreams: 3, MaxHead: 4 << 10, Malformed: func() {}, Busy: func(bool) {}, Writing: func(bool) {},
			Serve: func(s *Stream) {
				handlers.Go(func() {
					defer func() { _ = s.Close() }()
					if !s.TooLong() {
						echo(s)
					}
				})
			},
		})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = c.Serve()
			_ = server.Close()
		}()
		heard := make(chan struct{})
		go func() {
			defer close(heard)
			_, _ = io.Copy(io.Discard, client)
		}()
		_, _ = client.Write(append([]byte(Preface), said...)) // it may be closed in the midst
		_ = client.Close()
		<-ended
		<-heard
		handlers.Wait()
		if c.running != 0 || c.blocked != 0 || len(c.streams) != 0 || c.window > connWindow {
			t.Errorf("%d streams run, %d wait, %d are left; a window of %d", c.running, c.blocked, len(c.streams), c.window)
		}
	})
}
