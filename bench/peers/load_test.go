//go:build linux

package main

import (
	"strings"
	"testing"
	"time"
)

const wrkSays = `Running 2s test @ http://127.0.0.1:9103/
  2 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.30ms  632.21us  15.01ms   78.52%
    Req/Sec    25.01k     1.50k   27.60k    70.00%
  Latency Distribution
     50%    1.21ms
     75%    1.53ms
     90%    1.93ms
     99%  990.00us
  99723 requests in 2.01s, 24.63MB read
  Socket errors: connect 1, read 2, write 0, timeout 3
  Non-2xx or 3xx responses: 17
Requests/sec:  49610.38
Transfer/sec:     12.25MB
`

const h2loadSays = `finished in 4.00s, 51234.50 req/s, 9.07MB/s
requests: 204938 total, 204938 started, 204938 done, 204930 succeeded, 5 failed, 3 errored, 0 timeout
status codes: 204926 2xx, 4 3xx, 0 4xx, 0 5xx
`

const h2loadLog = "1763932000000000\t200\t1000\n1763932000000001\t200\t3000\n1763932000000002\t200\t1000\n1763932000000003\t503\t9000\n1763932"

func TestRead(t *testing.T) {
	r, err := readWrk(wrkSays, "")
	if err != nil || r.rate != 49610.38 || r.p50 != 1210*time.Microsecond || r.p99 != 990*time.Microsecond || r.failed != 23 {
		t.Errorf("wrk: %+v, %v", r, err)
	}
	r, err = readH2load(h2loadSays, h2loadLog)
	if err != nil || r.rate != 51234.5 || r.failed != 12 || r.p50.Round(10*time.Microsecond) != time.Millisecond || r.p99.Round(10*time.Microsecond) != 3*time.Millisecond {
		t.Errorf("h2load: %+v, %v", r, err)
	}
	r, err = readOwn(`{"Done":7,"Failed":2,"Seconds":2,"P50":1000,"Why":"x"}`, "")
	if err != nil || r.rate != 3.5 || r.p50 != time.Microsecond || r.failed != 2 || r.why != "x" {
		t.Errorf("own: %+v, %v", r, err)
	}
	if _, err := readOwn("panic: no", ""); err == nil {
		t.Error("no score is taken for one")
	}
	if _, err := readWrk("unable to connect", ""); err == nil {
		t.Error("no rate is taken for one")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(wrkSays, "")
	f.Add(h2loadSays, h2loadLog)
	f.Add(`{"Done":7,"Seconds":2,"P50":1}`, "")
	f.Fuzz(func(_ *testing.T, out, log string) {
		_, _ = readWrk(out, log)
		_, _ = readH2load(out, log)
		_, _ = readOwn(out, log)
	})
}

// A row shows what failed, and what a peer cannot do.
func TestRows(t *testing.T) {
	s := &site{peers: []peer{{name: baseline, at: map[string]string{"tcp": "a"}}, {name: "other", at: map[string]string{"tcp": "b"}}, {name: "none"}}}
	var b strings.Builder
	s.rows(&b, play{name: "c", kind: "tcp"}, map[string][]result{baseline: {{rate: 100}, {rate: 300, failed: 4}, {rate: 200, failed: 3}}}, 3)
	want := "| c | HAProxy | 200 | 1.00 | - | - | - | - | - | - | 7 |\n" +
		"| c | other | 0 | - | - | - | - | - | - | - | 0, and 3 of 3 turns lost |\n" +
		"| c | none | - | - | - | - | - | - | - | - | - |\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", &b, want)
	}
}
