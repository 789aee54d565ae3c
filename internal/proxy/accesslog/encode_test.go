package accesslog

import (
	"crypto/tls"
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fairlead/fairlead/internal/fleet"
)

// served is an entry in which everything is set.
func served() *Entry {
	return &Entry{
		Time: time.Date(2026, 1, 2, 15, 4, 5, 678901999, time.FixedZone("", 2*3600)), Listener: "web",
		Client: netip.MustParseAddrPort("192.0.2.7:5123"),
		Method: "GET", Host: "tiles.example.org", Target: "/tile?z=2", Protocol: "HTTP/1.1",
		Status: 200, BytesIn: 12, BytesOut: 5120,
		Pool: "render", Backend: "10.0.0.7:8000", Grant: fleet.GrantID{Epoch: 7, Number: 42}, Tries: 2, Moved: true,
		End:  Done,
		Wait: 312 * time.Microsecond, Connect: 500 * time.Nanosecond, FirstByte: 20 * time.Millisecond, Total: 1020 * time.Millisecond,
		UserAgent: "curl/8.5", Referer: "https://example.org/map?user=7", TLSVersion: tls.VersionTLS13, TLSName: "tiles.example.org",
	}
}

// refused is an entry in which little is set.
func refused() *Entry {
	return &Entry{
		Time: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC), Client: netip.MustParseAddrPort("[::ffff:192.0.2.7]:5123"),
		Method: "POST", Target: "/", Protocol: "HTTP/1.0", Status: 429, End: Refused, Reason: "queue_full", Wait: time.Second, Total: time.Second,
	}
}

// hostile is an entry by somebody who would like to write lines of their own.
func hostile() *Entry {
	return &Entry{
		Time: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC), Client: netip.MustParseAddrPort("[fe80::1%\"eth0]:1"),
		Method: "GET", Target: "/\"}\r\n{\\x00\xff\x00", Protocol: "HTTP/1.1",
		UserAgent: "\u00e9\u202e\u2028\x1b[2J\x7f\U000e0041\ufffd\xed\xa0\x80", End: End(200), Status: -1, BytesOut: -1, Total: -1,
	}
}

func TestLines(t *testing.T) {
	for name, c := range map[string]struct {
		e              *Entry
		drop           bool
		json, combined string
	}{
		"served": {served(), false,
			`{"time":"2026-01-02T13:04:05.678901Z","listener":"web","client":"192.0.2.7:5123","method":"GET","host":"tiles.example.org","target":"/tile?z=2","protocol":"HTTP/1.1","status":200,"bytes_in":12,"bytes_out":5120,"pool":"render","backend":"10.0.0.7:8000","grant":"7.42","end":"done","wait_seconds":0.000312,"connect_seconds":0.000001,"first_byte_seconds":0.020000,"total_seconds":1.020000,"tries":2,"user_agent":"curl/8.5","referer":"https://example.org/map?user=7","tls":"TLS 1.3","tls_name":"tiles.example.org","moved":true}`,
			`192.0.2.7 - - [02/Jan/2026:15:04:05 +0200] "GET /tile?z=2 HTTP/1.1" 200 5120 "https://example.org/map?user=7" "curl/8.5" listener="web" host="tiles.example.org" pool="render" backend="10.0.0.7:8000" grant=7.42 end="done" wait=0.000312 connect=0.000001 first_byte=0.020000 total=1.020000 tries=2 in=12 tls="TLS 1.3" tls_name="tiles.example.org" moved=true`},
		"refused": {refused(), false,
			`{"time":"2026-01-02T15:04:05.000000Z","client":"192.0.2.7:5123","method":"POST","target":"/","protocol":"HTTP/1.0","status":429,"bytes_in":0,"bytes_out":0,"end":"refused:queue_full","wait_seconds":1.000000,"total_seconds":1.000000}`,
			`192.0.2.7 - - [02/Jan/2026:15:04:05 +0000] "POST / HTTP/1.0" 429 0 "-" "-" listener="-" host="-" pool="-" backend="-" grant=- end="refused:queue_full" wait=1.000000 connect=- first_byte=- total=1.000000 tries=0 in=0 tls="-" tls_name="-" moved=false`},
		"hostile": {hostile(), false,
			`{"time":"2026-01-02T15:04:05.000000Z","client":"[fe80::1]:1","method":"GET","target":"/\"}\u000D\u000A{\\x5Cx00\\xFF\u0000","protocol":"HTTP/1.1","status":-1,"bytes_in":0,"bytes_out":-1,"end":"unknown","wait_seconds":0.000000,"total_seconds":0.000000,"user_agent":"é\u202E\u2028\u001B[2J\u007F\uDB40\uDC41�\\xED\\xA0\\x80"}`,
			`fe80::1 - - [02/Jan/2026:15:04:05 +0000] "GET /\x22}\x0D\x0A{\x5Cx00\xFF\x00 HTTP/1.1" 000 -1 "-" "\xC3\xA9\xE2\x80\xAE\xE2\x80\xA8\x1B[2J\x7F\xF3\xA0\x81\x81\xEF\xBF\xBD\xED\xA0\x80" listener="-" host="-" pool="-" backend="-" grant=- end="unknown" wait=0.000000 connect=- first_byte=- total=0.000000 tries=0 in=0 tls="-" tls_name="-" moved=false`},
		"nothing": {&Entry{}, true,
			`{"time":"0001-01-01T00:00:00.000000Z","bytes_in":0,"bytes_out":0,"end":"unknown","wait_seconds":0.000000,"total_seconds":0.000000}`,
			`- - - [01/Jan/0001:00:00:00 +0000] "-" 000 0 "-" "-" listener="-" host="-" pool="-" backend="-" grant=- end="unknown" wait=0.000000 connect=- first_byte=- total=0.000000 tries=0 in=0 tls="-" tls_name="-" moved=false`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(appendJSON(nil, c.e, c.drop)); got != c.json+"\n" {
				t.Errorf("JSON:\n%s want:\n%s", got, c.json)
			}
			if got := string(appendCombined(nil, c.e, c.drop)); got != c.combined+"\n" {
				t.Errorf("combined:\n%s want:\n%s", got, c.combined)
			}
		})
	}
}

// TestSecrets: what people send in a place where it can be seen is not written down for more
// to see.
func TestSecrets(t *testing.T) {
	for _, c := range []struct {
		url  string
		drop bool
		want string
	}{
		{"/a?token=1", false, "/a?token=1"},
		{"/a?token=1", true, "/a"},
		{"/a#token=1", true, "/a"},
		{"?token=1", true, ""},
		{"http://u:secret@h/a?b", false, "h/a?b"},
		{"http://u:s@cret@h/a?b", true, "h/a"},
		{"http://u:secret@h?b", false, "h?b"},
		{"http://h/a@b", false, "http://h/a@b"},
		{"/to?u=http://u@h/", false, "/to?u=http://u@h/"},
		{"*", true, "*"},
		{"", true, ""},
	} {
		if got := shown(c.url, c.drop); got != c.want {
			t.Errorf("%q, drop %v: %q, want %q", c.url, c.drop, got, c.want)
		}
	}
	e := &Entry{Method: "GET", Target: "/?secret", Referer: "http://u:secret@h/?secret"}
	for _, line := range [][]byte{appendJSON(nil, e, true), appendCombined(nil, e, true)} {
		if strings.Contains(string(line), "secret") {
			t.Errorf("%s", line)
		}
	}
}

func TestEnds(t *testing.T) {
	seen := map[string]bool{}
	for e := NoEnd; e < ends; e++ {
		if w := e.String(); w == "" || seen[w] {
			t.Errorf("end %d is called %q", e, w)
		} else {
			seen[w] = true
		}
	}
}

// line is a JSON line as programs read it.
type line struct {
	Time      time.Time `json:"time"`
	Listener  string    `json:"listener"`
	Client    string    `json:"client"`
	Method    string    `json:"method"`
	Host      string    `json:"host"`
	Target    string    `json:"target"`
	Protocol  string    `json:"protocol"`
	Status    int       `json:"status"`
	BytesIn   int64     `json:"bytes_in"`
	BytesOut  int64     `json:"bytes_out"`
	Pool      string    `json:"pool"`
	Backend   string    `json:"backend"`
	Grant     string    `json:"grant"`
	End       string    `json:"end"`
	Wait      float64   `json:"wait_seconds"`
	Connect   float64   `json:"connect_seconds"`
	FirstByte float64   `json:"first_byte_seconds"`
	Total     float64   `json:"total_seconds"`
	Tries     int       `json:"tries"`
	UserAgent string    `json:"user_agent"`
	Referer   string    `json:"referer"`
	TLS       string    `json:"tls"`
	TLSName   string    `json:"tls_name"`
	Moved     bool      `json:"moved"`
}

// unescape makes what was sent of what was logged.
func unescape(t *testing.T, s string) string {
	t.Helper()
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, `\`)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		if len(after) < 3 || after[0] != 'x' {
			t.Fatalf("a backslash that escapes nothing: %q", s)
		}
		c, err := strconv.ParseUint(after[1:3], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteByte(byte(c))
		s = after[3:]
	}
}

// FuzzJSON: whatever strangers send, a line is one object, and tells what they sent.
func FuzzJSON(f *testing.F) {
	f.Add("GET", "h", "/", "curl", "r", "queue_full", int64(1), int64(2), 200, uint64(7))
	f.Add("G\"", "\\", "\xff\\xFF\x00\n", "\u202e\U000e0041", "http://u@h", ":", int64(-1), int64(1<<62), -1, uint64(0))
	f.Fuzz(func(t *testing.T, method, host, target, agent, referer, reason string, in, ns int64, status int, number uint64) {
		e := &Entry{
			Time: time.Unix(ns%1e9, ns), Listener: host, Client: netip.AddrPortFrom(netip.IPv6LinkLocalAllNodes().WithZone(agent), uint16(status)),
			Method: method, Host: host, Target: target, Protocol: reason, Status: status, BytesIn: in, BytesOut: ns,
			Pool: fleet.PoolName(agent), Backend: fleet.BackendName(target), Grant: fleet.GrantID{Epoch: number, Number: number}, Tries: status, Moved: status > 0,
			End: End(number), Reason: reason, Wait: time.Duration(ns), Total: time.Duration(in),
			UserAgent: agent, Referer: referer, TLSVersion: uint16(number), TLSName: host,
		}
		b := appendJSON(nil, e, false)
		if !utf8.Valid(b) || strings.Count(string(b), "\n") != 1 || b[len(b)-1] != '\n' {
			t.Fatalf("not one line of UTF-8: %q", b)
		}
		var got line
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%v: %q", err, b)
		}
		compare(t, e, &got)
		b = appendCombined(nil, e, false)
		for i, c := range b[:len(b)-1] {
			if c < ' ' || c > '~' {
				t.Fatalf("byte %d of %q is none for people", i, b)
			}
		}
	})
}

func compare(t *testing.T, e *Entry, got *line) {
	t.Helper()
	end := e.End.String()
	if e.Reason != "" {
		end += ":" + e.Reason
	}
	for _, c := range [][2]string{
		{got.Listener, e.Listener}, {got.Method, e.Method}, {got.Host, e.Host}, {got.Target, shown(e.Target, false)},
		{got.Protocol, e.Protocol}, {got.Pool, string(e.Pool)}, {got.Backend, string(e.Backend)}, {got.End, end},
		{got.UserAgent, e.UserAgent}, {got.Referer, shown(e.Referer, false)}, {got.TLSName, e.TLSName},
		{got.Client, addrPort(e).String()},
	} {
		if back := unescape(t, c[0]); back != c[1] {
			t.Errorf("%q, want %q", back, c[1])
		}
	}
	if e.Grant != (fleet.GrantID{}) && got.Grant != e.Grant.String() || e.TLSVersion != 0 && got.TLS != tls.VersionName(e.TLSVersion) {
		t.Errorf("grant %q, TLS %q of %+v", got.Grant, got.TLS, e)
	}
	if got.Status != e.Status || got.BytesIn != e.BytesIn || got.BytesOut != e.BytesOut || got.Tries != e.Tries || got.Moved != e.Moved {
		t.Errorf("numbers of %+v: %+v", e, got)
	}
	if !got.Time.Equal(e.Time.Truncate(time.Microsecond)) {
		t.Errorf("time %v, want %v", got.Time, e.Time)
	}
	for _, d := range []struct {
		got  float64
		want time.Duration
	}{{got.Wait, e.Wait}, {got.Total, e.Total}} {
		want := max(d.want, 0).Truncate(time.Microsecond)
		if want == 0 && d.want > 0 {
			want = time.Microsecond
		}
		if d.got != float64(want/time.Microsecond)/1e6 {
			t.Errorf("%v seconds, want %v", d.got, want)
		}
	}
}
