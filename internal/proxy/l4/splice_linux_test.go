package l4

import (
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
)

// copied returns how many bytes this process has read and written by itself, which those are
// not that the kernel moved between two descriptors.
func copied(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip("the kernel does not tell what this process reads: ", err)
	}
	sum := 0
	for line := range strings.Lines(string(text)) {
		name, number, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if name == "rchar" || name == "wchar" {
			n, err := strconv.Atoi(number)
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}

// TestSpliced: the proxy does not touch a byte of what it carries, even where the connection
// began with a header and was routed by name. The client and the backend are in this process
// too; what they read and write is all that is.
func TestSpliced(t *testing.T) {
	const much = 16 << 20
	pump := func(c net.Conn, b []byte) error {
		for sent := 0; sent < much; sent += len(b) {
			if _, err := c.Write(b); err != nil {
				return err
			}
		}
		return nil
	}
	drain := func(c net.Conn, b []byte) (n int) {
		for {
			m, err := c.Read(b)
			if n += m; err != nil {
				return n
			}
		}
	}
	g := to(backend(t, func(c *net.TCPConn) {
		b := make([]byte, 64<<10)
		if drain(c, b) == much+len("x") {
			_ = pump(c, b)
		}
	}))
	s := serveFrom(t, g, long, acceptor(t))
	rules := names("*")
	rules.IdleTimeout = long
	s.own.Store(rules)
	before := copied(t)
	c := s.dial()
	send(t, c, "PROXY TCP4 192.0.2.7 198.51.100.1 5555 443\r\nx")
	b := make([]byte, 64<<10)
	if err := pump(c, b); err != nil {
		t.Fatal(err)
	}
	c.CloseWrite()
	if n := drain(c, b); n != much {
		t.Fatalf("%d bytes came back, want %d", n, much)
	}
	expectOutcome(t, g, fleet.OK)
	// Each way one end writes and the other reads; through a copy it would be twice that.
	if got, most := copied(t)-before, 4*much+much; got > most || got < 4*much {
		t.Errorf("%d MiB were read and written, of which the ends are %d MiB", got>>20, 4*much>>20)
	}
}

// BenchmarkOneWay has a backend send as fast as it can through a proxy, and, to compare,
// through a loop that copies.
func BenchmarkOneWay(b *testing.B) {
	flood := backend(b, func(c *net.TCPConn) {
		chunk := make([]byte, 256<<10)
		for {
			if _, err := c.Write(chunk); err != nil {
				return
			}
		}
	})
	b.Run("spliced", func(b *testing.B) {
		take(b, serve(b, grantOnly(flood), long).dial())
	})
	b.Run("copied", func(b *testing.B) {
		through := backend(b, func(client *net.TCPConn) {
			behind, err := net.Dial("tcp", string(flood))
			if err != nil {
				return
			}
			defer behind.Close()
			_, _ = io.CopyBuffer(struct{ io.Writer }{client}, struct{ io.Reader }{behind}, make([]byte, 64<<10))
		})
		c, err := net.Dial("tcp", string(through))
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		take(b, c)
	})
}

func take(b *testing.B, c net.Conn) {
	chunk := make([]byte, 256<<10)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if _, err := io.ReadFull(c, chunk); err != nil {
			b.Fatal(err)
		}
	}
}
