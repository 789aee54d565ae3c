package http1

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/originate"
)

// TestTunnelIdle: a tunnel on which nothing moves is ended, also where both ends are there and
// one of them takes nothing; the log says why.
func TestTunnelIdle(t *testing.T) {
	conf := lentCertificate(t)
	for name, b := range map[string]struct {
		at     fleet.BackendName
		secure bool
	}{
		"silent":        {chat(t, false), false},
		"client stalls": {chat(t, true), false},
		"silent in TLS": {rawBackend(t, func(nc net.Conn, _ *bufio.Reader) {
			c := tls.Server(nc, conf)
			head(bufio.NewReader(c))
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nwelcome")
			_, _ = io.Copy(io.Discard, c)
		}), true},
	} {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			access, err := accesslog.Open(accesslog.Config{Writer: &logged, Sample: 1})
			if err != nil {
				t.Fatal(err)
			}
			g := to(b.at)
			s := serve(t, g, long, func(c *Config, p *link.Pool) {
				c.Access = access
				c.Timeouts = func() Timeouts { return Timeouts{Tunnel: 50 * time.Millisecond} }
				if b.secure {
					p.TLS = originated(t, originate.Files{SkipVerify: true})
				}
			})
			c := tunnel(t, s)
			expectOutcome(t, g, fleet.Cancelled)
			c.expectEnd()
			s.quiesce()
			if err := access.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
			if line := logged.String(); !strings.Contains(line, `"end":"timeout:tunnel"`) {
				t.Errorf("the log says %s", line)
			}
		})
	}
}
