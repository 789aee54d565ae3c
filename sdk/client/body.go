package client

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// source is where a request's body comes from, each time that the request is sent. One
// goroutine uses it.
type source struct {
	req   *http.Request
	given bool   // the request's own Body was handed out
	once  *offer // of a body that can be read only once: the latest
}

// single tells whether the body can be read only once.
func (s *source) single() bool {
	return s.req.Body != nil && s.req.Body != http.NoBody && s.req.GetBody == nil
}

// again tells whether next can be called: always, but for a body that can be read only
// once and of which something was read.
func (s *source) again() bool {
	return s.once == nil || s.once.takeBack()
}

// next returns the body for one sending. After the first, again has to be called before.
func (s *source) next() (io.ReadCloser, error) {
	switch {
	case s.single():
		s.once = &offer{body: s.req.Body}
		s.given = true
		return s.once, nil
	case !s.given || s.req.GetBody == nil:
		s.given = true
		return s.req.Body, nil
	}
	return s.req.GetBody()
}

// end says that there is no next sending, and has the body closed, which is what
// RoundTrippers owe.
func (s *source) end() {
	switch {
	case s.once != nil:
		s.once.settle()
	case !s.given && s.req.Body != nil:
		_ = s.req.Body.Close() // nobody has read of it
	}
}

var errTakenBack = errors.New("the body is sent elsewhere")

// offer is a body that can be read only once, on its way to one proxy or backend. A
// transport closes the bodies that it could not send; so an offer keeps the body open
// until something was read or until it is settled, and it can be taken back before.
type offer struct {
	body io.ReadCloser

	mu      sync.Mutex // guards what is below
	touched bool       // something may have been read
	taken   bool       // it was taken back
	settled bool       // it will not be taken back
	asked   bool       // Close was called
	closed  bool
	failed  bool // the body itself failed
}

// Read implements io.Reader.
func (o *offer) Read(p []byte) (int, error) {
	o.mu.Lock()
	if o.taken {
		o.mu.Unlock()
		return 0, errTakenBack
	}
	o.touched = true
	o.mu.Unlock()
	n, err := o.body.Read(p)
	if err != nil && err != io.EOF {
		o.mu.Lock()
		o.failed = true
		o.mu.Unlock()
	}
	return n, err
}

// Close implements io.Closer.
func (o *offer) Close() error {
	o.mu.Lock()
	o.asked = true
	now := o.mayClose()
	o.mu.Unlock()
	if now {
		return o.body.Close()
	}
	return nil
}

// mayClose tells whether the body is to be closed now. mu is held.
func (o *offer) mayClose() bool {
	if o.taken || o.closed || !o.asked || !o.touched && !o.settled {
		return false
	}
	o.closed = true
	return true
}

// takeBack tells whether nothing was read, and sees to it that nothing will be.
func (o *offer) takeBack() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taken = o.taken || !o.touched
	return o.taken
}

// settle says that the offer stands. If it was taken back there is no other one, and the
// body is closed.
func (o *offer) settle() {
	o.mu.Lock()
	o.settled = true
	now := o.mayClose()
	if o.taken && !o.closed {
		o.closed, now = true, true
	}
	o.mu.Unlock()
	if now {
		_ = o.body.Close() // its error is for whoever read of it, and nobody did
	}
}

// broke tells whether the body itself failed, for which nobody else is to blame.
func (o *offer) broke() bool {
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed
}
