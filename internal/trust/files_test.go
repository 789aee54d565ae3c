package trust

import (
	"crypto/x509"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLooseKey(t *testing.T) {
	ca := newAuthority(t)
	files := ca.give(t, Proxy, "p1")
	for mode, warnings := range map[os.FileMode]int{0o600: 0, 0o640: 0, 0o644: 1} {
		if err := os.Chmod(files.Key, mode); err != nil {
			t.Fatal(err)
		}
		l := &logs{}
		if _, err := Load(files, l.logger()); err != nil {
			t.Fatal(err)
		}
		if n := l.lines(files.Key); n != warnings {
			t.Errorf("mode %o: warned %d times, want %d: %s", mode, n, warnings, &l.text)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	good := ca.give(t, Proxy, "p1")
	text := func(path string) []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	cert, key := text(good.Cert), text(good.Key)
	signer, signKey, err := issuer(ca.cert, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	between := func(from, to time.Duration) Files {
		c, k, err := issue(signer, signKey, Identity{Proxy, "p"}, nil, time.Now().Add(from), time.Now().Add(to))
		if err != nil {
			t.Fatal(err)
		}
		return put(t, c, k, ca.cert)
	}
	for name, c := range map[string]struct {
		files Files
		words []string
	}{
		"one file":    {Files{Cert: good.Cert}, []string{"private key is not given", "CA certificate is not given"}},
		"no CA file":  {Files{Cert: good.Cert, Key: good.Key}, []string{"CA certificate is not given", "name all three"}},
		"missing":     {Files{good.Cert, good.Key + "x", good.CA}, []string{good.Key + "x does not exist", "fairlead cert"}},
		"a directory": {Files{t.TempDir(), good.Key, good.CA}, []string{"cannot be read"}},
		"no cert":     {put(t, key, key, ca.cert), []string{"it.crt", "no certificate"}},
		"bad cert":    {put(t, []byte("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"), key, ca.cert), []string{"it.crt", "certificate 1"}},
		"no key":      {put(t, cert, cert, ca.cert), []string{"it.key", "no private key"}},
		"bad key":     {put(t, cert, []byte("-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n"), ca.cert), []string{"it.key", "cannot be read"}},
		"CA's key":    {put(t, cert, ca.key, ca.cert), []string{"does not fit", "it.key", "it.crt"}},
		"no CA":       {put(t, cert, key, key), []string{"ca.crt", "no certificate"}},
		"leaf as CA":  {put(t, cert, key, cert), []string{"ca.crt", `"proxy/p1"`, "not a CA"}},
		"other CA":    {put(t, cert, key, other.cert), []string{"it.crt", "not signed by a CA of", "ca.crt"}},
		"CA as leaf":  {put(t, ca.cert, ca.key, ca.cert), []string{"it.crt", "names nobody"}},
		"expired":     {between(-time.Hour, -time.Minute), []string{"it.crt expired on", "issue a new one"}},
		"too early":   {between(time.Hour, 2*time.Hour), []string{"it.crt is not valid before", "clock"}},
		"expired CA":  {expiredCA(t), []string{"ca.crt", "not valid now", "fairlead cert ca"}},
		"wrong usage": {wrongUsage(t, ca), []string{"it.crt", "extended key usage", "controller"}},
		"too deep":    {tooDeep(t), []string{"it.crt is not good", "too many intermediates"}},
	} {
		_, err := Load(c.files, nil)
		if err == nil {
			t.Errorf("%s: loads", name)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error is %q, want it to say %q", name, err, w)
			}
		}
	}
	if (Files{}).Set() || !(Files{CA: "x"}).Set() {
		t.Error("Set does not tell whether a file is given")
	}
}

// expiredAuthority is a CA that was good until a minute ago.
func expiredAuthority(t *testing.T) authority {
	t.Helper()
	cert, key, err := sign(&x509.Certificate{
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(-time.Minute),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key}
}

func expiredCA(t *testing.T) Files {
	t.Helper()
	a := expiredAuthority(t)
	ca, caKey, err := issuer(a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := issue(ca, caKey, Identity{Proxy, "p"}, nil, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return put(t, cert, key, a.cert)
}

// wrongUsage is a controller that may only be a client.
func wrongUsage(t *testing.T, a authority) Files {
	t.Helper()
	ca, caKey, err := issuer(a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	template := newLeaf(Identity{Controller, "c"})
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	cert, key, err := sign(template, ca, caKey)
	if err != nil {
		t.Fatal(err)
	}
	return put(t, cert, key, a.cert)
}

// tooDeep is a certificate of a CA below one that may have none below it.
func tooDeep(t *testing.T) Files {
	t.Helper()
	root := newAuthority(t)
	below := root.below(t)
	cert, key, err := Issue(below.cert, below.key, Identity{Proxy, "p"}, nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return put(t, slices.Concat(cert, below.cert), key, root.cert)
}
