package trust

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"time"
)

// Files names what a process shows and whom it believes, each a file of PEM.
type Files struct {
	Cert string // its certificate, and after it those between it and the CA, if any
	Key  string // the certificate's private key
	CA   string // the certificates of the CAs that it trusts; several while one replaces another
}

// Set tells whether any file is given.
func (f Files) Set() bool { return f != Files{} }

// all returns the files with what they are called in errors.
func (f Files) all() [3]struct{ what, path string } {
	return [3]struct{ what, path string }{
		{"certificate", f.Cert}, {"private key", f.Key}, {"CA certificate", f.CA},
	}
}

// complete returns an error if a file is not given.
func (f Files) complete() error {
	var missing []string
	for _, file := range f.all() {
		if file.path == "" {
			missing = append(missing, "the file of the "+file.what+" is not given")
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("a certificate, its private key and the CA certificate go together, and %s; name all three",
		strings.Join(missing, " and "))
}

// keyring is what the files held at one time. It is not changed once it is made.
type keyring struct {
	cert     tls.Certificate
	roots    *x509.CertPool
	identity Identity
	loose    bool // anyone on the host may read the key
}

// read reads the files and checks that they are of use together.
func (f Files) read(now time.Time) (*keyring, error) {
	var texts [3][]byte
	for i, file := range f.all() {
		var err error
		if texts[i], err = readFile(file.what, file.path); err != nil {
			return nil, err
		}
	}
	k := &keyring{}
	var err error
	if k.roots, err = f.readRoots(texts[2]); err != nil {
		return nil, err
	}
	if k.cert, err = f.pair(texts[0], texts[1]); err != nil {
		return nil, err
	}
	if k.identity, err = IdentityOf(k.cert.Leaf); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Cert, err)
	}
	if err := f.verify(k, now); err != nil {
		return nil, err
	}
	info, err := os.Stat(f.Key)
	k.loose = err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0
	return k, nil
}

func readFile(what, path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the %s %s does not exist; check the path, or make it with 'fairlead cert'", what, path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the %s %s may not be read; give it to the user that runs this", what, path)
	case err != nil:
		return nil, fmt.Errorf("the %s %s cannot be read: %w", what, path, err)
	}
	return text, nil
}

// readRoots reads the CA file.
func (f Files) readRoots(text []byte) (*x509.CertPool, error) {
	certs, err := certificates(text)
	if err != nil {
		return nil, fmt.Errorf("the CA certificate %s: %w", f.CA, err)
	}
	roots := x509.NewCertPool()
	for _, c := range certs {
		// One that is not a CA's would be trusted as itself, whoever signed it.
		if !c.BasicConstraintsValid || !c.IsCA {
			return nil, fmt.Errorf("the CA certificate %s: it holds a certificate of %q, which is not a CA; remove it",
				f.CA, c.Subject.CommonName)
		}
		roots.AddCert(c)
	}
	return roots, nil
}

var errNoCertificate = errors.New("there is no certificate in PEM in it; it begins with -----BEGIN CERTIFICATE-----")

// certificates reads every certificate of a text, of which there is at least one.
func certificates(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d in it cannot be read: %w", len(all)+1, err)
		}
		all = append(all, c)
	}
	if all == nil {
		return nil, errNoCertificate
	}
	return all, nil
}

// pair joins the certificate and its key.
func (f Files) pair(certText, keyText []byte) (tls.Certificate, error) {
	certs, err := certificates(certText)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("the certificate %s: %w", f.Cert, err)
	}
	key, err := privateKey(keyText)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("the private key %s: %w", f.Key, err)
	}
	if !fits(key, certs[0]) {
		return tls.Certificate{}, fmt.Errorf("the private key %s does not fit the certificate %s; name two that were issued together",
			f.Key, f.Cert)
	}
	cert := tls.Certificate{PrivateKey: key, Leaf: certs[0]}
	for _, c := range certs {
		cert.Certificate = append(cert.Certificate, c.Raw)
	}
	return cert, nil
}

// verify checks the own certificate as others will.
func (f Files) verify(k *keyring, now time.Time) error {
	usage := x509.ExtKeyUsageClientAuth
	if k.identity.Role == Controller {
		usage = x509.ExtKeyUsageServerAuth
	}
	between := x509.NewCertPool()
	for _, raw := range k.cert.Certificate[1:] {
		if c, err := x509.ParseCertificate(raw); err == nil {
			between.AddCert(c)
		}
	}
	leaf := k.cert.Leaf
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: k.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage},
	})
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		return nil
	case now.After(leaf.NotAfter):
		return fmt.Errorf("the certificate %s expired on %s; issue a new one with 'fairlead cert issue'",
			f.Cert, leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("the certificate %s is not valid before %s; check this host's clock",
			f.Cert, leaf.NotBefore.UTC().Format(time.RFC3339))
	case reasonOf(err) == UnknownCA:
		return fmt.Errorf("the certificate %s is not signed by a CA of %s; name the CA that signed it, or issue it from that one",
			f.Cert, f.CA)
	case reasonOf(err) == Expired:
		return fmt.Errorf("the CA of %s that signed the certificate %s is not valid now: %w; make a new one with 'fairlead cert ca'",
			f.CA, f.Cert, err)
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return fmt.Errorf("the certificate %s may not be used for TLS by a %s; issue one with the extended key usages of both "+
			"server and client", f.Cert, k.identity.Role)
	}
	return fmt.Errorf("the certificate %s is not good: %w; issue a new one with 'fairlead cert issue'", f.Cert, err)
}

// warn tells of what works and is not wise.
func (f Files) warn(k *keyring, log *slog.Logger) {
	if k.loose {
		log.Warn("everyone on this host may read the private key; let only its user", "file", f.Key, "mode", "0600")
	}
}
