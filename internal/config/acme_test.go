package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/config"
)

// front is a file with one listener whose tls is given, and perhaps more listeners.
func front(tls string, more ...string) string {
	text := "listeners:\n  - {name: web, address: \":443\", protocol: http, tls: " + tls + "}\n"
	routes := "routes: [{listener: web, pool: p}"
	for _, m := range more {
		text += "  - {name: more, " + m + "}\n"
		routes += ", {listener: more, pool: p}"
	}
	return text + routes + "]\n" + pool
}

var acmeCases = []bad{
	{"acme of nothing", front("{acme: {}}"), `
2:62: listeners[0].tls.acme.agree_tos: is missing; read the terms of service of the CA, and set agree_tos to true if you agree to them
2:62: listeners[0].tls.acme.domains: is missing; name the hosts that certificates are to be for, as in [www.example.org]
2:62: listeners[0].tls.acme.storage: is missing; name the directory on the proxies' hosts that keeps them, as in /var/lib/fairlead/acme; without one, each start would order certificates anew`},
	{"acme that is none", front("{acme: true}"), `
2:62: listeners[0].tls.acme: must be a section, got true; write key: value lines, with keys of agree_tos, ca, challenges, directory, domains, email, storage`},
	{"acme with lists of nothing", front("{acme: {domains: [], challenges: [], storage: \" \", agree_tos: false}}"), `
2:72: listeners[0].tls.acme.domains: is empty, so no certificate would be got; name the hosts that certificates are to be for, as in [www.example.org], or remove acme
2:88: listeners[0].tls.acme.challenges: is empty, so nothing could be proved to the CA; name tls-alpn-01, http-01 or both, or remove the key
2:101: listeners[0].tls.acme.storage: must name a directory, got an empty text; name the directory on the proxies' hosts that keeps them, as in /var/lib/fairlead/acme
2:117: listeners[0].tls.acme.agree_tos: is false, and a CA gives certificates to nobody who has not agreed to its terms; read them, and set agree_tos to true, or remove acme`},
	{"domains of acme", front(`{acme: {domains: ["*.a.example", a, 10.0.0.1, b.example, B.example., a_b.example], storage: s, agree_tos: true}}`), `
2:73: listeners[0].tls.acme.domains[0]: the challenge for "*.a.example" is dns-01, which proxies do not solve; name each host, or get the certificate elsewhere and name its files as certificates
2:88: listeners[0].tls.acme.domains[1]: must be the full name of a host, got "a"; name the hosts that certificates are to be for, as in [www.example.org]
2:91: listeners[0].tls.acme.domains[2]: must be the full name of a host, got "10.0.0.1"; name the hosts that certificates are to be for, as in [www.example.org]
2:112: listeners[0].tls.acme.domains[4]: domain "b.example" is given twice, first in line 2; rename or remove one of them
2:124: listeners[0].tls.acme.domains[5]: must be the full name of a host, got "a_b.example"; name the hosts that certificates are to be for, as in [www.example.org]`},
	{"the CA of acme", front(`{acme: {domains: [a.example], email: ops, directory: "http://ca.example/d", ca: "", storage: s, agree_tos: yes, challenges: [dns-01, tls-alpn-01, tls-alpn-01]}}`), `
2:92: listeners[0].tls.acme.email: must be a mail address, got "ops"; write one such as ops@example.org, or remove the key
2:108: listeners[0].tls.acme.directory: must be the https URL of a CA's directory, got "http://ca.example/d"; write it as in https://acme-v02.api.letsencrypt.org/directory
2:135: listeners[0].tls.acme.ca: must name a file, got an empty text; write a path
2:162: listeners[0].tls.acme.agree_tos: must be true or false, got the text "yes"; write true or false, without quotes
2:180: listeners[0].tls.acme.challenges[0]: must be tls-alpn-01 or http-01, got "dns-01"; write tls-alpn-01 or http-01
2:201: listeners[0].tls.acme.challenges[2]: challenge "tls-alpn-01" is given twice, first in line 2; rename or remove one of them`},
	{"http-01 without http", front("{acme: {domains: [a.example], storage: s, agree_tos: true, challenges: [http-01]}}", `address: ":80", protocol: tcp`), `
2:127: listeners[0].tls.acme.challenges[0]: http-01 is solved by listeners that speak http without tls, and there is none; add one, which the CA has to reach at port 80, or remove http-01`},
}

// TestACME: what is left out has a default, and files may stand beside it.
func TestACME(t *testing.T) {
	const least = "domains: [A.example., b.example], storage: s, agree_tos: true"
	domains := []string{"a.example", "b.example"}
	cases := []struct {
		tls, more string
		want      config.ListenerTLS
	}{
		{"{acme: {" + least + "}}", "", config.ListenerTLS{HTTP2: true, ACME: &config.ACME{
			Domains: domains, Directory: config.DefaultDirectory, Storage: "s", TLSALPN: true,
		}}},
		{"{acme: {" + least + "}}", `address: ":80", protocol: http`, config.ListenerTLS{HTTP2: true, ACME: &config.ACME{
			Domains: domains, Directory: config.DefaultDirectory, Storage: "s", TLSALPN: true, HTTP: true,
		}}},
		{"{certificates: [{cert: c, key: k}], acme: {" + least + `, email: ops@example.org, directory: "https://localhost:14000/dir", ca: ca.pem, challenges: [http-01]}}`,
			`address: ":8080", protocol: http`, config.ListenerTLS{
				HTTP2: true, Certificates: []config.CertFiles{{Cert: "c", Key: "k"}}, ACME: &config.ACME{
					Domains: domains, Email: "ops@example.org", Directory: "https://localhost:14000/dir", CA: "ca.pem", Storage: "s", HTTP: true,
				},
			}},
	}
	for _, c := range cases {
		var more []string
		if c.more != "" {
			more = append(more, c.more)
		}
		got, err := config.Parse(file, []byte(front(c.tls, more...)))
		if err != nil {
			t.Fatal(strings.TrimSpace(err.Error()))
		}
		if !reflect.DeepEqual(*got.Listeners[0].TLS, c.want) {
			t.Errorf("%s: got %+v with %+v", c.tls, got.Listeners[0].TLS, got.Listeners[0].TLS.ACME)
		}
	}
}
