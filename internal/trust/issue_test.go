package trust

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func one(t *testing.T, text []byte) *x509.Certificate {
	t.Helper()
	certs, err := certificates(text)
	if err != nil || len(certs) != 1 {
		t.Fatalf("there are %d certificates: %v", len(certs), err)
	}
	return certs[0]
}

func TestNewCA(t *testing.T) {
	a := newAuthority(t)
	c := one(t, a.cert)
	if !c.IsCA || !c.BasicConstraintsValid || c.MaxPathLen != 0 || !c.MaxPathLenZero ||
		c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign || c.Subject.CommonName != "test CA" {
		t.Errorf("the CA is %+v", c)
	}
	if public, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || public.Curve != elliptic.P256() {
		t.Errorf("the key is a %T, want one on P-256", c.PublicKey)
	}
	if early := time.Since(c.NotBefore); early < skew || early > skew+time.Minute {
		t.Errorf("it is valid since %s", early)
	}
	if block, rest := pem.Decode(a.key); block == nil || block.Type != "PRIVATE KEY" || len(rest) > 0 {
		t.Errorf("the key is %s", a.key[:20])
	}
	for name, life := range map[string]time.Duration{"": year, strings.Repeat("n", 65): year, "n": 0} {
		if _, _, err := NewCA(name, life); err == nil {
			t.Errorf("a CA named %q for %s is made", name, life)
		}
	}
}

func TestIssue(t *testing.T) {
	a := newAuthority(t)
	both := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	seen := map[string]bool{}
	for _, c := range []struct {
		id    Identity
		hosts []string
		usage []x509.ExtKeyUsage
	}{
		{Identity{Controller, "c"}, nil, both},
		{Identity{Proxy, "p"}, nil, both},
		{Identity{Agent, "render/*"}, nil, both[:1]},
		{Identity{Agent, "render/*"}, []string{"Host.Example.", "*.example.org", "10.0.0.1", "[::1]"}, both},
		{Identity{Operator, "o"}, nil, both[:1]},
		{Identity{Client, strings.Repeat("c", 255)}, nil, both[:1]},
	} {
		text, _, err := Issue(a.cert, a.key, c.id, c.hosts, year/2)
		if err != nil {
			t.Errorf("%s: %v", c.id, err)
			continue
		}
		cert := one(t, text)
		if got, err := IdentityOf(cert); err != nil || got != c.id {
			t.Errorf("%s: it is of %s, %v", c.id, got, err)
		}
		if !slices.Equal(cert.ExtKeyUsage, c.usage) || cert.IsCA || cert.KeyUsage != x509.KeyUsageDigitalSignature {
			t.Errorf("%s: it is for %v, %v", c.id, cert.ExtKeyUsage, cert.KeyUsage)
		}
		if len(cert.DNSNames)+len(cert.IPAddresses) != len(c.hosts) || len(cert.Subject.CommonName) > maxCommonName {
			t.Errorf("%s: it has %v and %v, and is called %q", c.id, cert.DNSNames, cert.IPAddresses, cert.Subject.CommonName)
		}
		for _, h := range c.hosts {
			if err := cert.VerifyHostname(strings.Replace(h, "*", "any", 1)); err != nil {
				t.Errorf("%s: %v", c.id, err)
			}
		}
		if serial := cert.SerialNumber.String(); seen[serial] || cert.SerialNumber.BitLen() < 64 {
			t.Errorf("%s: the serial number is %s", c.id, serial)
		} else {
			seen[serial] = true
		}
	}
}

func TestIssueEndsWithCA(t *testing.T) {
	a := newAuthority(t)
	text, _, err := Issue(a.cert, a.key, Identity{Proxy, "p"}, nil, 2*year)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := one(t, text).NotAfter, one(t, a.cert).NotAfter; !got.Equal(want) {
		t.Errorf("it ends at %s, and the CA at %s", got, want)
	}
}

func TestIssueRefuses(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	leaf, leafKey, err := Issue(a.cert, a.key, Identity{Proxy, "p"}, nil, year)
	if err != nil {
		t.Fatal(err)
	}
	old := expiredAuthority(t)
	id := Identity{Proxy, "p"}
	for name, c := range map[string]struct {
		cert, key []byte
		id        Identity
		hosts     []string
		life      time.Duration
		words     string
	}{
		"no life":     {a.cert, a.key, id, nil, 0, "above 0"},
		"no role":     {a.cert, a.key, Identity{"king", "k"}, nil, year, "no role"},
		"no name":     {a.cert, a.key, Identity{Proxy, ""}, nil, year, "1 to 255"},
		"other key":   {a.cert, b.key, id, nil, year, "does not fit"},
		"no key":      {a.cert, a.cert, id, nil, year, "private key"},
		"no CA":       {a.key, a.key, id, nil, year, "no certificate"},
		"a leaf":      {leaf, leafKey, id, nil, year, "not a CA's"},
		"expired CA":  {old.cert, old.key, id, nil, year, "expired on"},
		"a port":      {a.cert, a.key, id, []string{"a:80"}, year, `"a:80"`},
		"an URL":      {a.cert, a.key, id, []string{"https://a"}, year, "without scheme"},
		"no host":     {a.cert, a.key, id, []string{""}, year, `""`},
		"a long host": {a.cert, a.key, id, []string{strings.Repeat("a.", 127) + "aa"}, year, "DNS name"},
	} {
		if _, _, err := Issue(c.cert, c.key, c.id, c.hosts, c.life); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: the error is %v, want it to say %q", name, err, c.words)
		}
	}
}

// TestIssuerOfSeveral: of a CA file for a rotation, the CA whose key is given signs.
func TestIssuerOfSeveral(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	text, _, err := Issue(slices.Concat(a.cert, b.cert), b.key, Identity{Proxy, "p"}, nil, year)
	if err != nil {
		t.Fatal(err)
	}
	if err := one(t, text).CheckSignatureFrom(one(t, b.cert)); err != nil {
		t.Error(err)
	}
}

// TestOtherKeys: certificates of other tools have keys of other kinds and other files.
func TestOtherKeys(t *testing.T) {
	a := newAuthority(t)
	ca, caKey, err := issuer(a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := newLeaf(Identity{Proxy, "p"})
	cert, err := x509.CreateCertificate(rand.Reader, template, ca, key.Public(), caKey)
	if err != nil {
		t.Fatal(err)
	}
	files := put(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), a.cert)
	c, err := Load(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, c.Server)
	s.works(t, s.dial(t, c.Client(Proxy)), "proxy/p")
}

// TestIntermediate: a CA of others may sign through another one.
func TestIntermediate(t *testing.T) {
	var root authority
	var err error
	if root.cert, root.key, err = sign(anyCA("root"), nil, nil); err != nil {
		t.Fatal(err)
	}
	leafCA := root.below(t)
	cert, key, err := Issue(leafCA.cert, leafCA.key, Identity{Controller, "c"}, nil, year/2)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load(put(t, slices.Concat(cert, leafCA.cert), key, root.cert), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, c.Server)
	s.works(t, s.dial(t, c.Client(Controller)), "controller/c")
}

// newLeaf is a certificate of a tool that says as little as it can.
func newLeaf(id Identity) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), URIs: []*url.URL{id.URI()},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
}

func anyCA(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(year),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
}

// below makes a CA that another one has signed.
func (a authority) below(t *testing.T) authority {
	t.Helper()
	ca, key, err := issuer(a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	var b authority
	if b.cert, b.key, err = sign(anyCA("below"), ca, key); err != nil {
		t.Fatal(err)
	}
	return b
}
