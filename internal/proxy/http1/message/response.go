package message

// Response is an answer's head.
type Response struct {
	Head
	Status int

	reason span
}

// Reset makes r ready for another head.
func (r *Response) Reset() {
	fields := r.Head
	*r = Response{Head: fields}
	r.reset()
	r.empty = maxEmpty // none before a status line
}

// Reason returns the phrase behind the status, which may be empty.
func (r *Response) Reason() []byte { return r.reason.of(r.buf) }

// Informational tells whether another head follows: 1xx, but not 101, behind which the
// connection is another protocol's.
func (r *Response) Informational() bool { return r.Status < 200 && r.Status != 101 }

// ToEnd tells whether the body ends with the connection.
func (r *Response) ToEnd() bool { return r.Length < 0 && !r.Chunked }

// Parse looks at the bytes of a head that have come so far, as Request.Parse does. What was
// asked says whether there is a body: head is true for HEAD.
func (r *Response) Parse(buf []byte, lim *Limits, head bool) (done bool, err *Error) {
	started := r.lines > 0
	if done, err = r.scan(buf, lim); err != nil {
		return false, err
	}
	if !started && r.lines > 0 {
		if err := r.start(); err != nil {
			return false, err
		}
	}
	if !done {
		return false, nil
	}
	return true, r.check(head)
}

// start reads the status line. The phrase may be missing, with the blank before it.
func (r *Response) start() *Error {
	b := r.first.of(r.buf)
	if len(b) < 12 || b[8] != ' ' || len(b) > 12 && b[12] != ' ' {
		return ErrStatusLine
	}
	if r.version(b[:8]) != nil {
		return ErrStatusLine
	}
	n, ok := decimal(b[9:12]) // none below 100 begins with another digit than 0
	if !ok || n < 100 {
		return ErrStatusLine
	}
	r.Status = int(n)
	if len(b) > 13 {
		if !all(b[13:], isValue) {
			return ErrStatusLine
		}
		r.reason = span{r.first.from + 13, r.first.to}
	}
	return nil
}

// check finds out whether there is a body, and how it is read (RFC 9112, 6.3).
func (r *Response) check(head bool) *Error {
	if _, err := r.frame(); err != nil {
		return err
	}
	length := r.Get(ContentLength) != nil
	switch {
	case r.Status < 200, r.Status == 204:
		if r.Chunked || length && r.Length != 0 {
			return ErrUnexpected // some would read a body, and some would not
		}
		r.Length, r.Chunked = 0, false
	case head, r.Status == 304:
		r.Length, r.Chunked = 0, false
	case !r.Chunked && !length:
		r.Length, r.Close = -1, true
	}
	return nil
}
