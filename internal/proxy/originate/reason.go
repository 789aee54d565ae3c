package originate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

var errNoHTTP2 = errors.New("the backend did not choose HTTP/2 (h2, by ALPN)")

// filesError is that of a pool whose files cannot be used.
type filesError struct{ error }

func (e *filesError) Unwrap() error { return e.error }

// advice says what to do, by reason.
var advice = map[string]string{
	"unknown_ca":      "name the file of the CA that signed its certificate as backend_tls.ca",
	"wrong_name":      "set backend_tls.server_name to a name that its certificate holds",
	"expired":         "renew its certificate, or set this host's clock",
	"bad_certificate": "give it a certificate for servers",
	"refused":         "see its log; it may want a certificate (backend_tls.cert), or another server_name",
	"no_http2":        "have it offer h2, or remove http2 from the pool",
	"not_tls":         "correct its port, or remove backend_tls from the pool",
	"timeout":         "see whether it speaks TLS, or raise connect_timeout",
	"closed":          "see its log, and whether it speaks TLS at that port",
	"files":           "correct the files of backend_tls, which are on this proxy's host",
	"other":           "see its log",
}

// reason says in a word what a handshake met.
func reason(err error) string {
	var (
		ca      x509.UnknownAuthorityError
		roots   x509.SystemRootsError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		other   *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		files   *filesError
	)
	switch {
	case errors.As(err, &files):
		return "files"
	case errors.Is(err, errNoHTTP2):
		return "no_http2"
	case errors.As(err, &ca), errors.As(err, &roots):
		return "unknown_ca"
	case errors.As(err, &name):
		return "wrong_name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "expired"
	case errors.As(err, &invalid), errors.As(err, &other):
		return "bad_certificate"
	case errors.As(err, &record):
		return "not_tls"
	case Alert(err) == "no application protocol":
		return "no_http2"
	case Alert(err) != "":
		return "refused"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "closed"
	}
	return "other"
}

// Alert returns the text of the alert with which the other side ended TLS; empty: the error is
// another.
func Alert(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" || op.Err == nil {
		return ""
	}
	return strings.TrimPrefix(op.Err.Error(), "tls: ")
}

// Unwelcome tells whether the other side did not like the certificate that it was shown, or
// that none was. In TLS 1.3 that comes after the handshake, in place of an answer: nothing
// that was sent until then has been looked at.
func Unwelcome(err error) bool {
	alert := Alert(err)
	return strings.Contains(alert, "certificate") || alert == "access denied"
}
