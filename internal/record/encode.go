package record

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
)

// kinds are the inputs that there are, by the name that a log uses. A test holds them
// against package dispatch.
var kinds = []struct {
	name string
	make func() dispatch.Input
}{
	{"ask", func() dispatch.Input { return new(dispatch.Ask) }},
	{"withdraw", func() dispatch.Input { return new(dispatch.Withdraw) }},
	{"done", func() dispatch.Input { return new(dispatch.Done) }},
	{"report", func() dispatch.Input { return new(dispatch.Report) }},
	{"join", func() dispatch.Input { return new(dispatch.Join) }},
	{"leave", func() dispatch.Input { return new(dispatch.Leave) }},
	{"agentlost", func() dispatch.Input { return new(dispatch.AgentLost) }},
	{"sessionup", func() dispatch.Input { return new(dispatch.SessionUp) }},
	{"sessionlost", func() dispatch.Input { return new(dispatch.SessionLost) }},
	{"health", func() dispatch.Input { return new(dispatch.Health) }},
	{"adjust", func() dispatch.Input { return new(dispatch.Adjust) }},
	{"override", func() dispatch.Input { return new(dispatch.Override) }},
	{"tick", func() dispatch.Input { return new(dispatch.Tick) }},
	{"answer", func() dispatch.Input { return new(dispatch.Answer) }},
	{"arrival", func() dispatch.Input { return new(dispatch.Arrival) }},
	{"ended", func() dispatch.Input { return new(dispatch.Ended) }},
	{"use", func() dispatch.Input { return new(dispatch.Use) }},
	{"learn", func() dispatch.Input { return new(dispatch.Learn) }},
	{"respec", func() dispatch.Input { return new(dispatch.Respec) }},
	{"yield", func() dispatch.Input { return new(dispatch.Yield) }},
}

// Begin appends the first line of a log.
func Begin(b []byte) []byte {
	return fmt.Appendf(b, `{"log":"fairlead","version":%d}`+"\n", Version)
}

// End appends the line that says why a log ends before its time.
func End(b []byte, why string) []byte {
	return append(quoted(append(b, `{"end":`...), why), "}\n"...)
}

// Writer encodes one pool's part of a log. It is not safe for concurrent use, and keeps
// nothing that it is given.
type Writer struct{ pool int }

// NewWriter makes a Writer, and appends the line with which the pool begins. pool is its
// number in the log, from 1.
func NewWriter(b []byte, pool int, spec fleet.PoolSpec, epoch uint64) (*Writer, []byte, error) {
	from := len(b)
	b = fmt.Appendf(b, `{"pool":%d,"epoch":%d,"spec":`, pool, epoch)
	b, err := appendValue(b, reflect.ValueOf(spec))
	if err != nil {
		return nil, b[:from], fmt.Errorf("record: pool %s: %w", spec.Name, err)
	}
	return &Writer{pool}, append(b, "}\n"...), nil
}

// Step appends a step: the input that was taken in, and the effects that it had. If it
// cannot be told, b is returned as it was, and the step counts as lost.
func (w *Writer) Step(b []byte, now fleet.Time, in dispatch.Input, effects []dispatch.Effect) ([]byte, error) {
	from := len(b)
	v := reflect.ValueOf(in).Elem()
	b = append(b, `{"p":`...)
	b = strconv.AppendInt(b, int64(w.pool), 10)
	b = append(b, `,"t":`...)
	b = strconv.AppendInt(b, int64(now), 10)
	b = append(b, `,"k":"`...)
	b = append(b, strings.ToLower(v.Type().Name())...)
	b = append(b, `","in":`...)
	b, err := appendValue(b, v)
	if err != nil {
		return b[:from], fmt.Errorf("record: %w", err)
	}
	if digest := Digest(effects); digest != "" {
		b = append(append(append(b, `,"e":"`...), digest...), '"')
	}
	b = appendGrants(b, effects)
	return append(b, "}\n"...), nil
}

// Grant is one that was made.
type Grant struct {
	Proxy   fleet.ProxyID
	Ask     fleet.AskID
	Number  uint64 // of the log's epoch
	Backend fleet.BackendName
}

// Grants returns the grants among effects.
func Grants(effects []dispatch.Effect) (all []Grant) {
	for i := range effects {
		if e := &effects[i]; e.Kind == dispatch.Granted {
			all = append(all, Grant{e.Proxy, e.Ask, e.Grant.Number, e.Backend})
		}
	}
	return all
}

func appendGrants(b []byte, effects []dispatch.Effect) []byte {
	if all := Grants(effects); all != nil {
		b = append(b, `,"g":`...)
		b, _ = appendValue(b, reflect.ValueOf(all)) // it has no floats, which alone fail
	}
	return b
}

// Lost appends a line that says how many steps are missing at its place.
func (w *Writer) Lost(b []byte, steps uint64) []byte {
	return fmt.Appendf(b, `{"p":%d,"lost":%d}`+"\n", w.pool, steps)
}

// Digest tells effects apart; of none it is empty. What an assignment's request is about
// does not count: it is what the ask said.
func Digest(effects []dispatch.Effect) string {
	if len(effects) == 0 {
		return ""
	}
	h := fnv.New64a()
	var b []byte
	for _, e := range effects {
		e.About = nil
		b, _ = appendValue(b[:0], reflect.ValueOf(e)) // it has no floats, which alone fail
		_, _ = h.Write(b)                             // a hash takes everything
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// appendValue is json.Marshal without the fields that are zero, of which most inputs have
// many.
func appendValue(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.Struct:
		return appendStruct(b, v)
	case reflect.Pointer:
		return appendValue(b, v.Elem()) // nil is zero, and left out
	case reflect.Slice, reflect.Array:
		return appendList(b, v)
	case reflect.Map:
		return appendMap(b, v)
	case reflect.String:
		return quoted(b, v.String()), nil
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(b, v.Uint(), 10), nil
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return b, fmt.Errorf("JSON has no number for %v", f)
		}
		return strconv.AppendFloat(b, v.Float(), 'g', -1, 64), nil
	}
	return b, fmt.Errorf("a log cannot hold a %s", v.Type())
}

func appendStruct(b []byte, v reflect.Value) ([]byte, error) {
	b = append(b, '{')
	first := true
	for i := range v.NumField() {
		f := v.Field(i)
		if f.IsZero() {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(append(b, '"'), v.Type().Field(i).Name...), `":`...)
		var err error
		if b, err = appendValue(b, f); err != nil {
			return b, fmt.Errorf("%s: %w", v.Type().Field(i).Name, err)
		}
	}
	return append(b, '}'), nil
}

func appendList(b []byte, v reflect.Value) (_ []byte, err error) {
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendValue(b, v.Index(i)); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

// appendMap writes a map by its keys' order, so that the same map is the same text.
func appendMap(b []byte, v reflect.Value) (_ []byte, err error) {
	m, ok := v.Interface().(map[string]float64)
	if !ok {
		return b, fmt.Errorf("a log cannot hold a %s", v.Type())
	}
	b = append(b, '{')
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(quoted(b, key), ':')
		if b, err = appendValue(b, reflect.ValueOf(m[key])); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

// quoted appends a text as JSON has it.
func quoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			q, _ := json.Marshal(s) // a string always has a form
			return append(b, q...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
