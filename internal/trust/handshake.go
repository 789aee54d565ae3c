package trust

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// Reason is why a peer was turned away, as a counter's label.
type Reason string

// The reasons.
const (
	NoCertificate Reason = "no_certificate"
	UnknownCA     Reason = "unknown_ca"
	Expired       Reason = "expired"     // or not valid yet
	NoIdentity    Reason = "no_identity" // the certificate names nobody, or more than one
	WrongRole     Reason = "wrong_role"
	NoTLS         Reason = "no_tls" // plain text came to a TLS port
	Other         Reason = "other"  // among them peers that went away, and those that do not speak TLS 1.3
)

// refusal is an error whose reason is known where it is made.
type refusal struct {
	reason Reason
	error
}

func (r refusal) Unwrap() error { return r.error }

// reasonOf sorts the error of a handshake.
func reasonOf(err error) Reason {
	var known refusal
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &known):
		return known.reason
	case errors.As(err, &unknown):
		return UnknownCA
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return Expired
	case errors.As(err, &header) && header.Conn != nil: // set for a first message that is no TLS
		return NoTLS
	case strings.Contains(err.Error(), "didn't provide a certificate"): // crypto/tls has no type for it
		return NoCertificate
	}
	return Other
}

// Server returns the server's side of mutual TLS for gRPC. Each handshake demands a client
// certificate that is signed by the CA and has an identity; PeerOf returns it to calls.
// What an identity may do is for the calls to check. refused is called for each handshake
// that failed, from its goroutine, and may be nil.
func (c *Credentials) Server(refused func(peer net.Addr, reason Reason, err error)) credentials.TransportCredentials {
	if refused == nil {
		refused = func(net.Addr, Reason, error) {}
	}
	return &serverSide{side{c}, refused}
}

// Client returns the client's side of mutual TLS for gRPC. It presents the own certificate,
// and demands one of the server that is signed by the CA and whose identity has the role
// want. The host name that was dialed is not checked: identities are, and not names, so
// that a controller may move to any address, and nobody else can pass for one.
func (c *Credentials) Client(want Role) credentials.TransportCredentials {
	return &clientSide{side{c}, want}
}

// HTTPS returns the server's side of TLS for browsers and their like: the own certificate,
// and nothing is asked of the client. Browsers do check the host name, so the certificate
// has to be issued for it.
func (c *Credentials) HTTPS() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		SessionTicketsDisabled: true,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &c.current().cert, nil
		},
	}
}

// PeerOf returns who is at the other end of a gRPC call. It returns false if the
// connection was not made by this package, as a connection in plain text is not. Others
// may have wrapped what the handshake yielded, if they have an Unwrap() AuthInfo.
func PeerOf(ctx context.Context) (Identity, bool) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return Identity{}, false
	}
	for info := p.AuthInfo; info != nil; {
		if own, ok := info.(authInfo); ok {
			return own.peer, true
		}
		wrapped, ok := info.(interface{ Unwrap() credentials.AuthInfo })
		if !ok {
			break
		}
		info = wrapped.Unwrap()
	}
	return Identity{}, false
}

// authInfo is what a handshake yields. It is made only for peers that were checked.
type authInfo struct {
	credentials.TLSInfo
	peer Identity
}

// side is what both sides of gRPC's credentials have in common.
type side struct{ trust *Credentials }

// Info implements credentials.TransportCredentials.
func (side) Info() credentials.ProtocolInfo { return credentials.ProtocolInfo{SecurityProtocol: "tls"} }

// OverrideServerName implements credentials.TransportCredentials. Names are not checked.
func (side) OverrideServerName(string) error { return nil }

var errSide = errors.New("credentials of one side of a connection were used for the other")

// ClientHandshake implements credentials.TransportCredentials.
func (side) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errSide
}

// ServerHandshake implements credentials.TransportCredentials.
func (side) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errSide
}

type serverSide struct {
	side
	refused func(net.Addr, Reason, error)
}

// Clone implements credentials.TransportCredentials.
func (s *serverSide) Clone() credentials.TransportCredentials { return &serverSide{s.side, s.refused} }

// ServerHandshake implements credentials.TransportCredentials. The caller bounds its time.
func (s *serverSide) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	k, who := s.trust.current(), Identity{}
	conn, info, err := credentials.NewTLS(&tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{k.cert},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    k.roots,
		Time:         s.trust.now,
		// A session that was resumed would not be checked against a CA file that has changed.
		SessionTicketsDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) (err error) {
			if who, err = IdentityOf(state.PeerCertificates[0]); err != nil {
				return refusal{NoIdentity, err}
			}
			return nil
		},
	}).ServerHandshake(raw)
	if err != nil {
		s.refused(raw.RemoteAddr(), reasonOf(err), err)
		return nil, nil, err
	}
	return wrap(conn, info, who)
}

type clientSide struct {
	side
	want Role
}

// Clone implements credentials.TransportCredentials.
func (s *clientSide) Clone() credentials.TransportCredentials { return &clientSide{s.side, s.want} }

// ClientHandshake implements credentials.TransportCredentials.
func (s *clientSide) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	k, who := s.trust.current(), Identity{}
	conn, info, err := credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13,
		// Shown to every server: one that does not trust its CA then says so, rather
		// than that there was none.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &k.cert, nil },
		// This turns off the check of the name, and that of the chain with it, which
		// VerifyConnection makes instead.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) (err error) {
			who, err = s.check(k, state.PeerCertificates)
			return err
		},
	}).ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, wordClient(err)
	}
	return wrap(conn, info, who)
}

// check checks what a server presents.
func (s *clientSide) check(k *keyring, chain []*x509.Certificate) (Identity, error) {
	if len(chain) == 0 {
		return Identity{}, refusal{NoCertificate, errors.New("the server presents no certificate")}
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: k.roots, Intermediates: between, CurrentTime: s.trust.now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return Identity{}, refusal{reasonOf(err), fmt.Errorf("the server's certificate is refused: %w", err)}
	}
	who, err := IdentityOf(chain[0])
	if err != nil {
		return Identity{}, refusal{NoIdentity, fmt.Errorf("the server: %w", err)}
	}
	if who.Role != s.want {
		return Identity{}, refusal{WrongRole, fmt.Errorf("the server's certificate is of %s, and a %s is wanted; check the address", who, s.want)}
	}
	return who, nil
}

// wordClient words the errors that crypto/tls has for what is no TLS.
func wordClient(err error) error {
	if reasonOf(err) == NoTLS {
		return refusal{NoTLS, fmt.Errorf("the server does not speak TLS; check the address, and that it was started with certificates: %w", err)}
	}
	return err
}

// wrap adds the peer to what gRPC's handshake yielded.
func wrap(conn net.Conn, info credentials.AuthInfo, who Identity) (net.Conn, credentials.AuthInfo, error) {
	state, ok := info.(credentials.TLSInfo)
	if !ok {
		_ = conn.Close() // the error below says more
		return nil, nil, fmt.Errorf("the handshake yielded a %T, not what gRPC's TLS does", info)
	}
	return conn, authInfo{state, who}, nil
}
