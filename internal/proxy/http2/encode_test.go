package http2

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"

	"github.com/fairlead/fairlead/internal/proxy/http1/message"
)

// decode reads a header block with another's decoder.
func decode(t *testing.T, block []byte) []hpack.HeaderField {
	t.Helper()
	fields, err := hpack.NewDecoder(4096, nil).DecodeFull(block)
	if err != nil {
		t.Fatalf("a block that cannot be decoded: %v\n%x", err, block)
	}
	return fields
}

func TestHeadOfAnswer(t *testing.T) {
	long := strings.Repeat("v", 3000)
	for _, c := range []struct {
		head, want    string
		informational bool
	}{
		{"HTTP/1.1 200 OK\r\n", ":status=200", false},
		{"HTTP/1.1 100 Continue\r\n", ":status=100", true},
		{"HTTP/1.1 999\r\n", ":status=999", false},
		{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nX-Own:  a b \r\n", ":status=404 content-length=0 x-own=a b", false},
		{"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nETag: \"a:b\"\r\n", ":status=200 etag=\"a:b\"", false},
		{"HTTP/1.1 200 OK\r\nVia: 1.1 a\r\nWWW-Authenticate: x\r\nEmpty:\r\n", ":status=200 via=1.1 a www-authenticate=x empty=", false},
		{"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n", ":status=200 set-cookie!=a=b set-cookie!=c=d", false},
		{"HTTP/1.1 200 OK\r\nLong: " + long + "\r\n", ":status=200 long=" + long, false},
		{"HTTP/1.1 200 OK\r\n" + strings.Repeat("N", 80) + ": x\r\n", ":status=200 " + strings.Repeat("n", 80) + "=x", false},
	} {
		block, informational := appendHead(nil, []byte(c.head))
		var got []string
		for _, f := range decode(t, block) {
			mark := ""
			if f.Sensitive {
				mark = "!"
			}
			got = append(got, f.Name+mark+"="+f.Value)
		}
		if all := strings.Join(got, " "); all != c.want || informational != c.informational {
			t.Errorf("%.60q: %.200q, informational: %v", c.head, all, informational)
		}
	}
}

// TestStaticTable: each name that has an index there is the one that a decoder finds.
func TestStaticTable(t *testing.T) {
	for name, i := range nameIndex {
		fields := decode(t, appendText(appendInt(nil, literal, 4, int(i)), []byte("v")))
		if len(fields) != 1 || fields[0].Name != name || fields[0].Value != "v" {
			t.Errorf("%s has index %d, which is %v", name, i, fields)
		}
	}
	for status := 100; status < 1000; status++ {
		digits := fmt.Sprint(status)
		if fields := decode(t, appendStatus(nil, []byte(digits))); len(fields) != 1 || fields[0].Name != ":status" || fields[0].Value != digits {
			t.Errorf("status %d is read as %v", status, fields)
		}
	}
}

// FuzzAnswer: what a parser of answers takes is what a client reads.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "HTTP/1.1 304 \r\nETag: x\r\nSet-Cookie: a\r\n\r\n", "HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n",
		"HTTP/1.1 500\r\nX: \xff\t\r\nConnection: x\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		var res message.Response
		res.Reset()
		if done, err := res.Parse(head, &message.Defaults, false); err != nil || !done {
			return
		}
		block, informational := appendHead(nil, head[:res.Size-2])
		fields := decode(t, block)
		if fields[0].Name != ":status" || fields[0].Value != fmt.Sprint(res.Status) || informational != (res.Status < 200) {
			t.Fatalf("status %d became %v", res.Status, fields[0])
		}
		fields = fields[1:]
		for i := range res.Fields {
			field := &res.Fields[i]
			if field.Known == message.Connection || field.Known == message.TransferEncoding {
				continue
			}
			if len(fields) == 0 {
				t.Fatalf("%q is missing", res.Name(field))
			}
			if fields[0].Name != strings.ToLower(string(res.Name(field))) || fields[0].Value != string(bytes.Trim(res.Value(field), " \t")) {
				t.Fatalf("%q: %q became %v", res.Name(field), res.Value(field), fields[0])
			}
			fields = fields[1:]
		}
		if len(fields) > 0 {
			t.Fatalf("more than there was: %v", fields)
		}
	})
}
