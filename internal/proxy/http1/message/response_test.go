package message_test

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/proxy/http1/corpus"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
)

func answer(t *testing.T, raw string, head bool) (*message.Response, *message.Error) {
	t.Helper()
	r := new(message.Response)
	r.Reset()
	done, err := r.Parse([]byte(raw), &message.Defaults, head)
	if err == nil && !done {
		t.Fatalf("not complete: %q", raw)
	}
	return r, err
}

func TestResponse(t *testing.T) {
	for _, c := range []struct {
		raw    string
		head   bool
		status int
		reason string
		length int64
		toEnd  bool
		closes bool
	}{
		{"HTTP/1.1 200 OK\nContent-Length: 5\n\n", false, 200, "OK", 5, false, false},
		{"HTTP/1.1 200\nContent-Length: 0\n\n", false, 200, "", 0, false, false},
		{"HTTP/1.1 200 \nContent-Length: 0\n\n", false, 200, "", 0, false, false},
		{"HTTP/1.1 200 Nicely done\nTransfer-Encoding: Chunked\n\n", false, 200, "Nicely done", -1, false, false},
		{"HTTP/1.1 200 OK\n\n", false, 200, "OK", -1, true, true},
		{"HTTP/1.0 200 OK\nContent-Length: 5\n\n", false, 200, "OK", 5, false, true},
		{"HTTP/1.1 200 OK\nContent-Length: 5\n\n", true, 200, "OK", 0, false, false},
		{"HTTP/1.1 304 Not Modified\nContent-Length: 5\n\n", false, 304, "Not Modified", 0, false, false},
		{"HTTP/1.1 204 No Content\n\n", false, 204, "No Content", 0, false, false},
		{"HTTP/1.1 103 Early Hints\nLink: a\n\n", false, 103, "Early Hints", 0, false, false},
	} {
		r, err := answer(t, crlf(c.raw), c.head)
		if err != nil {
			t.Errorf("%q: %v", c.raw, err)
			continue
		}
		if r.Status != c.status || string(r.Reason()) != c.reason || r.Length != c.length || r.ToEnd() != c.toEnd || r.Close != c.closes {
			t.Errorf("%q: %+v", c.raw, r)
		}
	}
}

func TestRefusedResponses(t *testing.T) {
	ok := "HTTP/1.1 200 OK\n"
	for raw, want := range map[string]*message.Error{
		"HTTP/1.1 20 OK\n\n":                                     message.ErrStatusLine,
		"HTTP/1.1 099 OK\n\n":                                    message.ErrStatusLine,
		"HTTP/1.1 2000 OK\n\n":                                   message.ErrStatusLine,
		"HTTP/1.1  200 OK\n\n":                                   message.ErrStatusLine,
		"HTTP/2.0 200 OK\n\n":                                    message.ErrStatusLine,
		"HTTP/1.1 200 O\x00\n\n":                                 message.ErrStatusLine,
		"\n" + ok + "\n":                                         message.ErrEmptyLines,
		ok + "Content-Length: 1\nContent-Length: 1\n\n":          message.ErrLength,
		ok + "Content-Length: 1\nTransfer-Encoding: chunked\n\n": message.ErrFraming,
		ok + "Transfer-Encoding: gzip\n\n":                       message.ErrNotChunked,
		ok + "A: b\n c\n\n":                                      message.ErrFold,
		"HTTP/1.1 204 No\nContent-Length: 1\n\n":                 message.ErrUnexpected,
		"HTTP/1.1 204 No\nTransfer-Encoding: chunked\n\n":        message.ErrUnexpected,
		"HTTP/1.1 100 Continue\nTransfer-Encoding: chunked\n\n":  message.ErrUnexpected,
	} {
		if _, err := answer(t, crlf(raw), false); err != want {
			t.Errorf("%q: %v, want %v", raw, err, want)
		}
	}
}

func FuzzResponse(f *testing.F) {
	for _, raw := range []string{
		"HTTP/1.1 200 OK\nContent-Length: 5\n\n", "HTTP/1.1 200\n\n", "HTTP/1.0 302 Found\nLocation: /a\nConnection: keep-alive\n\n",
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: a\n\n", "HTTP/1.1 304 a\nContent-Length: 5\n\n",
	} {
		f.Add([]byte(crlf(raw)), false)
	}
	all, err := corpus.Answers()
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range all {
		f.Add(c.Answer, false)
	}
	f.Fuzz(func(t *testing.T, raw []byte, head bool) {
		r := new(message.Response)
		r.Reset()
		done, err := r.Parse(raw, &message.Defaults, head)
		if !done || err != nil {
			return
		}
		method := "GET"
		if head {
			method = "HEAD"
		}
		std, stdErr := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), &http.Request{Method: method})
		if stdErr != nil {
			t.Fatalf("net/http refuses %q: %v", raw, stdErr)
		}
		if std.StatusCode != r.Status || std.ProtoMinor != int(r.Minor) {
			t.Fatalf("net/http reads %+v of %q", std, raw)
		}
		if !head && r.Status != 304 && r.Status >= 200 && std.ContentLength != r.Length {
			t.Fatalf("net/http: length %d of %q, we %d", std.ContentLength, raw, r.Length)
		}
		for name, values := range std.Header {
			if f := r.Find(strings.ToLower(name)); f == nil || string(r.Value(f)) != values[0] {
				t.Fatalf("net/http has %s: %q of %q", name, values, raw)
			}
		}
	})
}
