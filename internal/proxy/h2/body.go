package h2

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// clientBody is a request's body, whichever try reads it.
type clientBody struct {
	io.ReadCloser              // net/http's
	total         atomic.Int64 // bytes
	began         atomic.Bool
	ended         atomic.Bool // read to its end
	broke         atomic.Bool // its end never came
	over          atomic.Bool // the handler has returned
}

// tryBody is what one try reads. A try that fails before it reads leaves the body as it
// was, for the next.
type tryBody struct {
	*clientBody
	try *try
}

var errLost = errors.New("the connection to the backend was lost before the body was sent")

func (b *tryBody) Read(p []byte) (int, error) {
	switch {
	case b.over.Load():
		return 0, http.ErrBodyReadAfterClose
	case b.try.lost.Load() || b.try.ctx.Err() != nil:
		return 0, errLost
	}
	// Whoever sets one of the above then interrupts a read that began: so either this
	// read has seen it, or its beginning is seen.
	b.began.Store(true)
	n, err := b.ReadCloser.Read(p)
	b.total.Add(int64(n))
	switch err {
	case nil:
	case io.EOF:
		b.ended.Store(true)
	default:
		b.broke.Store(true)
	}
	return n, err
}

// Close does nothing: the transport closes the body of a try that failed, and the next
// try needs it. net/http closes what is beneath.
func (b *tryBody) Close() error { return nil }
