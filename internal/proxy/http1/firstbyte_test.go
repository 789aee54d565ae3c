package http1

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// TestFirstByte: a backend that has the whole request and does not answer is given up,
// whatever it and the client speak; one that answers in time may take its time with the rest.
func TestFirstByte(t *testing.T) {
	for name, c := range map[string]struct{ newClient, newBackend bool }{
		"both old": {false, false}, "new client": {true, false}, "new backend": {false, true}, "both new": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					_, _ = io.Copy(io.Discard, r.Body) // else net/http does not see who leaves
					<-r.Context().Done()
				}
			}))
			b.Config.Protocols = new(http.Protocols)
			b.Config.Protocols.SetHTTP1(true)
			b.Config.Protocols.SetUnencryptedHTTP2(true)
			b.Start()
			defer b.Close()
			var logged strings.Builder
			access, err := accesslog.Open(accesslog.Config{Writer: &logged, Sample: 1})
			if err != nil {
				t.Fatal(err)
			}
			limit := 20 * time.Millisecond
			g := to(fleet.BackendName(b.Listener.Addr().String()))
			s := serve(t, g, long, func(cfg *Config, p *link.Pool) {
				p.HTTP2, cfg.Access = c.newBackend, access
				cfg.Timeouts = func() Timeouts { return Timeouts{FirstByte: limit} }
			})
			tr := &http.Transport{Protocols: new(http.Protocols)}
			tr.Protocols.SetHTTP1(!c.newClient)
			tr.Protocols.SetUnencryptedHTTP2(c.newClient)
			s.client.Transport = tr
			res, _ := s.do(s.request("POST", "/slow", "hello"))
			if res.StatusCode != http.StatusGatewayTimeout || res.Header.Get("Fairlead-Reason") != "timeout" {
				t.Errorf("answered %v", res)
			}
			expectOutcome(t, g, fleet.Failed)
			tr.CloseIdleConnections()
			s.quiesce()
			if err := access.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
			if line := logged.String(); !strings.Contains(line, `"end":"timeout:first_byte"`) {
				t.Errorf("the log says %s", line)
			}
		})
	}
}
