package h2

import (
	"io"
	"net/http"

	"github.com/fairlead/fairlead/internal/fleet"
)

// answer is the body of an answer, or a connection that was upgraded. Done is called
// when its end is read, when it breaks, or when it is closed, whichever is first.
type answer struct {
	body io.ReadCloser
	try  *try
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.body.Read(p)
	switch {
	case err == nil, a.try.upgraded && err == io.EOF: // its other direction may go on
	case err == io.EOF:
		a.try.complete()
	case a.try.finished.Load(): // closed from this side
	default:
		a.try.finish(a.try.broke())
	}
	return n, err
}

// Close is called before the end only when the client does not want the rest, or when
// an upgraded connection is over.
func (a *answer) Close() error {
	if a.try.upgraded && a.try.x.ctx.Err() == nil {
		a.try.finish(fleet.OK)
	}
	a.try.finish(fleet.Cancelled)
	return a.body.Close()
}

// Write sends on an upgraded connection.
func (a *answer) Write(p []byte) (int, error) {
	if w, ok := a.body.(io.Writer); ok {
		return w.Write(p)
	}
	return 0, http.ErrNotSupported
}

// CloseWrite passes a half-close on, on an upgraded connection.
func (a *answer) CloseWrite() error {
	if w, ok := a.body.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return http.ErrNotSupported
}
