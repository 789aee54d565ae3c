package wire

import (
	"crypto/rand"
	"crypto/tls"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/trust"
)

// anonymous is a TLS client that shows no certificate, and takes any.
func anonymous() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}} // a stranger does not care
}

// foreign is a TLS client with another CA's certificate.
func foreign(t *testing.T, a *authority) *tls.Config {
	t.Helper()
	a.issue(trust.Proxy, "p1")
	cert, err := tls.LoadX509KeyPair(filepath.Join(a.dir, "proxy-p1.crt"), filepath.Join(a.dir, "proxy-p1.key"))
	if err != nil {
		t.Fatal(err)
	}
	c := anonymous()
	c.Certificates = []tls.Certificate{cert}
	return c
}

// asking measures asks, one after the other.
func asking(t *testing.T, p *proxy, n int) []time.Duration {
	t.Helper()
	var took []time.Duration
	for range n {
		began := time.Now()
		p.ask()
		g := p.granted()
		took = append(took, time.Since(began))
		p.done(g.GetId(), fairleadv1.Outcome_OUTCOME_OK)
	}
	slices.Sort(took)
	return took
}

// TestStrangersDisturbNobody: while strangers flood the controller with connections, each
// ask of a proxy is answered with a grant. How long the answers take meanwhile is told,
// and not judged: this is no quiet machine.
func TestStrangersDisturbNobody(t *testing.T) {
	const strangers, each, asks = 8, 200, 500
	for _, c := range []struct {
		name string
		rig  func(t *testing.T) (*rig, *proxy)
	}{
		{"plain text", func(t *testing.T) (*rig, *proxy) {
			r := newRig(t, onePool(func(p *config.Pool) { p.Slots = 4 }))
			return r, r.connect("p", "1")
		}},
		{"mutual TLS", func(t *testing.T) (*rig, *proxy) {
			a := newAuthority(t)
			r := newTrustedRig(t, a, &log{})
			r.creds = a.issue(trust.Proxy, "p").Client(trust.Controller)
			return r, r.connect("p", "1")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, p := c.rig(t)
			r.awaitState(b1, "up")
			r.awaitState(b2, "up")
			quiet := asking(t, p, asks)
			flood := make(chan struct{})
			var wg sync.WaitGroup
			for range strangers {
				wg.Go(func() { pester(r.address, each) })
			}
			go func() { wg.Wait(); close(flood) }()
			var loud []time.Duration
			for over := false; !over; {
				loud = append(loud, asking(t, p, asks)...)
				select {
				case <-flood:
					over = true
				default:
				}
			}
			slices.Sort(loud)
			if s := r.snapshot(); len(s.GetRefused()) > 0 || s.GetInFlight() > 1 {
				t.Errorf("asks were refused while strangers knocked: %v", s)
			}
			t.Logf("an ask took p50 %v, p99 %v on a quiet controller; p50 %v, p99 %v while %d strangers knocked (%d asks)",
				quiet[len(quiet)/2], quiet[len(quiet)*99/100], loud[len(loud)/2], loud[len(loud)*99/100], strangers*each, len(loud))
		})
	}
}

// pester opens connections of every bad kind: silent, garbage, half a handshake.
func pester(address string, n int) {
	garbage := make([]byte, 4096)
	_, _ = rand.Read(garbage) // never fails
	var held []net.Conn
	for i := range n {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			continue // that is what is wanted
		}
		switch i % 4 {
		case 0: // silent
		case 1:
			_, _ = c.Write(garbage)
		case 2:
			_, _ = c.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
			_, _ = c.Write(garbage[:100])
		case 3:
			_ = tls.Client(c, anonymous()).SetDeadline(time.Now().Add(100 * time.Millisecond))
			_ = tls.Client(c, anonymous()).Handshake()
		}
		if held = append(held, c); len(held) >= 64 {
			_ = held[0].Close()
			held = held[1:]
		}
	}
	for _, c := range held {
		_ = c.Close()
	}
}
