package proxyproto

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"testing"

	wire "github.com/pires/go-proxyproto"
)

func tcp(address string) *net.TCPAddr {
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		panic(err)
	}
	return a
}

var (
	own    = Ends{Client: tcp("127.0.0.1:1"), Proxy: tcp("127.0.0.1:2")}
	theirs = Ends{Client: tcp("192.0.2.7:5555"), Proxy: tcp("198.51.100.1:443")}
	six    = Ends{Client: tcp("[2001:db8::7]:5555"), Proxy: tcp("[2001:db8::1]:443")}
)

func sent(tb testing.TB, version int, e Ends, more ...TLV) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := Send(&b, version, e, more...); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// v2 is a header of version 2 with anything in it.
func v2(command, family byte, data ...byte) []byte {
	b := append(bytes.Clone(signV2), command, family)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
}

// summed is a header with a checksum that is wrong by off.
func summed(tb testing.TB, off uint32) []byte {
	b := sent(tb, 2, theirs, TLV{Type: 3, Value: make([]byte, 4)}, TLV{Type: 0xE4, Value: []byte("x")})
	at := headV2 + 12 + 3
	binary.BigEndian.PutUint32(b[at:], sum(b, at)+off)
	return b
}

func TestHeaders(t *testing.T) {
	for what, c := range map[string]struct {
		header []byte
		want   Ends
	}{
		"v1": {sent(t, 1, theirs), theirs}, "v1, IPv6": {sent(t, 1, six), six},
		"v2": {sent(t, 2, theirs), theirs}, "v2, IPv6": {sent(t, 2, six), six},
		"v2, TLV":                 {sent(t, 2, theirs, TLV{Type: 0xE4, Value: []byte("ticket")}), theirs},
		"v2, checksum":            {summed(t, 0), theirs},
		"v1, unknown":             {[]byte("PROXY UNKNOWN\r\n"), own},
		"v1, unknown of somebody": {[]byte("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), own},
		"v2, local":               {v2(0x20, 0), own},
		"v2, local with bytes":    {v2(0x20, 0x11, 1, 2, 3), own},
		"v2, unix":                {v2(0x21, 0x31, make([]byte, 216)...), own},
	} {
		for cut := range len(c.header) {
			if n, err := frame(c.header[:cut]); n != 0 || err != nil {
				t.Fatalf("%s: the first %d bytes: %d, %v; want more to be wanted", what, cut, n, err)
			}
		}
		n, err := frame(append(bytes.Clone(c.header), "and more"...))
		if n != len(c.header) || err != nil {
			t.Fatalf("%s: it is %d bytes long, %v; want %d", what, n, err, len(c.header))
		}
		e, err := read(c.header, own)
		if err != nil || e.Client.String() != c.want.Client.String() || e.Proxy.String() != c.want.Proxy.String() {
			t.Errorf("%s: %v, %v; want %v", what, e, err, c.want)
		}
	}
}

func TestBadHeaders(t *testing.T) {
	for what, header := range map[string][]byte{
		"v1, long":           []byte("PROXY TCP4 " + strings.Repeat("1", longestV1) + "\r\n"),
		"v1, no addresses":   []byte("PROXY TCP4\r\n"),
		"v1, another family": []byte("PROXY TCP4 ::1 ::2 1 2\r\n"),
		"v1, a port":         []byte("PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n"),
		"v1, bare newline":   append([]byte("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n"), make([]byte, 100)...),
		"v2, version 3":      v2(0x31, 0x11, make([]byte, 12)...),
		"v2, a command":      v2(0x22, 0x11, make([]byte, 12)...),
		"v2, a family":       v2(0x21, 0x41, make([]byte, 12)...),
		"v2, datagrams":      v2(0x21, 0x12, make([]byte, 12)...),
		"v2, short":          v2(0x21, 0x21, make([]byte, 12)...),
		"v2, long":           v2(0x21, 0x11, make([]byte, longest)...),
		"v2, checksum":       summed(t, 1),
		"v2, TLV cut short":  v2(0x21, 0x11, append(make([]byte, 12), 4, 0, 9)...),
	} {
		n, err := frame(header)
		if err == nil && n > 0 {
			_, err = read(header[:n], own)
		}
		if !errors.Is(err, errBad) {
			t.Errorf("%s: %d, %v; want it to be bad", what, n, err)
		}
	}
	for _, first := range []string{"GET / HTTP/1.1", "PROXX", "\r\n\r\nx", "\x16\x03\x01"} {
		if n, err := frame([]byte(first)); n != 0 || !errors.Is(err, errMissing) {
			t.Errorf("%q: %d, %v; want it to be no header", first, n, err)
		}
	}
}

func TestSendRefuses(t *testing.T) {
	var b bytes.Buffer
	if Send(&b, 1, theirs, TLV{Type: 0xE4}) == nil || Send(&b, 0, theirs) == nil || Send(&b, 3, theirs) == nil || b.Len() > 0 {
		t.Errorf("what cannot be said was sent: %q", b.Bytes())
	}
	if n, err := frame(sent(t, 1, Ends{Client: theirs.Client, Proxy: six.Proxy})); n == 0 || err != nil {
		t.Errorf("of a client with IPv4 at an address of IPv6: %d, %v", n, err)
	}
}

// FuzzHeader: a header is as long as the library takes it to be, each beginning of one wants
// more, and what was read can be sent and read again.
func FuzzHeader(f *testing.F) {
	for _, seed := range [][]byte{
		sent(f, 1, theirs), sent(f, 2, six), sent(f, 2, theirs, TLV{Type: 0xE4, Value: []byte("x")}), summed(f, 0), summed(f, 1),
		[]byte("PROXY UNKNOWN\r\n"), v2(0x20, 0), v2(0x21, 0x31, make([]byte, 216)...), []byte("GET / HTTP/1.1\r\n\r\n"),
	} {
		f.Add(append(seed, "rest"...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := frame(b)
		if n == 0 || err != nil {
			return
		}
		for cut := range n {
			if m, err := frame(b[:cut]); m != 0 || err != nil {
				t.Fatalf("the first %d of %d bytes: %d, %v", cut, n, m, err)
			}
		}
		e, err := read(b[:n], own)
		if err != nil {
			return
		}
		r := bufio.NewReaderSize(bytes.NewReader(b), 1<<20)
		if _, err := wire.Read(r); err != nil || r.Buffered() != len(b)-n {
			t.Fatalf("the library leaves %d of %d bytes, %v; the header has %d", r.Buffered(), len(b), err, n)
		}
		for version := 1; version <= 2; version++ {
			again, err := read(sent(t, version, e), own)
			if err != nil || again.Client.String() != e.Client.String() {
				t.Errorf("%v in version %d is read as %v, %v", e, version, again, err)
			}
		}
	})
}
