package report

import (
	"encoding/base64"
	"math"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

var full = fleet.LoadReport{
	CPU: 0.3, Memory: 0.8, Application: 0.5, Load1: 1.25, InFlight: 2, HasInFlight: true,
	RPS: 10.5, EPS: 0.25,
}

func TestRoundTrip(t *testing.T) {
	for _, r := range []fleet.LoadReport{{}, full, {HasInFlight: true}, {CPU: 3, Load1: 9}} {
		got, err := FromORCA(ToORCA(r))
		if err != nil || got != r {
			t.Errorf("%+v became %+v, %v", r, got, err)
		}
	}
	if got, err := FromORCA(nil); err != nil || got != (fleet.LoadReport{}) {
		t.Errorf("nil became %+v, %v", got, err)
	}
	if got, _ := FromORCA(&fairleadv1.OrcaLoadReport{Rps: 7}); got.RPS != 7 {
		t.Errorf("the outdated rps was not read: %+v", got)
	}
}

func TestRejects(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -0.1} {
		for name, o := range map[string]*fairleadv1.OrcaLoadReport{
			"cpu_utilization":         {CpuUtilization: v},
			"mem_utilization":         {MemUtilization: v},
			"application_utilization": {ApplicationUtilization: v},
			"rps_fractional":          {RpsFractional: v},
			"eps":                     {Eps: v},
			"named_metrics.in_flight": {NamedMetrics: map[string]float64{"in_flight": v}},
			"named_metrics.load1":     {NamedMetrics: map[string]float64{"load1": v}},
		} {
			if _, err := FromORCA(o); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s of %v: %v", name, v, err)
			}
		}
	}
	other := &fairleadv1.OrcaLoadReport{NamedMetrics: map[string]float64{"temperature": -4}}
	if _, err := FromORCA(other); err != nil {
		t.Errorf("a metric that is not read: %v", err)
	}
}

// orcaBytes writes full field by field with the numbers and wire types that
// xds/data/orca/v3/orca_load_report.proto gives, so without our own generated code.
func orcaBytes() []byte {
	var b []byte
	double := func(b []byte, n protowire.Number, v float64) []byte {
		return protowire.AppendFixed64(protowire.AppendTag(b, n, protowire.Fixed64Type), math.Float64bits(v))
	}
	entry := func(b []byte, n protowire.Number, k string, v float64) []byte {
		e := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), k)
		return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), double(e, 2, v))
	}
	b = double(b, 1, 0.3)
	b = double(b, 2, 0.8)
	b = protowire.AppendVarint(protowire.AppendTag(b, 3, protowire.VarintType), 10)
	b = entry(b, 4, "tokens", 17)
	b = entry(b, 5, "gpu", 0.9)
	b = double(b, 6, 10.5)
	b = double(b, 7, 0.25)
	b = entry(b, 8, "in_flight", 2)
	b = entry(b, 8, "load1", 1.25)
	return double(b, 9, 0.5)
}

func TestWireIsORCAs(t *testing.T) {
	var o fairleadv1.OrcaLoadReport
	if err := proto.Unmarshal(orcaBytes(), &o); err != nil {
		t.Fatal(err)
	}
	if len(o.ProtoReflect().GetUnknown()) > 0 {
		t.Errorf("unknown fields: %x", o.ProtoReflect().GetUnknown())
	}
	if o.GetRequestCost()["tokens"] != 17 || o.GetUtilization()["gpu"] != 0.9 || o.GetRps() != 10 {
		t.Errorf("read %v", &o)
	}
	if got, err := FromORCA(&o); err != nil || got != full {
		t.Errorf("read %+v, %v", got, err)
	}
	back, err := proto.MarshalOptions{Deterministic: true}.Marshal(&o)
	if err != nil || string(back) != string(orcaBytes()) {
		t.Errorf("wrote\n%x, %v, want\n%x", back, err, orcaBytes())
	}
}

func header(kv ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(kv); i += 2 {
		h.Add(kv[i], kv[i+1])
	}
	return h
}

const fullText = "cpu_utilization=0.3,mem_utilization=0.8,application_utilization=0.5,rps_fractional=10.5," +
	"eps=0.25,named_metrics.in_flight=2,named_metrics.load1=1.25,named_metrics.temperature=-4,request_cost.x=1"

const fullJSON = `{"cpu_utilization":0.3,"memUtilization":0.8,"applicationUtilization":0.5,"rpsFractional":10.5,` +
	`"eps":0.25,"namedMetrics":{"in_flight":2,"load1":1.25},"later":1}`

func TestFromHeader(t *testing.T) {
	bin := base64.StdEncoding.EncodeToString(orcaBytes())
	cases := map[string]http.Header{
		"text":      header("endpoint-load-metrics", "TEXT "+fullText),
		"spaces":    header("endpoint-load-metrics", " TEXT "+strings.ReplaceAll(fullText, ",", " , ")),
		"plain":     header("endpoint-load-metrics", fullText),
		"plain, sp": header("endpoint-load-metrics", strings.ReplaceAll(fullText, ",", ", ")),
		"json":      header("endpoint-load-metrics", "JSON "+fullJSON),
		"bin":       header("endpoint-load-metrics", "BIN "+bin),
		"-bin":      header("endpoint-load-metrics-bin", bin),
		"unpadded":  header("endpoint-load-metrics-bin", strings.TrimRight(bin, "=")),
		"both":      header("endpoint-load-metrics", "TEXT cpu_utilization=1", "endpoint-load-metrics-bin", bin),
		"first":     header("endpoint-load-metrics", fullText, "endpoint-load-metrics", "eps=9"),
	}
	for name, h := range cases {
		if got, ok, err := FromHeader(h); !ok || err != nil || got != full {
			t.Errorf("%s: %+v, %t, %v", name, got, ok, err)
		}
	}
	for _, h := range []http.Header{header("Content-Type", "x"), header("endpoint-load-metrics", " "), nil} {
		if got, ok, err := FromHeader(h); ok || err != nil || got != (fleet.LoadReport{}) {
			t.Errorf("%v: %+v, %t, %v", h, got, ok, err)
		}
	}
}

func TestFromHeaderErrors(t *testing.T) {
	for _, h := range []http.Header{
		header("endpoint-load-metrics", "XML <cpu/>"),
		header("endpoint-load-metrics", "TEXT cpu_utilization"),
		header("endpoint-load-metrics", "TEXT cpu_utilization=lots"),
		header("endpoint-load-metrics", "TEXT cpu_utilization=NaN"),
		header("endpoint-load-metrics", "TEXT cpu_utilization=1e999"),
		header("endpoint-load-metrics", "JSON {"),
		header("endpoint-load-metrics", `JSON {"cpu_utilization":"-Infinity"}`),
		header("endpoint-load-metrics", "TEXT eps=1"+strings.Repeat(",x=1", MaxHeader/4)),
		header("endpoint-load-metrics-bin", "!"),
		header("endpoint-load-metrics-bin", "/w"),
		header("endpoint-load-metrics-bin", strings.Repeat("A", MaxHeader+1)),
	} {
		if got, ok, err := FromHeader(h); ok || err == nil || got != (fleet.LoadReport{}) {
			t.Errorf("%.60v: %+v, %t, %v", h, got, ok, err)
		}
	}
}

func FuzzFromHeader(f *testing.F) {
	f.Add("TEXT "+fullText, "")
	f.Add("JSON "+fullJSON, "")
	f.Add("BIN "+base64.StdEncoding.EncodeToString(orcaBytes()), "")
	f.Add("", base64.StdEncoding.EncodeToString(orcaBytes()))
	f.Add("cpu=1, mem=NaN", "=")
	f.Fuzz(func(t *testing.T, text, bin string) {
		h := http.Header{}
		if text != "" {
			h.Set(Header, text)
		}
		if bin != "" {
			h.Set(HeaderBin, bin)
		}
		r, ok, err := FromHeader(h)
		if ok && err != nil || !ok && r != (fleet.LoadReport{}) {
			t.Fatalf("%t and %v", ok, err)
		}
		again, err := FromORCA(ToORCA(r))
		if err != nil || again != r {
			t.Fatalf("%+v became %+v, %v", r, again, err)
		}
	})
}

func BenchmarkFromHeader(b *testing.B) {
	for name, h := range map[string]http.Header{
		"absent": header("Content-Type", "text/plain", "Content-Length", "12"),
		"text":   header(Header, "TEXT "+fullText),
		"json":   header(Header, "JSON "+fullJSON),
		"binary": header(HeaderBin, base64.StdEncoding.EncodeToString(orcaBytes())),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = FromHeader(h)
			}
		})
	}
}
