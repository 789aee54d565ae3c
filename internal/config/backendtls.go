package config

import (
	"fmt"
	"net/netip"
)

// BackendTLS is how proxies speak TLS to a pool's backends. Files are on the hosts of the
// proxies, in PEM.
type BackendTLS struct {
	CA         string // signs backends' certificates; empty: as the system says
	ServerName string // in backends' certificates; empty: each one's host
	Cert, Key  string // what backends are shown; empty: nothing
	// InsecureSkipVerify takes any certificate.
	InsecureSkipVerify bool
}

type backendTLSDraft struct {
	section    value[struct{}]
	ca         value[string]
	serverName value[string]
	cert, key  value[string]
	skip       value[bool]
}

func (d *decoder) backendTLS(t *backendTLSDraft) reader {
	return d.noted(&t.section, keys{
		"ca":                   scalar(d, &t.ca, text(fileName)),
		"server_name":          scalar(d, &t.serverName, text(serverName)),
		"cert":                 scalar(d, &t.cert, text(fileName)),
		"key":                  scalar(d, &t.key, text(fileName)),
		"insecure_skip_verify": scalar(d, &t.skip, yesOrNo),
	})
}

// serverName reads a name that stands in certificates.
func serverName(s string) (string, *complaint) {
	if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
		return ip.Unmap().String(), nil
	}
	if name, ok := hostName(s); ok {
		return name, nil
	}
	return "", &complaint{fmt.Sprintf("must be a host name or an IP address, got %s", quote(s)), "write a name that the backends' certificates hold"}
}

// checkBackendTLS holds what is said of TLS to backends against itself and the pool.
func (d *decoder) checkBackendTLS(p *poolDraft) {
	t := &p.backendTLS
	if !t.section.good() {
		return
	}
	if p.link.or(Proxied) == Direct && !p.link.broken {
		d.report(t.section.at, complaint{"has no meaning for a pool whose links are direct: clients connect to its backends themselves",
			"write https:// in the backends' public addresses, and remove the key"})
	}
	if t.cert.given != t.key.given {
		need(d, t.cert, t.section.at, "cert", "name the file of the key's certificate, or remove key")
		need(d, t.key, t.section.at, "key", "name the file of the certificate's key, or remove cert")
	}
	if t.skip.or(false) && t.ca.given {
		d.report(t.skip.at, complaint{"certificates are not checked then, and ca says by what they are", "remove one of the two"})
	}
}

// tls returns the TLS of a good draft; nil: there is none.
func (t *backendTLSDraft) tls() *BackendTLS {
	if !t.section.given {
		return nil
	}
	return &BackendTLS{t.ca.got, t.serverName.got, t.cert.got, t.key.got, t.skip.or(false)}
}

// tlsNotes says what those should know who have TLS to backends.
func (p *Pool) tlsNotes() []string {
	if p.TLS == nil {
		return nil
	}
	var notes []string
	if p.TLS.InsecureSkipVerify {
		notes = append(notes, fmt.Sprintf("pool %q takes any certificate of its backends (insecure_skip_verify: true): whoever gets between can read and change everything", string(p.Name)))
	}
	if p.Health.TLS && p.TLS.Cert != "" {
		notes = append(notes, fmt.Sprintf("pool %q shows its backends a certificate (backend_tls.cert), which health checks do not have: where backends insist on one, set health.type to tcp", string(p.Name)))
	}
	return notes
}
