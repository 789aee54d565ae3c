package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/config"
)

// uplink is a file whose pool has this TLS to its backends.
func uplink(tls string) string { return pool + "    backend_tls: " + tls + "\n" }

var backendTLSCases = []bad{
	{"TLS to backends without a value", uplink(""), `
5:5: pools[0].backend_tls: has no value; give it one, or remove the key`},
	{"TLS to backends of another shape", uplink("true"), `
5:18: pools[0].backend_tls: must be a section, got true; write key: value lines, with keys of ca, cert, insecure_skip_verify, key, server_name`},
	{"TLS to backends that are linked directly", uplink("{}") + "    link: direct\n", `
5:18: pools[0].backend_tls: has no meaning for a pool whose links are direct: clients connect to its backends themselves; write https:// in the backends' public addresses, and remove the key`},
	{"half a pair", uplink("{cert: a}") + "  - {name: q, slots: 1, agents: true, backend_tls: {key: b}}\n", `
5:18: pools[0].backend_tls.key: is missing; name the file of the certificate's key, or remove cert
6:52: pools[1].backend_tls.cert: is missing; name the file of the key's certificate, or remove key`},
	{"a CA that is not looked at", uplink(`{ca: a, insecure_skip_verify: true, server_name: "a b"}`), `
5:48: pools[0].backend_tls.insecure_skip_verify: certificates are not checked then, and ca says by what they are; remove one of the two
5:67: pools[0].backend_tls.server_name: must be a host name or an IP address, got "a b"; write a name that the backends' certificates hold`},
}

func TestBackendTLS(t *testing.T) {
	for _, c := range []struct {
		tls  string
		want config.BackendTLS
		note string
	}{
		{"{}", config.BackendTLS{}, ""},
		{"{ca: a, server_name: B.Test., cert: c, key: d}", config.BackendTLS{CA: "a", ServerName: "b.test", Cert: "c", Key: "d"}, "health checks do not have"},
		{"{server_name: \"::0001\", insecure_skip_verify: true}", config.BackendTLS{ServerName: "::1", InsecureSkipVerify: true}, "takes any certificate"},
	} {
		got, err := config.Parse(file, []byte(uplink(c.tls)+"    health: {type: http}\n"))
		if err != nil {
			t.Errorf("%s: %v", c.tls, err)
			continue
		}
		p := got.Pools[0]
		if !reflect.DeepEqual(*p.TLS, c.want) || !p.Health.TLS || p.Health.ServerName != c.want.ServerName {
			t.Errorf("%s: got %+v, and health %+v", c.tls, *p.TLS, p.Health)
		}
		if notes := strings.Join(got.Notes(), "\n"); !strings.Contains(notes, c.note) || c.note == "" && notes != "" {
			t.Errorf("%s: notes %q, want %q", c.tls, notes, c.note)
		}
	}
	connects, err := config.Parse(file, []byte(uplink("{}")))
	if err != nil || connects.Pools[0].Health.TLS {
		t.Errorf("a check that only connects speaks TLS (%v)", err)
	}
}

// TestBackendTLSChanges: a pool whose TLS is another one keeps its grants and its queue.
func TestBackendTLSChanges(t *testing.T) {
	var files [3]*config.Config
	for i, tls := range []string{"{ca: a}", "{ca: b}", "{ca: b}"} {
		var err error
		if files[i], err = config.Parse(file, []byte(uplink(tls))); err != nil {
			t.Fatal(err)
		}
	}
	if got := config.Compare(files[0], files[1]); len(got.Replaced) > 0 || len(got.Pools.Changed) != 1 {
		t.Errorf("Compare = %+v", got)
	}
	if got := config.Compare(files[1], files[2]); !got.Empty() {
		t.Errorf("Compare = %+v of the same file", got)
	}
}
