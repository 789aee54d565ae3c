package message_test

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/proxy/http1/corpus"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
)

// crlf writes line ends as a test has them: each "\n" is CRLF, unless it says otherwise.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func parse(t *testing.T, raw string) (*message.Request, *message.Error) {
	t.Helper()
	r := new(message.Request)
	r.Reset()
	done, err := r.Parse([]byte(raw), &message.Defaults)
	if err == nil && !done {
		t.Fatalf("not complete: %q", raw)
	}
	return r, err
}

func TestRequest(t *testing.T) {
	r, err := parse(t, crlf("POST http://Example.org:8080/a%20b/c?d=%zz HTTP/1.1\nHost: example.ORG:8080\n"+
		"Content-Length:  12\t\nConnection: close, X-Hop\nX-Hop: 1\nTE: trailers\nEmpty:\n\nbody"))
	if err != nil {
		t.Fatal(err)
	}
	if !r.Is("POST") || string(r.Target()) != "/a%20b/c?d=%zz" || string(r.Path()) != "/a%20b/c" {
		t.Errorf("%s %s, path %s", r.Method(), r.Target(), r.Path())
	}
	if string(r.Host()) != "Example.org:8080" || r.Length != 12 || r.Chunked || !r.Close || !r.Trailers || r.Minor != 1 {
		t.Errorf("host %q, length %d, %+v", r.Host(), r.Length, r)
	}
	if f := r.Find("x-hop"); f == nil || !f.Dropped || string(r.Name(f)) != "X-Hop" || string(r.Value(f)) != "1" {
		t.Errorf("X-Hop: %+v", f)
	}
	if f := r.Find("empty"); f == nil || len(r.Value(f)) != 0 {
		t.Errorf("Empty: %+v", f)
	}
	if f := r.Get(message.ContentLength); f == nil || string(r.Value(f)) != "12" {
		t.Errorf("Content-Length: %+v", f)
	}
}

func TestConnectionOfOldRequests(t *testing.T) {
	for raw, closes := range map[string]bool{
		"GET / HTTP/1.0\n\n":                                            true,
		"GET / HTTP/1.0\nConnection: keep-alive\n\n":                    false,
		"GET / HTTP/1.0\nConnection: keep-alive, close\n\n":             true,
		"GET / HTTP/1.0\nConnection: close\nConnection: Keep-Alive\n\n": true,
		"GET / HTTP/1.1\nHost: a\n\n":                                   false,
		"GET / HTTP/1.1\nHost: a\nConnection: Close\n\n":                true,
	} {
		if r, err := parse(t, crlf(raw)); err != nil || r.Close != closes {
			t.Errorf("%q: close %v, %v", raw, r.Close, err)
		}
	}
}

func TestFramingFieldsStay(t *testing.T) {
	r, err := parse(t, crlf("POST / HTTP/1.1\nHost: a\nContent-Length: 1\nConnection: host, content-length, cookie\nCookie: x\n\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Fields {
		if f.Dropped != (string(r.Name(&f)) == "Cookie") {
			t.Errorf("%s: dropped %v", r.Name(&f), f.Dropped)
		}
	}
}

func TestUpgrade(t *testing.T) {
	for value, want := range map[string]bool{
		"websocket": true, "h2c": false, "websocket, h2c": false, "H2C": false, "a/1, b": true,
	} {
		r, err := parse(t, crlf("GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: "+value+"\n\n"))
		if err != nil || r.Upgrade != want {
			t.Errorf("%s: %v, %v", value, r.Upgrade, err)
		}
	}
	if r, err := parse(t, crlf("GET / HTTP/1.1\nHost: a\nUpgrade: websocket\n\n")); err != nil || r.Upgrade {
		t.Errorf("without Connection: upgrade %v, %v", r.Upgrade, err)
	}
	if r, err := parse(t, crlf("GET / HTTP/1.0\nConnection: upgrade\nUpgrade: websocket\n\n")); err != nil || r.Upgrade {
		t.Errorf("HTTP/1.0: upgrade %v, %v", r.Upgrade, err)
	}
}

func TestExpect(t *testing.T) {
	for raw, want := range map[string]bool{
		"POST / HTTP/1.1\nHost: a\nContent-Length: 1\nExpect: 100-Continue\n\n": true,
		"POST / HTTP/1.1\nHost: a\nContent-Length: 0\nExpect: 100-continue\n\n": false,
		"POST / HTTP/1.0\nContent-Length: 1\nExpect: 100-continue\n\n":          false,
	} {
		if r, err := parse(t, crlf(raw)); err != nil || r.Expect != want {
			t.Errorf("%q: %v, %v", raw, r.Expect, err)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	get := "GET / HTTP/1.1\nHost: a\n"
	for raw, want := range map[string]*message.Error{
		"GET / HTTP/1.1\x00\n\n":                                  message.ErrVersion,
		"GET / HTTP/1.2\n\n":                                      message.ErrVersion,
		"GET / HTTP/2.0\n\n":                                      message.ErrVersion,
		"GET / http/1.1\n\n":                                      message.ErrStart,
		"GET /\n\n":                                               message.ErrStart,
		"GET\n\n":                                                 message.ErrStart,
		" GET / HTTP/1.1\n\n":                                     message.ErrStart,
		"GET  / HTTP/1.1\n\n":                                     message.ErrTarget,
		"GET /a b HTTP/1.1\n\n":                                   message.ErrTarget,
		"G\tT / HTTP/1.1\n\n":                                     message.ErrMethod,
		strings.Repeat("A", 33) + " / HTTP/1.1\n\n":               message.ErrMethod,
		"CONNECT a:443 HTTP/1.1\n\n":                              message.ErrConnect,
		"GET a HTTP/1.1\n\n":                                      message.ErrTarget,
		"GET * HTTP/1.1\n\n":                                      message.ErrTarget,
		"GET ftp://a/ HTTP/1.1\n\n":                               message.ErrTarget,
		"GET http:///a HTTP/1.1\n\n":                              message.ErrTarget,
		"GET http://u@a/ HTTP/1.1\nHost: u@a\n\n":                 message.ErrTarget,
		"GET /#a HTTP/1.1\n\n":                                    message.ErrTarget,
		"GET /\xff HTTP/1.1\n\n":                                  message.ErrTarget,
		"GET /%2 HTTP/1.1\n\n":                                    message.ErrTarget,
		"GET /%zz HTTP/1.1\n\n":                                   message.ErrTarget,
		"GET / HTTP/1.1\n\n":                                      message.ErrHost,
		get + "Host: a\n\n":                                       message.ErrHost,
		"GET / HTTP/1.1\nHost: a b\n\n":                           message.ErrHost,
		"GET / HTTP/1.1\nHost: a@b\n\n":                           message.ErrHost,
		"GET / HTTP/1.1\nHost: a/b\n\n":                           message.ErrHost,
		"GET / HTTP/1.1\nHost: a:b\n\n":                           message.ErrHost,
		"GET / HTTP/1.1\nHost: a:123456\n\n":                      message.ErrHost,
		"GET / HTTP/1.1\nHost: [::1\n\n":                          message.ErrHost,
		"GET / HTTP/1.1\nHost: [::g]\n\n":                         message.ErrHost,
		"GET http://b/ HTTP/1.1\nHost: a\n\n":                     message.ErrHost,
		get + "A : b\n\n":                                         message.ErrName,
		get + ": b\n\n":                                           message.ErrName,
		get + "A\n\n":                                             message.ErrName,
		get + "A: b\n c\n\n":                                      message.ErrFold,
		get + "A: b\x00\n\n":                                      message.ErrValue,
		get + "A: b\x7f\n\n":                                      message.ErrValue,
		get + "A: b\rc\n\n":                                       message.ErrValue,
		get + "Content-Length: 1\nContent-Length: 1\n\n":          message.ErrLength,
		get + "Content-Length: 1, 1\n\n":                          message.ErrLength,
		get + "Content-Length: +1\n\n":                            message.ErrLength,
		get + "Content-Length: -1\n\n":                            message.ErrLength,
		get + "Content-Length: 0x1\n\n":                           message.ErrLength,
		get + "Content-Length:\n\n":                               message.ErrLength,
		get + "Content-Length: 9999999999999999999\n\n":           message.ErrLength,
		get + "Content-Length: 1\nTransfer-Encoding: chunked\n\n": message.ErrFraming,
		get + "Transfer-Encoding: gzip, chunked\n\n":              message.ErrCoding,
		get + "Transfer-Encoding: chunked, gzip\n\n":              message.ErrNotChunked,
		get + "Transfer-Encoding: chunked, chunked\n\n":           message.ErrNotChunked,
		get + "Transfer-Encoding: identity\n\n":                   message.ErrNotChunked,
		get + "Transfer-Encoding: \"chunked\"\n\n":                message.ErrNotChunked,
		get + "Transfer-Encoding:\n\n":                            message.ErrNotChunked,
		get + "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n":    message.ErrNotChunked,
		"POST / HTTP/1.0\nTransfer-Encoding: chunked\n\n":                     message.ErrOldCoding,
		get + "Connection: a b\n\n":                                           message.ErrConnection,
		get + "Expect: 200-ok\n\n":                                            message.ErrExpect,
		get + "Connection: upgrade\nUpgrade: a b\n\n":                         message.ErrUpgrade,
		get + strings.Repeat("A: b\n", 128) + "\n":                            message.ErrFields,
		"GET /" + strings.Repeat("a", 9000) + " HTTP/1.1\n\n":                 message.ErrLine,
		get + "A: " + strings.Repeat("a", 17000) + "\n\n":                     message.ErrField,
		get + strings.Repeat("A: "+strings.Repeat("a", 16000)+"\n", 5) + "\n": message.ErrHead,
		"\n\n" + get + "\n":                                                   message.ErrEmptyLines,
	} {
		if _, err := parse(t, crlf(raw)); err != want {
			t.Errorf("%.80q: %v, want %v", raw, err, want)
		}
	}
	for _, raw := range []string{"GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "\nGET / HTTP/1.1\r\n"} {
		if _, err := parse(t, raw); err != message.ErrLineEnd {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

// TestEarlyRefusals: what can become no request is refused before its end has come.
func TestEarlyRefusals(t *testing.T) {
	for _, raw := range []string{
		"\x16\x03\x01\x00\n", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nA : b\r\n",
		strings.Repeat("a", 9000), "GET / HTTP/1.1\r\n" + strings.Repeat("a", 17000),
	} {
		r := new(message.Request)
		r.Reset()
		if _, err := r.Parse([]byte(raw), &message.Defaults); err == nil {
			t.Errorf("%.40q is waited for", raw)
		}
	}
}

func FuzzRequest(f *testing.F) {
	for _, raw := range []string{
		"GET / HTTP/1.1\nHost: a\n\n", "POST /a?b HTTP/1.1\nHost: a:1\nContent-Length: 3\n\nabc",
		"PUT http://a/ HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n", "OPTIONS * HTTP/1.0\n\n",
		"GET / HTTP/1.1\nHost: [::1]:80\nConnection: close, x\nX: \xff\n\n", "GET //a HTTP/1.1\nHost:\n\n",
		"GET http://a?b HTTP/1.1\nHost: a\n\n",
	} {
		f.Add([]byte(crlf(raw)), 7)
	}
	all, err := corpus.Requests()
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range all {
		f.Add(c.Sent, 3)
	}
	f.Fuzz(func(t *testing.T, raw []byte, split int) {
		whole, inPieces := new(message.Request), new(message.Request)
		whole.Reset()
		done, err := whole.Parse(raw, &message.Defaults)
		split = min(max(split, 1), max(len(raw), 1))
		inPieces.Reset()
		again, err2 := false, (*message.Error)(nil)
		for n := split; !again && err2 == nil; n += split {
			again, err2 = inPieces.Parse(bytes.Clone(raw[:min(n, len(raw))]), &message.Defaults)
			if n >= len(raw) {
				break
			}
		}
		if done != again || err != err2 && (err == nil || err2 == nil) {
			t.Fatalf("whole: %v, %v; in pieces: %v, %v", done, err, again, err2)
		}
		if !done || err != nil {
			return
		}
		same(t, whole, bytes.TrimPrefix(raw, []byte("\r\n")))
	})
}

// same checks that net/http reads the same request.
func same(t *testing.T, r *message.Request, raw []byte) {
	t.Helper()
	std, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatalf("net/http refuses %q: %v", raw, err)
	}
	path, err := url.PathUnescape(string(r.Path()))
	if err != nil {
		t.Fatal(err)
	}
	if std.Method != string(r.Method()) || std.Host != string(r.Host()) && std.Host != "" || std.ProtoMinor != int(r.Minor) ||
		std.ContentLength != r.Length || std.Close != r.Close || std.URL.Path != path {
		t.Fatalf("net/http reads %+v of %q, we %+v", std, raw, r)
	}
	if (len(std.TransferEncoding) > 0) != r.Chunked {
		t.Fatalf("net/http: codings %v of %q", std.TransferEncoding, raw)
	}
	fields := 0
	for name, values := range std.Header {
		fields += len(values)
		if f := r.Find(strings.ToLower(name)); f == nil || string(r.Value(f)) != values[0] {
			t.Fatalf("net/http has %s: %q of %q", name, values, raw)
		}
	}
	for _, f := range r.Fields {
		if f.Known == message.Host || f.Known == message.TransferEncoding || f.Known == message.Trailer && r.Chunked {
			fields++ // net/http takes them out
		}
	}
	if fields != len(r.Fields) && r.Get(message.Connection) == nil {
		t.Fatalf("net/http has %d fields of %q, we %d", fields, raw, len(r.Fields))
	}
}

func BenchmarkRequest(b *testing.B) {
	raw := []byte(crlf("GET /api/v1/things?page=2 HTTP/1.1\nHost: www.example.org\nUser-Agent: curl/8.0\nAccept: */*\n" +
		"Accept-Encoding: gzip, deflate\nCookie: session=0123456789abcdef\n\n"))
	r := new(message.Request)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset()
		if done, err := r.Parse(raw, &message.Defaults); !done || err != nil {
			b.Fatal(done, err)
		}
	}
}
