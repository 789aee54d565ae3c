package store

import (
	"crypto/x509"
	"fmt"
	"net"
)

// checkPeerTLS says what the other stores would not take in this one's certificate. They only
// hang up.
func checkPeerTLS(cfg Config) error {
	if !cfg.PeerTLS.Set() {
		return nil
	}
	conf, err := cfg.PeerTLS.client("peers")
	if err != nil {
		return fmt.Errorf("%w; name good files of certificate, key and CA", err)
	}
	host, _, err := net.SplitHostPort(cfg.Peers[cfg.Name])
	if err != nil {
		return err
	}
	chain := conf.Certificates[0]
	opts := x509.VerifyOptions{Roots: conf.RootCAs, Intermediates: x509.NewCertPool()}
	for _, der := range chain.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			opts.Intermediates.AddCert(c)
		}
	}
	for _, use := range []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth} {
		opts.KeyUsages = []x509.ExtKeyUsage{use}
		if _, err := chain.Leaf.Verify(opts); err != nil {
			return fmt.Errorf("the certificate for peers cannot be used: %w; name good files of certificate, key and CA", err)
		}
	}
	issue := fmt.Sprintf("make one with 'fairlead cert issue controller %s --host %s'", cfg.Name, host)
	if cn := chain.Leaf.Subject.CommonName; cn != commonName(cfg.Name) {
		return fmt.Errorf("the certificate for peers, %s, is of %q, and the other stores let in %q; %s", cfg.PeerTLS.Cert, cn, commonName(cfg.Name), issue)
	}
	if err := chain.Leaf.VerifyHostname(host); err != nil {
		return fmt.Errorf("the certificate for peers, %s, is not good for %s, where the other stores connect to: %w; %s", cfg.PeerTLS.Cert, host, err, issue)
	}
	return nil
}
