package record_test

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/dispatch"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/record"
)

// inputs is one value of each input of package dispatch.
var inputs = []dispatch.Input{
	&dispatch.Ask{}, &dispatch.Withdraw{}, &dispatch.Done{}, &dispatch.Report{}, &dispatch.Join{}, &dispatch.Leave{},
	&dispatch.AgentLost{}, &dispatch.SessionUp{}, &dispatch.SessionLost{}, &dispatch.Health{}, &dispatch.Override{}, &dispatch.Adjust{},
	&dispatch.Tick{}, &dispatch.Answer{}, &dispatch.Arrival{}, &dispatch.Ended{}, &dispatch.Use{}, &dispatch.Learn{}, &dispatch.Yield{}, &dispatch.Respec{},
}

// TestEveryInputIsHere reads package dispatch: an input that a log could not hold would
// make every replay a lie.
func TestEveryInputIsHere(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../dispatch/io.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want, have []string
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "input" {
			want = append(want, fn.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name)
		}
	}
	for _, in := range inputs {
		have = append(have, reflect.TypeOf(in).Elem().Name())
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) || len(want) == 0 {
		t.Errorf("package dispatch has the inputs\n%v, this test\n%v; add those that are missing here and to kinds in encode.go", want, have)
	}
}

// fill sets each field of v to something random, and half of the time leaves slices and
// pointers out.
func fill(rnd *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(rnd, v.Field(i))
		}
	case reflect.Pointer:
		if rnd.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(rnd, v.Elem())
			if v.Elem().IsZero() {
				v.Set(reflect.Zero(v.Type()))
			}
		}
	case reflect.Slice:
		if n := rnd.IntN(3); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(rnd, v.Index(i))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(rnd, v.Index(i))
		}
	case reflect.Map:
		if rnd.IntN(2) == 0 {
			v.Set(reflect.ValueOf(map[string]float64{"a b": rnd.Float64(), "\"\n": 2}))
		}
	case reflect.String:
		v.SetString([]string{"", "a", "\"quoted\" \\ \x01 ü <&>", "127.0.0.1:80"}[rnd.IntN(4)])
	case reflect.Bool:
		v.SetBool(rnd.IntN(2) == 0)
	case reflect.Float64:
		v.SetFloat(rnd.ExpFloat64())
	case reflect.Int, reflect.Int64:
		v.SetInt(rnd.Int64())
	default:
		v.SetUint(rnd.Uint64() >> (64 - v.Type().Bits()))
	}
}

func TestRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var spec fleet.PoolSpec
		fill(rnd, reflect.ValueOf(&spec).Elem())
		spec.QueueTimeout, spec.Slots, spec.Workers = time.Second, 1, 1
		b := record.Begin(nil)
		w, b, err := record.NewWriter(b, 3, spec, 1<<63)
		if err != nil {
			t.Fatal(err)
		}
		var want []dispatch.Input
		for i, in := range inputs {
			v := reflect.New(reflect.TypeOf(in).Elem())
			fill(rnd, v.Elem())
			want = append(want, v.Interface().(dispatch.Input))
			if b, err = w.Step(b, fleet.Time(i), want[i], []dispatch.Effect{{Kind: dispatch.Granted, Ask: fleet.AskID(i)}}[:i%2]); err != nil {
				t.Fatal(err)
			}
		}
		b = record.End(w.Lost(b, 7), "size")
		check(t, b, spec, want)
	}
}

func check(t *testing.T, log []byte, spec fleet.PoolSpec, want []dispatch.Input) {
	t.Helper()
	r, err := record.NewReader(bytes.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	next := func() record.Event {
		t.Helper()
		e, err := r.Next()
		if err != nil {
			t.Fatalf("%v, of\n%s", err, log)
		}
		return e
	}
	if e := next(); e.Pool != 3 || e.Epoch != 1<<63 || !reflect.DeepEqual(*e.Spec, spec) {
		t.Fatalf("%+v, want %+v", *e.Spec, spec)
	}
	for i, in := range want {
		if e := next(); e.Now != fleet.Time(i) || !reflect.DeepEqual(e.Input, in) || (e.Digest != "") != (i%2 == 1) ||
			i%2 == 1 && (len(e.Grants) != 1 || e.Grants[0].Ask != fleet.AskID(i)) {
			t.Fatalf("%+v\nwant %+v", e.Input, in)
		}
	}
	if e := next(); e.Lost != 7 || e.Pool != 3 {
		t.Errorf("%+v", e)
	}
	if e := next(); e.Ended != "size" {
		t.Errorf("%+v", e)
	}
	if e, err := r.Next(); err != io.EOF {
		t.Errorf("%+v, %v", e, err)
	}
}

// version1 is a log as version 1 writes it. When a change makes this test fail, old logs
// cannot be read any more: raise Version, and tell the history in doc.go.
const version1 = `{"log":"fairlead","version":1}
{"pool":1,"epoch":7,"spec":{"Name":"render","Slots":4,"QueueLimit":10,"QueueTimeout":1000000000}}
{"p":1,"t":1,"k":"join","in":{"Spec":{"Name":"127.0.0.1:80"}}}
{"p":1,"t":2,"k":"ask","in":{"Proxy":1,"ID":2,"About":{"Client":"192.0.2.1"},"Seen":[{"Backend":"127.0.0.1:80","InFlight":3}]},"e":"1","g":[{"Proxy":1,"Ask":2,"Number":1,"Backend":"127.0.0.1:80"}]}
{"p":1,"t":3,"k":"done","in":{"Proxy":1,"Grant":{"Epoch":7,"Number":1},"Outcome":1,"Latency":1000}}
`

func TestVersion1(t *testing.T) {
	r, err := record.NewReader(strings.NewReader(version1 + `{"p":1,"t":`)) // and a crash
	if err != nil {
		t.Fatal(err)
	}
	b := record.Begin(nil)
	var w *record.Writer
	for {
		e, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Spec != nil {
			w, b, err = record.NewWriter(b, e.Pool, *e.Spec, e.Epoch)
		} else {
			b, err = w.Step(b, e.Now, e.Input, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := strings.Replace(version1, `,"e":"1","g":[{"Proxy":1,"Ask":2,"Number":1,"Backend":"127.0.0.1:80"}]`, "", 1); string(b) != want {
		t.Errorf("is written again as\n%s", b)
	}
}

func TestDamaged(t *testing.T) {
	for from, to := range map[string]string{
		`"version":1`: `"version":2`, `{"log":"fairlead"`: `{"log":"nginx"`, `"epoch":7,`: `"epoch":7,"new":1,`,
		`"QueueTimeout":1000000000`: `"QueueTimeout":0`, `"t":2`: `"t":0`, `"k":"ask"`: `"k":"beg"`, `{"p":1,"t":2`: `{"p":2,"t":2`,
		`"Latency"`: `"Latent"`, `{"Proxy":1,"ID":2`: `{"Proxy":-1,"ID":2`, "\n{\"p\":1,\"t\":3": "\nx",
	} {
		if !strings.Contains(version1, from) {
			t.Fatalf("%q is not there", from)
		}
		r, err := record.NewReader(strings.NewReader(strings.Replace(version1, from, to, 1)))
		for err == nil {
			_, err = r.Next()
		}
		if errors.Is(err, io.EOF) {
			t.Errorf("with %s for %s it is read", to, from)
		}
	}
}

func TestWhatCannotBeTold(t *testing.T) {
	w, b, err := record.NewWriter(nil, 1, fleet.PoolSpec{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	after, err := w.Step(b, 1, &dispatch.Report{Load: fleet.LoadReport{CPU: math.NaN()}}, nil)
	if err == nil || !bytes.Equal(after, b) {
		t.Errorf("%v: %s", err, after)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(version1))
	f.Add(record.End([]byte(version1), "size"))
	f.Add([]byte(strings.ReplaceAll(version1, "1", "9")))
	f.Fuzz(func(t *testing.T, log []byte) {
		r, err := record.NewReader(bytes.NewReader(log))
		if err != nil {
			return
		}
		writers := map[int]*record.Writer{}
		for {
			e, err := r.Next()
			if err != nil {
				return
			}
			switch {
			case e.Spec != nil:
				w, _, err := record.NewWriter(nil, e.Pool, *e.Spec, e.Epoch)
				if err != nil {
					t.Fatal(err)
				}
				writers[e.Pool] = w
			case e.Input != nil:
				if _, err := writers[e.Pool].Step(nil, e.Now, e.Input, nil); err != nil {
					t.Fatalf("%v: %+v", err, e.Input)
				}
			}
		}
	})
}

func BenchmarkStep(b *testing.B) {
	w, buf, err := record.NewWriter(nil, 1, fleet.PoolSpec{}, 1)
	if err != nil {
		b.Fatal(err)
	}
	in := &dispatch.Ask{Proxy: 1, ID: 77, About: &fleet.About{Client: "192.0.2.1", Method: "GET", Host: "example.org", Path: "/a"}}
	effects := []dispatch.Effect{{Kind: dispatch.Granted, Proxy: 1, Ask: 77, Grant: fleet.GrantID{Epoch: 1, Number: 5}, Backend: "127.0.0.1:80"}}
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = w.Step(buf[:0], 5, in, effects); err != nil {
			b.Fatal(err)
		}
	}
}
