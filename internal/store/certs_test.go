package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/trust"
)

// authority is a CA of a test.
type authority struct{ cert, key []byte }

func newAuthority(t *testing.T) authority {
	t.Helper()
	cert, key, err := trust.NewCA("test CA", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key}
}

// give writes a certificate, its key and the CA, as 'fairlead cert' makes them.
func (a authority) give(t *testing.T, role trust.Role, name string, hosts ...string) TLS {
	t.Helper()
	cert, key, err := trust.Issue(a.cert, a.key, trust.Identity{Role: role, Name: name}, hosts, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := TLS{Cert: filepath.Join(dir, "crt"), Key: filepath.Join(dir, "key"), CA: filepath.Join(dir, "ca")}
	for path, text := range map[string][]byte{files.Cert: cert, files.Key: key, files.CA: a.cert} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}
