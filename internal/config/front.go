package config

import (
	"time"

	"github.com/goccy/go-yaml/ast"
)

// maxCertificates bounds those of one listener.
const maxCertificates = 1000

const certificatesFix = "name the files, as in [{cert: /etc/tls/site.pem, key: /etc/tls/site.key}]"

// frontDraft is the TLS of a listener.
type frontDraft struct {
	section      value[struct{}]
	certificates value[[]*certDraft]
	clientCA     value[string]
	clientAuth   value[ClientAuth]
	acme         acmeDraft
	http2        value[bool]
}

type certDraft struct {
	at        where
	cert, key value[string]
}

func (d *decoder) front(f *frontDraft) reader {
	return d.noted(&f.section, keys{
		"certificates": list(d, &f.certificates, d.certificate),
		"client_ca":    scalar(d, &f.clientCA, text(fileName)),
		"client_auth":  scalar(d, &f.clientAuth, oneOf("client_auth", []ClientAuth{ClientRequired, ClientOptional})),
		"acme":         d.acme(&f.acme),
		"http2":        scalar(d, &f.http2, yesOrNo),
	})
}

func (d *decoder) certificate(n ast.Node, at where) (*certDraft, bool) {
	c := &certDraft{at: at}
	return c, d.section(n, at, keys{
		"cert": scalar(d, &c.cert, text(fileName)),
		"key":  scalar(d, &c.key, text(fileName)),
	})
}

// checkFront holds what is said of a listener's TLS against itself.
func (d *decoder) checkFront(l *listenerDraft) {
	f := &l.tls
	if !f.section.good() {
		return
	}
	if l.protocol.good() && l.protocol.got == TCP {
		d.report(f.section.at, complaint{"has no meaning for a listener that speaks tcp, which passes TLS through",
			"remove the key, or set protocol to http"})
		return
	}
	if !f.acme.section.given {
		need(d, f.certificates, f.section.at, "certificates", certificatesFix+", or have them got from a CA with acme")
	}
	d.checkACME(&f.acme)
	switch n := len(f.certificates.got); {
	case f.certificates.good() && n == 0:
		d.report(f.certificates.at, complaint{"is empty, so nobody could connect", certificatesFix + ", or remove tls"})
	case n > maxCertificates:
		d.report(f.certificates.at, complaint{"has more than 1000 certificates", "have some of them name several hosts"})
	}
	for _, c := range f.certificates.got {
		need(d, c.cert, c.at, "cert", certificatesFix)
		need(d, c.key, c.at, "key", certificatesFix)
	}
	if f.clientAuth.good() && !f.clientCA.given {
		d.report(f.clientAuth.at, complaint{"has no meaning without client_ca, by which certificates of clients are checked",
			"name the file of the CA as client_ca, or remove the key"})
	}
}

// front returns the TLS of a good draft; nil: there is none. at80 is as for acme.
func (f *frontDraft) front(at80 bool) *ListenerTLS {
	if !f.section.given {
		return nil
	}
	t := &ListenerTLS{ClientCA: f.clientCA.got, HTTP2: f.http2.or(true), ACME: f.acme.acme(at80)}
	if t.ClientCA != "" {
		t.ClientAuth = f.clientAuth.or(ClientRequired)
	}
	for _, c := range f.certificates.got {
		t.Certificates = append(t.Certificates, CertFiles{c.cert.got, c.key.got})
	}
	return t
}

// checkHTTP2 holds http2 against who leads to the pool.
func (d *decoder) checkHTTP2(p *poolDraft, by led) {
	if p.http2.or(false) && !by.http {
		d.report(p.http2.at, complaint{"no listener that speaks http leads to the pool", "remove the key"})
	}
}

// timeoutsDraft is how long a listener's connections wait.
type timeoutsDraft struct {
	section                                     value[struct{}]
	idle, head, body, answer, firstByte, tunnel value[time.Duration]
}

func (d *decoder) timeouts(t *timeoutsDraft) reader {
	const day = 24 * time.Hour
	of := func(v *value[time.Duration], most time.Duration, zero bool, purpose string) reader {
		return scalar(d, v, duration(span{least: 100 * time.Millisecond, most: most, zero: zero, purpose: purpose}))
	}
	return d.noted(&t.section, keys{
		"idle":       of(&t.idle, day, false, "say how long a connection may wait for its next request"),
		"head":       of(&t.head, day, false, "say how long a request's head may take to come"),
		"body":       of(&t.body, day, false, "say how long a request's body may pause"),
		"answer":     of(&t.answer, day, false, "say how long an answer may pause"),
		"first_byte": of(&t.firstByte, day, true, "say how long a backend may think, or 0 for any time"),
		"tunnel":     of(&t.tunnel, 365*day, true, "say how long a tunnel may be silent, or 0 for any time"),
	})
}

func (t *timeoutsDraft) timeouts() Timeouts {
	tunnel := t.tunnel.got
	if t.tunnel.given && tunnel == 0 {
		tunnel = -1
	}
	return Timeouts{t.idle.got, t.head.got, t.body.got, t.answer.got, t.firstByte.got, tunnel}
}
