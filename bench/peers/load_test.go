//go:build linux

package main

import (
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
  Non-2xx or 3xx responses: 17
Requests/sec:  49610.38
Transfer/sec:     12.25MB
`

const h2loadSays = `finished in 4.00s, 51234.50 req/s, 9.07MB/s
requests: 204938 total, 204938 started, 204938 done, 204930 succeeded, 5 failed, 3 errored, 0 timeout
`

func TestRead(t *testing.T) {
	r, err := readWrk(wrkSays)
	if err != nil || r.rate != 49610.38 || r.p50 != 1210*time.Microsecond || r.p99 != 990*time.Microsecond || r.failed != 17 {
		t.Errorf("wrk: %+v, %v", r, err)
	}
	r, err = readH2load(h2loadSays)
	if err != nil || r.rate != 51234.5 || r.failed != 8 {
		t.Errorf("h2load: %+v, %v", r, err)
	}
	if _, err := readWrk("unable to connect"); err == nil {
		t.Error("no rate is taken for one")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(wrkSays)
	f.Add(h2loadSays)
	f.Fuzz(func(_ *testing.T, out string) {
		_, _ = readWrk(out)
		_, _ = readH2load(out)
	})
}
