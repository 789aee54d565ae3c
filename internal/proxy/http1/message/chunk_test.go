package message_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/proxy/http1/message"
)

// unchunk reads a body as it would come in pieces of some bytes each.
func unchunk(raw []byte, piece int) (body []byte, rest int, done bool, err *message.Error) {
	var c message.Chunks
	c.Reset()
	have := []byte(nil)
	for {
		data, used, err := c.Next(have)
		if err != nil {
			return body, 0, false, err
		}
		body = append(body, data...)
		have = have[used:]
		if c.Done() {
			return body, len(have) + len(raw), true, nil
		}
		if used > 0 {
			continue
		}
		if len(raw) == 0 {
			return body, 0, false, nil
		}
		n := min(piece, len(raw))
		have, raw = append(bytes.Clone(have), raw[:n]...), raw[n:]
	}
}

func TestChunks(t *testing.T) {
	raw := crlf("5\nhello\n1;a=b;c=\"d e\"\n,\n006;x\n world\n0\nChecksum: abc\n\n") + "GET"
	for piece := 1; piece <= len(raw); piece++ {
		body, rest, done, err := unchunk([]byte(raw), piece)
		if err != nil || !done || string(body) != "hello, world" || rest != 3 {
			t.Errorf("in pieces of %d: %q, %d behind it, done %v, %v", piece, body, rest, done, err)
		}
	}
	var c message.Chunks
	c.Reset()
	if _, _, err := c.Next([]byte(crlf("0\nChecksum: abc\n\n"))); err != nil || !c.Done() {
		t.Fatal(err)
	}
	if f := c.Trailers().Find("checksum"); f == nil || string(c.Trailers().Value(f)) != "abc" {
		t.Errorf("trailers: %+v", c.Trailers().Fields)
	}
}

func TestRefusedChunks(t *testing.T) {
	for raw, want := range map[string]*message.Error{
		"\n":                                 message.ErrChunk,
		" 5\n":                               message.ErrChunk,
		"-5\n":                               message.ErrChunk,
		"+5\n":                               message.ErrChunk,
		"0x5\n":                              message.ErrChunk,
		"5 \n":                               message.ErrChunk,
		"5 a\n":                              message.ErrChunk,
		"5 ;a\n":                             message.ErrChunk,
		"5;\x00\n":                           message.ErrChunk,
		"5;a\rb\n":                           message.ErrChunk,
		"1\nab\n":                            message.ErrChunk,
		"FFFFFFFFFFFFFFFF\n":                 message.ErrChunk,
		"5;" + strings.Repeat("a", 300):      message.ErrChunkLine,
		"0\nContent-Length: 5\n\n":           message.ErrTrailer,
		"0\nTransfer-Encoding: chunked\n\n":  message.ErrTrailer,
		"0\nHost: a\n\n":                     message.ErrTrailer,
		"0\nA : b\n\n":                       message.ErrName,
		"0\n" + strings.Repeat("A: b\n", 40): message.ErrFields,
	} {
		if _, _, _, err := unchunk([]byte(crlf(raw)), 1<<20); err != want {
			t.Errorf("%.40q: %v, want %v", raw, err, want)
		}
	}
	for _, raw := range []string{"5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "0\r\n\n"} {
		if _, _, _, err := unchunk([]byte(raw), 1); err == nil {
			t.Errorf("%q is taken", raw)
		}
	}
}

func FuzzChunks(f *testing.F) {
	f.Add([]byte(crlf("5\nhello\n0\n\n")), 3)
	f.Add([]byte(crlf("a;b=c\n0123456789\n0\nA: b\n\nrest")), 1)
	f.Fuzz(func(t *testing.T, raw []byte, piece int) {
		body, _, done, err := unchunk(raw, max(len(raw), 1))
		again, _, done2, err2 := unchunk(raw, max(piece, 1))
		if done != done2 || (err == nil) != (err2 == nil) || err == nil && !bytes.Equal(body, again) {
			t.Fatalf("whole: %q %v %v, in pieces: %q %v %v", body, done, err, again, done2, err2)
		}
		if !done || err != nil {
			return
		}
		std, stdErr := io.ReadAll(httputil.NewChunkedReader(bufio.NewReader(bytes.NewReader(raw))))
		if stdErr != nil || !bytes.Equal(std, body) {
			t.Fatalf("net/http reads %q (%v) of %q, we %q", std, stdErr, raw, body)
		}
	})
}
