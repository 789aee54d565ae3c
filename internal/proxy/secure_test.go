//go:build unix

package proxy

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
)

// TestBackendTLS has a table say that backends are spoken to over TLS, by a CA that comes
// only later, and the next one in whose name.
func TestBackendTLS(t *testing.T) {
	c := newController(t)
	b := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "TLS for %q", r.TLS.ServerName)
	}))
	t.Cleanup(b.Close)
	c.backends[1] = b.Listener.Addr().String()
	a, ca := testproc.FreeAddr(t), filepath.Join(t.TempDir(), "ca.pem")
	first := table(webAt(a, 1))
	first.Pools[0].Tls = &fairleadv1.BackendTLS{Ca: ca}
	c.tables <- first
	p := start(t, Config{Dial: c.dial})
	<-p.Up()
	web := newClient(t)
	if got := web.get("http://" + a + "/"); got.code != http.StatusBadGateway {
		t.Errorf("without a CA: %+v", got)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p.uplinks.Refresh()
	web.await(t, a, `TLS for ""`)
	next := table(webAt(a, 1))
	next.Pools[0].Tls = &fairleadv1.BackendTLS{Ca: ca, ServerName: "example.com"}
	c.tables <- next
	testproc.Await(t, soon, "the next table", func(context.Context) error {
		if got := web.get("http://" + a + "/"); got.body != `TLS for "example.com"` {
			return fmt.Errorf("%+v", got)
		}
		return nil
	})
}
