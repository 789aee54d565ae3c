package hello

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// said returns the first bytes of a TLS client.
func said(tb testing.TB, c *tls.Config) []byte {
	tb.Helper()
	client, server := net.Pipe()
	defer server.Close()
	c.InsecureSkipVerify = true
	go func() {
		_ = tls.Client(client, c).Handshake()
		client.Close()
	}()
	b := make([]byte, Max)
	n, err := server.Read(b)
	if err != nil {
		tb.Fatal(err)
	}
	return b[:n]
}

// oracle is what the standard library makes of a client's first bytes. heard: it has come to
// the end of a hello that it takes.
func oracle(first []byte) (name string, heard bool) {
	errSeen := errors.New("seen")
	_ = tls.Server(only{bytes.NewReader(first)}, &tls.Config{
		GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			name, heard = h.ServerName, true
			return nil, errSeen
		},
	}).Handshake() // always fails
	return name, heard
}

// only is a connection of which only what was said is there.
type only struct{ io.Reader }

func (only) Write(p []byte) (int, error)      { return len(p), nil }
func (only) Close() error                     { return nil }
func (only) LocalAddr() net.Addr              { return nil }
func (only) RemoteAddr() net.Addr             { return nil }
func (only) SetDeadline(time.Time) error      { return nil }
func (only) SetReadDeadline(time.Time) error  { return nil }
func (only) SetWriteDeadline(time.Time) error { return nil }

// records spreads a hello of one record over records of n bytes.
func records(b []byte, n int) []byte {
	var out []byte
	for rest := b[recordHeader:]; len(rest) > 0; {
		part := rest[:min(n, len(rest))]
		rest = rest[len(part):]
		out = append(out, b[0], b[1], b[2], byte(len(part)>>8), byte(len(part)))
		out = append(out, part...)
	}
	return out
}

// with returns a hello with these extensions and nothing else.
func with(extensions ...[]byte) []byte {
	m := append([]byte{3, 3}, make([]byte, 32)...)
	m = append(m, 0, 0, 2, 0x13, 0x01, 1, 0)
	m = appendPart(m, bytes.Join(extensions, nil))
	return framed(m)
}

// framed puts a message's header and a record's before it.
func framed(m []byte) []byte {
	m = append([]byte{messageHello, 0, byte(len(m) >> 8), byte(len(m))}, m...)
	return append([]byte{recordHandshake, 3, 1, byte(len(m) >> 8), byte(len(m))}, m...)
}

func appendPart(b, part []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(part))), part...)
}

// named is a server name extension that holds names of these types.
func named(kind byte, names ...string) []byte {
	var list []byte
	for _, n := range names {
		list = appendPart(append(list, kind), []byte(n))
	}
	return appendPart([]byte{0, extensionServerName}, appendPart(nil, list))
}

func TestServerName(t *testing.T) {
	b := said(t, &tls.Config{ServerName: "DB.example.org"})
	bare := framed(append(append([]byte{3, 1}, make([]byte, 32)...), 0, 0, 2, 0, 5, 1, 0))
	for what, c := range map[string]struct {
		first []byte
		want  string
	}{
		"a hello":                   {b, "db.example.org"},
		"and more":                  {append(bytes.Clone(b), "more"...), "db.example.org"},
		"records of a byte":         {records(b, 1), "db.example.org"},
		"records of seven":          {records(b, 7), "db.example.org"},
		"without a name":            {said(t, &tls.Config{}), ""},
		"without extensions":        {bare, ""},
		"one extension, underscore": {with(named(0, "a_b.c")), "a_b.c"},
	} {
		if got, err := ServerName(c.first); err != nil || got != c.want {
			t.Errorf("%s: the name is %q, %v; want %q", what, got, err, c.want)
		}
	}
}

// TestShort: each beginning of a hello is one, and not a hello of another name.
func TestShort(t *testing.T) {
	b := said(t, &tls.Config{ServerName: "db.example.org"})
	for _, b := range [][]byte{b, records(b, 5)} {
		for n := range len(b) {
			if name, err := ServerName(b[:n]); !errors.Is(err, ErrShort) {
				t.Fatalf("the first %d bytes: %q, %v", n, name, err)
			}
		}
	}
}

func TestBad(t *testing.T) {
	b := said(t, &tls.Config{ServerName: "db.example.org"})
	change := func(at int, to byte) []byte {
		c := bytes.Clone(b)
		c[at] = to
		return c
	}
	for what, first := range map[string][]byte{
		"another record version":    change(1, 2),
		"an empty record":           {22, 3, 1, 0, 0},
		"a record that is too long": {22, 3, 1, 0xff, 0xff},
		"another message":           change(5, 2),
		"a long message":            change(6, 1),
		"SSL 2":                     change(9, 2),
		"a long session":            change(9+2+32, 200),
		"an alert in its midst":     append(records(b, 9)[:14], 21, 3, 1, 0, 2, 1, 0),
		"two names":                 with(named(0, "a.org", "b.org")),
		"a name of another type":    with(named(1, "a.org")),
		"the extension twice":       with(named(0, "a.org"), named(0, "a.org")),
		"an empty list":             with(named(0)),
		"an empty name":             with(named(0, "")),
		"a dot at the end":          with(named(0, "a.org.")),
		"a NUL":                     with(named(0, "a.org\x00.b.org")),
		"a port":                    with(named(0, "a.org:443")),
		"an IPv6 address":           with(named(0, "::1")),
		"an empty label":            with(named(0, "a..org")),
		"a long label":              with(named(0, strings.Repeat("a", 64)+".org")),
		"a long name":               with(named(0, strings.Repeat("a.", 127)+"org")),
		"an extension cut short":    with([]byte{0, 0, 0, 9, 1}),
		"too many small records":    records(append(bytes.Clone(b[:9]), make([]byte, Max)...), 1)[:Max],
	} {
		if name, err := ServerName(first); !errors.Is(err, ErrBad) {
			t.Errorf("%s: %q, %v; want it to be bad", what, name, err)
		}
	}
	for _, first := range []string{"GET / HTTP/1.1\r\n\r\n", "\x80\x2e\x01\x03\x01", "\x00", "SSH-2.0-x"} {
		if name, err := ServerName([]byte(first)); err != ErrNotTLS {
			t.Errorf("%q: %q, %v; want it not to be TLS", first, name, err)
		}
	}
}

// FuzzServerName: where a name is read, the standard library reads the same one, and more
// bytes do not change it; where the library takes a hello, ours is that or refused, and never
// another name.
func FuzzServerName(f *testing.F) {
	b := said(f, &tls.Config{ServerName: "db.example.org"})
	for _, seed := range [][]byte{
		b, b[:len(b)/2], records(b, 1), records(b, 100), said(f, &tls.Config{}),
		said(f, &tls.Config{ServerName: "x.org", NextProtos: []string{"h2"}, MaxVersion: tls.VersionTLS12}),
		with(named(0, "a.org")), with(named(0, "a.org", "b.org")), with(named(0, "a."), named(0, "b")),
		{22, 3, 1, 255, 255}, []byte("GET / HTTP/1.1\r\n\r\n"),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, first []byte) {
		name, err := ServerName(first)
		want, heard := oracle(first)
		switch {
		case err == nil && heard && name != strings.ToLower(want):
			t.Errorf("the name is %q, and a server reads %q", name, want)
		case errors.Is(err, ErrShort) && heard:
			t.Errorf("more bytes are wanted, and a server has heard all, with the name %q", want)
		case errors.Is(err, ErrNotTLS) && heard:
			t.Errorf("it is not TLS, and a server takes it, with the name %q", want)
		}
		if err != nil && !errors.Is(err, ErrShort) && !errors.Is(err, ErrNotTLS) && !errors.Is(err, ErrBad) {
			t.Errorf("an error of no kind: %v", err)
		}
		if more, again := ServerName(append(bytes.Clone(first), 0, 1, 2)); err == nil && (again != nil || more != name) {
			t.Errorf("with more bytes the name is %q, %v; it was %q", more, again, name)
		}
	})
}
