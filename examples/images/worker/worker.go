package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	maxBody   = 16 << 20 // bytes of an image that comes
	maxWidth  = 2048     // pixels of a thumbnail
	maxRadius = 20       // pixels
)

// worker does jobs, and counts them by itself. It is safe for concurrent use.
type worker struct {
	slots   int64
	convert string        // a program
	timeout time.Duration // of one job
	log     *slog.Logger

	inFlight, most, done, failed, refused atomic.Int64
}

// Stats is what GET /stats tells, since the worker began.
type Stats struct {
	Slots        int64 `json:"slots"`
	InFlight     int64 `json:"in_flight"`
	MostInFlight int64 `json:"most_in_flight"` // ever, refused ones included
	Done         int64 `json:"done"`
	Failed       int64 `json:"failed"`
	Refused      int64 `json:"refused"` // came while all slots were taken
}

func (w *worker) stats() Stats {
	return Stats{
		Slots: w.slots, InFlight: w.inFlight.Load(), MostInFlight: w.most.Load(),
		Done: w.done.Load(), Failed: w.failed.Load(), Refused: w.refused.Load(),
	}
}

// answer is what a job ends with.
type answer struct {
	picture []byte // PNG
	err     error  // with status
	status  int
}

// counted wraps a job: it counts, and refuses what is beyond the slots. A job that is
// over counts no more when its answer is sent: whoever has the answer may send the next
// job at once, and that one finds the slot free.
func (w *worker) counted(job func(http.ResponseWriter, *http.Request) answer) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		n := w.inFlight.Add(1)
		for most := w.most.Load(); n > most && !w.most.CompareAndSwap(most, n); {
			most = w.most.Load()
		}
		if n > w.slots {
			w.inFlight.Add(-1)
			w.refused.Add(1)
			rw.Header().Set("Retry-After", "1")
			http.Error(rw, fmt.Sprintf("all %d slots of this worker are taken", w.slots), http.StatusServiceUnavailable)
			return
		}
		a := job(rw, r)
		w.inFlight.Add(-1)
		if a.err != nil {
			w.failed.Add(1)
			http.Error(rw, a.err.Error(), a.status)
			return
		}
		w.done.Add(1)
		rw.Header().Set("Content-Type", "image/png")
		rw.Header().Set("Content-Length", strconv.Itoa(len(a.picture)))
		_, _ = rw.Write(a.picture) // a client that left is told nothing
	}
}

func (w *worker) thumbnail(rw http.ResponseWriter, r *http.Request) answer {
	width, err := number(r, "width", 320, maxWidth)
	if err != nil {
		return answer{err: err, status: http.StatusBadRequest}
	}
	// The ">" only ever shrinks.
	return w.job(rw, r, "-auto-orient", "-thumbnail", fmt.Sprintf("%dx%d>", width, width))
}

func (w *worker) blur(rw http.ResponseWriter, r *http.Request) answer {
	radius, err := number(r, "radius", 4, maxRadius)
	if err != nil {
		return answer{err: err, status: http.StatusBadRequest}
	}
	return w.job(rw, r, "-auto-orient", "-strip", "-blur", fmt.Sprintf("0x%d", radius))
}

// number reads a query's number from 1 to most, and takes the default where it has none.
func number(r *http.Request, name string, otherwise, most int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%s=%.20q: it has to be a number from 1 to %d", name, text, most)
	}
	return n, nil
}

// job reads an image and runs convert on it.
func (w *worker) job(rw http.ResponseWriter, r *http.Request, operation ...string) answer {
	image, err := readImage(rw, r)
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			err = fmt.Errorf("an image may have %d bytes", tooLarge.Limit)
			return answer{err: err, status: http.StatusRequestEntityTooLarge}
		}
		return answer{err: err, status: http.StatusBadRequest}
	}
	format := sniff(image)
	if format == "" {
		err = errors.New("the body is no PNG, JPEG, GIF or WebP image")
		return answer{err: err, status: http.StatusUnsupportedMediaType}
	}
	picture, err := w.transform(r.Context(), image, format, operation)
	if err != nil {
		w.log.Warn("a job failed", "error", err)
		return answer{err: err, status: statusOf(err)}
	}
	return answer{picture: picture}
}

// readImage reads the body, of which the first byte too many is an error. A length that
// says so is one before anything is read.
func readImage(rw http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		return nil, &http.MaxBytesError{Limit: maxBody}
	}
	image, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("reading the image: %w", err)
	}
	return image, nil
}
