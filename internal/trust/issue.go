package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"regexp"
	"strings"
	"time"
)

// skew is how far before now a certificate becomes valid, for hosts whose clocks are late.
const skew = 5 * time.Minute

// maxCommonName is what X.520 allows for a common name.
const maxCommonName = 64

// NewCA makes a CA that is valid for a time from now on, and returns its certificate and
// its private key as PEM. Keys are ECDSA on P-256, which every TLS 1.3 peer takes. The CA
// signs certificates, and no other CAs.
func NewCA(name string, life time.Duration) (certPEM, keyPEM []byte, err error) {
	if name == "" || len(name) > maxCommonName {
		return nil, nil, fmt.Errorf("the CA's name %q is not good; use 1 to %d bytes", name, maxCommonName)
	}
	if life <= 0 {
		return nil, nil, errLife(life)
	}
	now := time.Now()
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: now.Add(-skew), NotAfter: now.Add(life),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	return sign(template, nil, nil)
}

// Issue makes a certificate for an identity, valid for a time from now on but no longer
// than the CA, and returns it and its private key as PEM. Hosts are DNS names and IP
// addresses at which it serves browsers; Fairlead itself checks none. Every certificate is
// good for a client; those of controllers and proxies, and those with hosts, for a server
// too. If caCertPEM holds several certificates, the one that caKeyPEM fits signs.
func Issue(caCertPEM, caKeyPEM []byte, id Identity, hosts []string, life time.Duration) (certPEM, keyPEM []byte, err error) {
	if life <= 0 {
		return nil, nil, errLife(life)
	}
	now := time.Now()
	ca, key, err := issuer(caCertPEM, caKeyPEM)
	if err != nil {
		return nil, nil, err
	}
	if now.After(ca.NotAfter) {
		return nil, nil, fmt.Errorf("the CA %q expired on %s; make a new one", ca.Subject.CommonName, ca.NotAfter.UTC().Format(time.RFC3339))
	}
	end := now.Add(life)
	if end.After(ca.NotAfter) {
		end = ca.NotAfter
	}
	return issue(ca, key, id, hosts, now.Add(-skew), end)
}

func errLife(life time.Duration) error {
	return fmt.Errorf("a life of %s is none; it has to be above 0", life)
}

// issue makes a certificate that is valid from one moment to another.
func issue(ca *x509.Certificate, caKey crypto.Signer, id Identity, hosts []string, from, to time.Time) (certPEM, keyPEM []byte, err error) {
	if err := id.Check(); err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: id.String()[:min(len(id.String()), maxCommonName)]},
		NotBefore: from, NotAfter: to,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	template.URIs = append(template.URIs, id.URI())
	if id.Role == Controller || id.Role == Proxy || len(hosts) > 0 {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	if err := addHosts(template, hosts); err != nil {
		return nil, nil, err
	}
	return sign(template, ca, caKey)
}

// dnsNames are those that a certificate may have, in lower case.
var dnsNames = regexp.MustCompile(`^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$`)

func addHosts(template *x509.Certificate, hosts []string) error {
	for _, h := range hosts {
		if ip := net.ParseIP(strings.Trim(h, "[]")); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		name := strings.ToLower(strings.TrimSuffix(h, "."))
		if len(name) > 253 || !dnsNames.MatchString(name) {
			return fmt.Errorf("the host %q is neither a DNS name nor an IP address; write it without scheme and port", h)
		}
		template.DNSNames = append(template.DNSNames, name)
	}
	return nil
}

// sign makes a key, and a certificate for it. Without a CA it signs itself.
func sign(template, ca *x509.Certificate, caKey crypto.Signer) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a private key: %w", err)
	}
	if ca == nil {
		ca, caKey = template, key
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, nil, fmt.Errorf("make a serial number: %w", err)
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1)) // above 0, as RFC 5280 wants
	cert, err := x509.CreateCertificate(rand.Reader, template, ca, key.Public(), caKey)
	if err != nil {
		return nil, nil, fmt.Errorf("sign the certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("write the private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), nil
}

// issuer reads a CA that is to sign.
func issuer(certPEM, keyPEM []byte) (*x509.Certificate, crypto.Signer, error) {
	certs, err := certificates(certPEM)
	if err != nil {
		return nil, nil, fmt.Errorf("the CA certificate: %w", err)
	}
	key, err := privateKey(keyPEM)
	if err != nil {
		return nil, nil, fmt.Errorf("the CA's private key: %w", err)
	}
	for _, c := range certs {
		if !fits(key, c) {
			continue
		}
		if !c.BasicConstraintsValid || !c.IsCA {
			return nil, nil, fmt.Errorf("the certificate of %q is not a CA's, and cannot sign", c.Subject.CommonName)
		}
		return c, key, nil
	}
	return nil, nil, errors.New("the CA's private key does not fit its certificate; use two that were made together")
}

var errNoKey = errors.New("there is no private key in PEM in it that can be read without a passphrase; " +
	"it begins with -----BEGIN PRIVATE KEY-----")

// privateKey reads the first private key of a text.
func privateKey(text []byte) (crypto.Signer, error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, errNoKey
		}
		var key any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("it cannot be read: %w", err)
		}
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
		return nil, fmt.Errorf("it is a %T, which cannot sign", key)
	}
}

// fits tells whether a private key is that of a certificate.
func fits(key crypto.Signer, cert *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(cert.PublicKey)
}
