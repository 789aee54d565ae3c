package config

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// DefaultDirectory is where certificates come from if a file does not say: Let's Encrypt.
const DefaultDirectory = "https://acme-v02.api.letsencrypt.org/directory"

// ACME has proxies get a listener's certificates from a CA, and renew them. Paths are on the
// hosts of the proxies.
type ACME struct {
	Domains   []string // in lower case; the first is for clients that ask for none of them
	Email     string   // where the CA may write to; empty: nowhere
	Directory string   // of the CA, a URL
	CA        string   // a file, who signed the directory's own certificate; empty: as the system says
	Storage   string   // a directory, which proxies may share
	TLSALPN   bool     // the challenge tls-alpn-01 is solved
	HTTP      bool     // the challenge http-01 is solved
}

// Challenge is a way to prove to a CA that a domain leads to us.
type Challenge string

// Challenges.
const (
	TLSALPN01 Challenge = "tls-alpn-01"
	HTTP01    Challenge = "http-01"
)

const (
	domainsFix   = "name the hosts that certificates are to be for, as in [www.example.org]"
	challengeFix = "name tls-alpn-01, http-01 or both"
	wildcardFix  = "name each host, or get the certificate elsewhere and name its files as certificates"
)

type acmeDraft struct {
	section    value[struct{}]
	domains    value[[]value[string]]
	email      value[string]
	directory  value[string]
	ca         value[string]
	storage    value[string]
	agree      value[bool]
	challenges value[[]value[Challenge]]
}

func (d *decoder) acme(a *acmeDraft) reader {
	return d.noted(&a.section, keys{
		"domains": list(d, &a.domains, func(n ast.Node, at where) (v value[string], ok bool) {
			scalar(d, &v, text(certified))(n, at)
			return v, !v.broken
		}),
		"email":     scalar(d, &a.email, text(mailAddress)),
		"directory": scalar(d, &a.directory, text(directoryURL)),
		"ca":        scalar(d, &a.ca, text(fileName)),
		"storage":   scalar(d, &a.storage, text(storage)),
		"agree_tos": scalar(d, &a.agree, yesOrNo),
		"challenges": list(d, &a.challenges, func(n ast.Node, at where) (v value[Challenge], ok bool) {
			scalar(d, &v, oneOf("challenge", []Challenge{TLSALPN01, HTTP01}))(n, at)
			return v, !v.broken
		}),
	})
}

// certified reads a host that a certificate is to be for.
func certified(s string) (string, *complaint) {
	if strings.HasPrefix(s, "*.") {
		return "", &complaint{fmt.Sprintf("the challenge for %s is dns-01, which proxies do not solve", quote(s)), wildcardFix}
	}
	host, ok := hostName(s)
	if !ok || !strings.Contains(host, ".") || strings.Contains(host, "_") {
		return "", &complaint{fmt.Sprintf("must be the full name of a host, got %s", quote(s)), domainsFix}
	}
	return host, nil
}

// mailAddress reads an address that a CA may write to.
func mailAddress(s string) (string, *complaint) {
	user, host, _ := strings.Cut(s, "@")
	if _, ok := hostName(host); !ok || user == "" || strings.Trim(user, ascii) != "" {
		return "", &complaint{fmt.Sprintf("must be a mail address, got %s", quote(s)), "write one such as ops@example.org, or remove the key"}
	}
	return s, nil
}

// directoryURL reads where a CA's directory is.
func directoryURL(s string) (string, *complaint) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return "", &complaint{fmt.Sprintf("must be the https URL of a CA's directory, got %s", quote(s)), "write it as in " + DefaultDirectory}
	}
	return s, nil
}

// storage reads the name of a directory for certificates.
func storage(s string) (string, *complaint) {
	if strings.TrimSpace(s) == "" {
		return "", &complaint{"must name a directory, got an empty text", storageFix}
	}
	return s, nil
}

const storageFix = "name the directory on the proxies' hosts that keeps them, as in /var/lib/fairlead/acme"

// checkACME holds what is said of ACME against itself.
func (d *decoder) checkACME(a *acmeDraft) {
	if !a.section.good() {
		return
	}
	at := a.section.at
	need(d, a.domains, at, "domains", domainsFix)
	need(d, a.storage, at, "storage", storageFix+"; without one, each start would order certificates anew")
	need(d, a.agree, at, "agree_tos", "read the terms of service of the CA, and set agree_tos to true if you agree to them")
	if a.agree.good() && !a.agree.got {
		d.report(a.agree.at, complaint{"is false, and a CA gives certificates to nobody who has not agreed to its terms",
			"read them, and set agree_tos to true, or remove acme"})
	}
	switch n := len(a.domains.got); {
	case a.domains.good() && n == 0:
		d.report(a.domains.at, complaint{"is empty, so no certificate would be got", domainsFix + ", or remove acme"})
	case n > maxCertificates:
		d.report(a.domains.at, complaint{fmt.Sprintf("has more than %d domains", maxCertificates), "have several listeners"})
	}
	if a.challenges.good() && len(a.challenges.got) == 0 {
		d.report(a.challenges.at, complaint{"is empty, so nothing could be proved to the CA", challengeFix + ", or remove the key"})
	}
	lines := map[string]where{}
	for _, v := range a.domains.got {
		d.once(lines, v.got, "domain", v.at)
	}
	lines = map[string]where{}
	for _, v := range a.challenges.got {
		d.once(lines, string(v.got), "challenge", v.at)
	}
}

// checkChallenges holds challenges against the listeners that solve them.
func (d *decoder) checkChallenges(f *draft) {
	plain, _ := plainHTTP(f)
	for _, l := range f.listeners.got {
		for _, c := range l.tls.acme.challenges.got {
			if c.got == HTTP01 && !plain {
				d.report(c.at, complaint{"http-01 is solved by listeners that speak http without tls, and there is none",
					"add one, which the CA has to reach at port 80, or remove http-01"})
			}
		}
	}
}

// plainHTTP tells whether a listener speaks HTTP without TLS, and one does at port 80.
func plainHTTP(f *draft) (is, at80 bool) {
	for _, l := range f.listeners.got {
		if l.protocol.or(TCP) == HTTP && !l.tls.section.given {
			is, at80 = true, at80 || l.address.got.port == 80
		}
	}
	return is, at80
}

// acme returns the ACME of a good draft; nil: there is none. at80: a listener speaks HTTP
// without TLS at port 80.
func (a *acmeDraft) acme(at80 bool) *ACME {
	if !a.section.given {
		return nil
	}
	out := &ACME{Email: a.email.got, Directory: a.directory.or(DefaultDirectory), CA: a.ca.got, Storage: a.storage.got}
	for _, v := range a.domains.got {
		out.Domains = append(out.Domains, v.got)
	}
	out.TLSALPN, out.HTTP = !a.challenges.given, !a.challenges.given && at80
	for _, v := range a.challenges.got {
		out.TLSALPN = out.TLSALPN || v.got == TLSALPN01
		out.HTTP = out.HTTP || v.got == HTTP01
	}
	return out
}
