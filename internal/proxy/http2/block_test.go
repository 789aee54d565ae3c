package http2

import (
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"

	"github.com/fairlead/fairlead/internal/proxy/http1/message"
)

// read takes fields, which are "name: value", as a request's head. wrong is empty for one that
// is well-formed.
func read(end bool, fields ...string) (head, wrong string) {
	var b block
	b.begin(1, end)
	for _, f := range fields {
		i := strings.Index(f[1:], ": ") + 1
		b.add(hpack.HeaderField{Name: f[:i], Value: f[i+2:]}, 64<<10)
	}
	b.request()
	return string(b.head(nil)), b.wrong
}

func TestRequestHeads(t *testing.T) {
	get := request("GET")
	for _, c := range []struct {
		name   string
		fields []string
		want   string // without the request line; "-": it is malformed
	}{
		{"plain", get, "host: a.example\r\n\r\n"},
		{"fields", append(get, "accept: */*", "x-a: b"), "host: a.example\r\naccept: */*\r\nx-a: b\r\n\r\n"},
		{"cookies are joined", append(get, "cookie: a=b", "x: y", "cookie: c=d"), "host: a.example\r\nx: y\r\ncookie: a=b; c=d\r\n\r\n"},
		{"the same host twice", append(get, "host: A.example"), "host: a.example\r\n\r\n"},
		{"host alone", []string{":method: GET", ":scheme: https", ":path: /", "host: b"}, "host: b\r\n\r\n"},
		{"te: trailers", append(get, "te: trailers"), "host: a.example\r\nte: trailers\r\n\r\n"},
		{"a length twice", append(get, "content-length: 0", "content-length: 0"), "host: a.example\r\ncontent-length: 0\r\n\r\n"},
		{"no host", []string{":method: GET", ":scheme: https", ":path: /"}, "\r\n"},

		{"another host", append(get, "host: b.example"), "-"},
		{"two hosts", append(get, "host: a.example", "host: a.example"), "-"},
		{"upper case", append(get, "X-A: b"), "-"},
		{"no name", append(get, "\x00: b"), "-"},
		{"a blank in a name", append(get, "x a: b"), "-"},
		{"a colon in a name", append(get, "x:a: b"), "-"},
		{"a line end in a value", append(get, "x: a\r\nb: c"), "-"},
		{"a line feed in a value", append(get, "x: a\nb: c"), "-"},
		{"NUL in a value", append(get, "x: a\x00"), "-"},
		{"a blank before a value", append(get, "x:  a"), "-"},
		{"a tab behind a value", append(get, "x: a\t"), "-"},
		{"connection", append(get, "connection: close"), "-"},
		{"transfer-encoding", append(get, "transfer-encoding: chunked"), "-"},
		{"upgrade", append(get, "upgrade: websocket"), "-"},
		{"keep-alive", append(get, "keep-alive: 3"), "-"},
		{"proxy-connection", append(get, "proxy-connection: keep-alive"), "-"},
		{"te: gzip", append(get, "te: trailers, gzip"), "-"},
		{"lengths that differ", append(get, "content-length: 0", "content-length: 1"), "-"},
		{"a malformed length", append(get, "content-length: +1"), "-"},
		{"a body that is promised", append(get, "content-length: 1"), "-"},
		{"a pseudo-field behind a field", append([]string{"x: y"}, get...), "-"},
		{"a pseudo-field twice", append(request("GET"), ":path: /y"), "-"},
		{"an unknown pseudo-field", append(request("GET"), ":protocol: websocket"), "-"},
		{"an answer's pseudo-field", append(request("GET"), ":status: 200"), "-"},
		{"an empty path", []string{":method: GET", ":scheme: http", ":authority: a", ":path: "}, "-"},
		{"no path", []string{":method: GET", ":scheme: http", ":authority: a"}, "-"},
		{"no scheme", []string{":method: GET", ":path: /", ":authority: a"}, "-"},
		{"no method", []string{":scheme: http", ":path: /", ":authority: a"}, "-"},
		{"another scheme", []string{":method: GET", ":scheme: ftp", ":authority: a", ":path: /"}, "-"},
		{"a path without a slash", []string{":method: GET", ":scheme: http", ":authority: a", ":path: x"}, "-"},
		{"an asterisk for GET", []string{":method: GET", ":scheme: http", ":authority: a", ":path: *"}, "-"},
		{"a blank in the path", []string{":method: GET", ":scheme: http", ":authority: a", ":path: /x HTTP/1.1"}, "-"},
		{"a line end in the path", []string{":method: GET", ":scheme: http", ":authority: a", ":path: /x\r\ny: z"}, "-"},
		{"a request line in the method", []string{":method: GET /y HTTP/1.1", ":scheme: http", ":authority: a", ":path: /x"}, "-"},
		{"a line end in the host", []string{":method: GET", ":scheme: http", ":authority: a\r\nx: y", ":path: /x"}, "-"},
		{"CONNECT with a path", request("CONNECT"), "-"},
	} {
		head, wrong := read(true, c.fields...)
		if wrong != "" {
			head = "-"
		} else {
			_, head, _ = strings.Cut(head, "\r\n")
		}
		if head != c.want {
			t.Errorf("%s: %q %s", c.name, head, wrong)
		}
	}
}

func TestRequestLines(t *testing.T) {
	for _, c := range []struct {
		end    bool
		fields []string
		want   string
	}{
		{true, request("GET"), "GET /x HTTP/1.1\r\nhost: a.example\r\n\r\n"},
		{true, request("POST"), "POST /x HTTP/1.1\r\nhost: a.example\r\ncontent-length: 0\r\n\r\n"},
		{true, request("PUT", "content-length: 0"), "PUT /x HTTP/1.1\r\nhost: a.example\r\ncontent-length: 0\r\n\r\n"},
		{false, request("POST"), "POST /x HTTP/1.1\r\nhost: a.example\r\n\r\n"},
		{false, request("POST", "content-length: 3"), "POST /x HTTP/1.1\r\nhost: a.example\r\ncontent-length: 3\r\n\r\n"},
		{true, []string{":method: OPTIONS", ":scheme: http", ":authority: a", ":path: *"}, "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"},
		{true, []string{":method: CONNECT", ":authority: a:443"}, "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n"},
	} {
		if head, wrong := read(c.end, c.fields...); head != c.want || wrong != "" {
			t.Errorf("%q %s, want %q", head, wrong, c.want)
		}
	}
}

// FuzzBlock: of what is not malformed the parser of HTTP/1.1 sees one head, with what was
// said in it and no more, or refuses it.
func FuzzBlock(f *testing.F) {
	f.Add("GET", "http", "a.example", "/x", "accept", "*/*", "x", "y", true)
	f.Add("POST", "https", "a:8080", "/x?y#z", "content-length", "3", "cookie", "a=b", false)
	f.Add("CONNECT", "", "a:443", "", "te", "trailers", "host", "a:443", true)
	f.Add("GET", "http", "a\r\nb: c", "/x HTTP/1.1\r\n", "x", "\r\n\r\nGET / HTTP/1.1", "a b", "\x00", true)
	f.Fuzz(func(t *testing.T, method, scheme, authority, path, name1, value1, name2, value2 string, end bool) {
		var b block
		b.begin(1, end)
		for _, h := range [][2]string{{":method", method}, {":scheme", scheme}, {":authority", authority}, {":path", path}, {name1, value1}, {name2, value2}} {
			if h[0] == ":scheme" && h[1] == "" || h[0] == ":path" && h[1] == "" {
				continue
			}
			b.add(hpack.HeaderField{Name: h[0], Value: h[1]}, 64<<10)
		}
		b.request()
		if b.wrong != "" || b.tooLong {
			return
		}
		head := b.head(nil)
		var req message.Request
		req.Reset()
		done, err := req.Parse(head, &message.Defaults)
		if err != nil {
			return
		}
		if !done || req.Size != len(head) {
			t.Fatalf("not one head: %q", head)
		}
		if string(req.Method()) != method || string(req.Target()) != path || req.Chunked || req.Upgrade || len(req.Fields) > 5 {
			t.Fatalf("%q: method %q, target %q, %d fields", head, req.Method(), req.Target(), len(req.Fields))
		}
		if authority != "" && string(req.Host()) != authority {
			t.Fatalf("%q: host %q", head, req.Host())
		}
	})
}

// FuzzFrame: a frame is no longer than what it came in, and its content no longer than it.
func FuzzFrame(f *testing.F) {
	f.Add([]byte{0, 0, 1, kindData, flagPadded, 0, 0, 0, 1, 0})
	f.Add([]byte{0, 0, 6, kindHeaders, flagPadded | flagPriority, 0, 0, 0, 1, 0, 0, 0, 0, 1, 9})
	f.Add([]byte{0, 0, 5, kindPriority, 0, 0x80, 0, 0, 1, 0, 0, 0, 1, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, size, err := parseFrame(b)
		if err != nil || size == 0 {
			return
		}
		if size != frameHeader+len(fr.payload) || size > len(b) || fr.stream > maxInt31 {
			t.Fatalf("%+v of %d bytes", fr, size)
		}
		if p, err := fr.content(); err == nil {
			if len(p) > len(fr.payload) {
				t.Fatalf("%d bytes of %d", len(p), len(fr.payload))
			}
			if fr.kind == kindHeaders || fr.kind == kindPriority && len(fr.payload) == 5 {
				fr.dependsOnItself()
			}
		}
	})
}
