package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// Limits of what is read.
const (
	maxLine  = 16 << 20
	maxPools = 10_000
)

// Event is one line of a log: a pool that begins (Spec), a step (Input), steps that are
// missing (Lost), or the end of the log before its time (Ended).
type Event struct {
	Line int // from 1
	Pool int // its number; 0 of Ended

	Spec  *fleet.PoolSpec
	Epoch uint64

	Now    fleet.Time
	Input  dispatch.Input
	Digest string // of the effects
	Grants []Grant

	Lost  uint64
	Ended string // why
}

// line is any line.
type line struct {
	Log     string `json:"log"`
	Version int    `json:"version"`

	Pool  int             `json:"pool"`
	Epoch uint64          `json:"epoch"`
	Spec  json.RawMessage `json:"spec"`

	P     int             `json:"p"`
	Time  fleet.Time      `json:"t"`
	Kind  string          `json:"k"`
	Input json.RawMessage `json:"in"`
	E     string          `json:"e"`
	G     []Grant         `json:"g"`
	Lost  uint64          `json:"lost"`

	End string `json:"end"`
}

// ErrNoLog is what a Reader says of something that is no log at all.
var ErrNoLog = errors.New("this is no decision log; 'fairlead controller --record FILE' writes one")

// IsLog tells whether data, the beginning of a file, begins a log.
func IsLog(data []byte) bool { return bytes.HasPrefix(data, []byte(`{"log":"fairlead"`)) }

// Reader decodes a log.
type Reader struct {
	in    *bufio.Reader
	line  int
	pools map[int]fleet.Time // that have begun, and the time of the last step
}

// NewReader makes a Reader; what it says of the first line is returned at once.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(in, 64<<10), pools: map[int]fleet.Time{}}
	text, err := r.text()
	if err != nil {
		return nil, ErrNoLog
	}
	var l line
	if !IsLog(text) || strictly(text, &l) != nil {
		return nil, ErrNoLog
	}
	if l.Version != Version {
		return nil, fmt.Errorf("the log is of version %d, and this program reads version %d; use the program that wrote it", l.Version, Version)
	}
	return r, nil
}

// Next returns the next event, and io.EOF when there is none. A last line that was not
// finished, as a crash leaves it, is no error: nothing was lost before it.
func (r *Reader) Next() (Event, error) {
	text, err := r.text()
	if err != nil {
		return Event{}, err
	}
	var l line
	if err := strictly(text, &l); err != nil {
		return Event{}, r.wrong(err)
	}
	e := Event{Line: r.line, Pool: max(l.Pool, l.P)}
	switch {
	case l.End != "":
		e.Ended, e.Pool = l.End, 0
	case l.Pool != 0:
		err = r.begin(&e, &l)
	default:
		err = r.step(&e, &l)
	}
	if err != nil {
		return Event{}, r.wrong(err)
	}
	return e, nil
}

func (r *Reader) begin(e *Event, l *line) error {
	if _, twice := r.pools[l.Pool]; twice || l.Pool < 1 || l.Pool > maxPools {
		return fmt.Errorf("pool %d begins where it cannot", l.Pool)
	}
	e.Spec, e.Epoch = new(fleet.PoolSpec), l.Epoch
	if err := strictly(l.Spec, e.Spec); err != nil {
		return err
	}
	if e.Spec.QueueTimeout <= 0 || e.Spec.Slots < 0 || e.Spec.Workers < 0 || e.Spec.Slots+e.Spec.Workers == 0 {
		return fmt.Errorf("pool %d has no slots or no time to wait", l.Pool)
	}
	r.pools[l.Pool] = 0
	return nil
}

func (r *Reader) step(e *Event, l *line) error {
	last, ok := r.pools[l.P]
	switch {
	case !ok:
		return fmt.Errorf("pool %d has not begun", l.P)
	case l.Lost > 0:
		e.Lost = l.Lost
		return nil
	case l.Time < last:
		return fmt.Errorf("time runs backwards, from %d to %d", last, l.Time)
	}
	for _, k := range kinds {
		if k.name != l.Kind {
			continue
		}
		e.Now, e.Digest, e.Grants, e.Input = l.Time, l.E, l.G, k.make()
		r.pools[l.P] = l.Time
		return strictly(l.Input, e.Input)
	}
	return fmt.Errorf("there is no input of kind %q", l.Kind)
}

// text returns the next line.
func (r *Reader) text() ([]byte, error) {
	var whole []byte
	for {
		part, err := r.in.ReadSlice('\n')
		if len(whole)+len(part) > maxLine {
			return nil, fmt.Errorf("line %d of the log is longer than %d MiB", r.line+1, maxLine>>20)
		}
		whole = append(whole, part...)
		switch {
		case err == nil:
			r.line++
			return whole, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err // with EOF, also after half a line
		}
	}
}

func (r *Reader) wrong(err error) error {
	return fmt.Errorf("line %d of the log: %w; it is damaged, or of another version of Fairlead", r.line, err)
}

// strictly decodes one value, all of whose fields must be known.
func strictly(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the value")
	}
	return nil
}
