package http1

import (
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/originate"
)

const (
	// continueWait is how long a backend may think about Expect: 100-continue.
	continueWait = time.Second
	// maxInformational bounds the heads before an answer.
	maxInformational = 16
	// finishWait is how long a backend that has answered may take to read the rest of the
	// request, before it is read no more.
	finishWait = 50 * time.Millisecond
)

// sendError is how the sending of a body went.
type sendError struct {
	read atomic.Bool // the client's body was read to its end
	mu   sync.Mutex  // guards what is below
	err  error       // of the client's body; nil: none
}

// prefetch takes what is there of the request's body.
func (x *exchange) prefetch() error {
	for !x.body.done {
		p, err := x.body.next()
		if err != nil {
			return err
		}
		switch {
		case p == nil && !x.body.done:
			return nil
		case !x.chunks:
			x.early = p
		case p != nil:
			x.mine = append(appendHex(x.mine, len(p)), '\r', '\n')
			x.mine = append(append(x.mine, p...), '\r', '\n')
			x.early = x.mine
		}
		if x.body.done && x.chunks {
			x.mine = append(append(append(x.mine, "0\r\n"...), x.body.trailers...), '\r', '\n')
			x.early = x.mine
		}
	}
	x.read.Store(true)
	return nil
}

// send sends the request, and returns the connection on which the head of an answer has
// come.
func (x *exchange) send() (*backendConn, error) {
	for fresh := false; ; fresh = true {
		b, err := x.connect(fresh)
		if err != nil {
			return nil, err
		}
		x.writeRequest()
		if err = x.converse(b); err == nil {
			return b, nil
		}
		x.c.main.stop()
		if b.at.tls != nil && !b.reused && originate.Unwelcome(err) {
			err = x.unwelcome(b, err)
		}
		again := !fresh && b.reused && errors.Is(err, errEarly) && x.repeatable()
		if broke := x.bodyError(); broke != nil {
			err = errors.Join(errBody, broke)
		}
		undisturbed := x.c.detach()
		x.endUpload(b)
		b.close()
		if !again || !undisturbed {
			return nil, err
		}
	}
}

// unwelcome is for a backend that did not like this proxy's certificate, or that it has none:
// it has looked at nothing of the request.
func (x *exchange) unwelcome(b *backendConn, err error) error {
	err = b.at.tls.Failed(b.at.backend, err)
	if !x.body.done || x.c.sent != nil {
		return err // the body cannot be sent again
	}
	x.touched = false
	return &unreached{err}
}

// repeatable tells whether the request may be sent twice (RFC 9110, 9.2.2), and can be. A
// backend may close a connection that is kept at any time, so at the moment at which it
// is used again.
func (x *exchange) repeatable() bool {
	if !x.body.done || x.c.sent != nil {
		return false
	}
	switch string(x.c.req.Method()) {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return x.c.req.Find("idempotency-key") != nil
}

// converse writes the request, and reads on until the answer's head has come.
func (x *exchange) converse(b *backendConn) error {
	c := x.c
	n, err := b.nc.Write(x.to.b)
	x.touched = n > 0
	if err != nil && !gone(err) {
		return err
	}
	if err != nil && n == 0 {
		return errEarly
	} // else it may have answered before it went
	waits := x.continues && !x.body.done && len(x.early) == 0
	if waits {
		_ = b.nc.SetReadDeadline(time.Now().Add(continueWait))
		c.unlessStopped(nil) // an interrupt may have come before it
	} else {
		x.upload(b)
	}
	if c.stream != nil {
		// The other streams that came with this one are sent first: then the answer may be
		// here already when it is looked for.
		runtime.Gosched()
	}
	for range maxInformational {
		err := b.readHead(&c.s.cfg.Limits, x.head)
		if waits && errors.Is(err, os.ErrDeadlineExceeded) && c.unlessStopped(b) {
			waits = false
			if err = x.goOn(b); err == nil {
				continue
			}
		}
		switch {
		case err != nil:
			return err
		case b.res.Status == http.StatusSwitchingProtocols && !x.agreed(b):
			return message.ErrSwitch
		case !b.res.Informational():
			c.unlessStopped(b)
			return nil
		case b.res.Status == http.StatusContinue && waits:
			waits = false
			c.unlessStopped(b)
			err = x.goOn(b)
		case b.res.Status != http.StatusContinue:
			err = x.inform(b)
		}
		if err != nil {
			return err
		}
	}
	return message.ErrTooManyHeads
}

// agreed tells whether a backend switches to a protocol that the client wants.
func (x *exchange) agreed(b *backendConn) bool {
	f := b.res.Get(message.Upgrade)
	if f == nil || !x.upgrade {
		return false
	}
	wants := x.c.req.Get(message.Upgrade)
	return message.Lists(x.c.req.Value(wants), b.res.Value(f))
}

// gone tells whether the other side has closed the connection.
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, originate.ErrTruncated) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// unlessStopped takes a deadline off again, unless the request was interrupted, which it
// tells. Without a connection it puts the interrupt's deadline back.
func (c *conn) unlessStopped(b *backendConn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.stop == nil && b != nil:
		_ = b.nc.SetReadDeadline(time.Time{})
	case c.stop != nil && c.backend != nil:
		c.backend.interrupt()
	}
	return c.stop == nil
}

// goOn has the client send its body.
func (x *exchange) goOn(b *backendConn) error {
	x.c.out.b = append(x.c.out.b, "HTTP/1.1 100 Continue\r\n\r\n"...)
	if err := x.c.out.flush(); err != nil {
		x.c.left()
		return err
	}
	x.upload(b)
	return nil
}

// upload begins to send what is left of the request's body.
func (x *exchange) upload(b *backendConn) {
	c := x.c
	if x.body.done {
		c.main.set(inFirstByte, c.limits.FirstByte)
		return
	}
	sent := make(chan struct{})
	c.mu.Lock()
	c.sending, c.sent = true, sent
	if c.stop != nil {
		_ = c.nc.SetReadDeadline(past)
	}
	c.mu.Unlock()
	c.s.goros.Go(func() {
		defer close(sent)
		x.sendBody(b)
		c.upload.stop()
	})
}

// sendBody runs on a goroutine of its own.
func (x *exchange) sendBody(b *backendConn) {
	c, limit := x.c, x.c.limits.Body
	w := writer{nc: b.nc}
	w.begin()
	defer w.release()
	s := sink{w: &w, chunked: x.chunks}
	for !x.body.done {
		p, err := x.body.next()
		if x.body.done {
			x.read.Store(true) // before the backend can have seen it all, and answer
		}
		switch {
		case err != nil:
			x.bodyBroke(b, err)
			return
		case p != nil:
			s.add(p)
			c.upload.set(inBody, limit)
		case !x.body.done:
			if w.flush() != nil {
				return // what the backend answers says why it takes no more
			}
			c.upload.set(inBody, limit)
			if err := x.body.read(); err != nil {
				x.bodyBroke(b, err)
				return
			}
		}
	}
	s.end(x.body.trailers)
	if w.flush() == nil && c.limits.FirstByte > 0 {
		c.mu.Lock()
		if c.backend == b && !c.answering {
			c.main.set(inFirstByte, c.limits.FirstByte)
		}
		c.mu.Unlock()
	}
}

// bodyBroke notes that the client's body will never come to its end.
func (x *exchange) bodyBroke(b *backendConn, err error) {
	x.sendError.mu.Lock()
	x.err = err
	x.sendError.mu.Unlock()
	b.interrupt()
}

func (x *exchange) bodyError() error {
	x.sendError.mu.Lock()
	defer x.sendError.mu.Unlock()
	return x.err
}

// endUpload has the goroutine end that sends the body. It tells whether all of it was sent.
func (x *exchange) endUpload(b *backendConn) bool {
	c := x.c
	if c.sent == nil {
		return x.body.done
	}
	if x.read.Load() {
		t := time.NewTimer(finishWait)
		defer t.Stop()
		select {
		case <-c.sent:
			return x.bodyError() == nil
		case <-t.C:
		}
	}
	select {
	case <-c.sent:
	default:
		x.keep = x.keep && x.read.Load()
		if !x.read.Load() {
			_ = c.nc.SetReadDeadline(past)
		}
		b.interrupt()
		<-c.sent
		return false
	}
	return x.read.Load() && x.bodyError() == nil
}

// inform passes an informational head on.
func (x *exchange) inform(b *backendConn) error {
	if x.old {
		return nil
	}
	x.c.out.b = appendStatusLine(x.c.out.b, &b.res)
	x.c.out.b = appendFields(x.c.out.b, &b.res.Head)
	x.c.out.b = append(x.c.out.b, '\r', '\n')
	if err := x.c.out.flush(); err != nil {
		x.c.left()
		return err
	}
	return nil
}
