package front

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/fairlead/fairlead/internal/proxy/acme"
)

// issue has certificates issued as settings say, from now on. f.mu is held.
func (f *Front) issue(settings *acme.Settings) error {
	old := f.issued.Load()
	switch {
	case f.files.ACME.Equal(settings):
		return nil
	case old != nil && settings != nil && f.files.ACME.SameBut(settings):
		old.SetDomains(settings.Domains)
		return nil
	}
	var next *acme.Manager
	if settings != nil {
		var err error
		next, err = acme.Start(acme.Config{
			Settings: *settings, Address: f.address, Logger: f.log.With("listener", f.listener),
			Failed: f.metrics.errors.WithLabelValues(f.listener).Inc,
		})
		if err != nil {
			return err
		}
	}
	f.issued.Store(next)
	if old != nil {
		old.Close()
	}
	return nil
}

// arrange makes a config that has the files show what is issued, too.
func (f *Front) arrange(conf *tls.Config) {
	if f.issued.Load() == nil {
		return
	}
	files := len(conf.Certificates) > 0
	conf.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		m := f.issued.Load()
		if m == nil {
			return nil, nil
		}
		cert, mine := m.Certificate(hello)
		switch {
		case cert != nil && (mine || !files):
			return cert, nil
		case files:
			return nil, nil // which has them be looked at
		}
		return nil, fmt.Errorf("there is no certificate for %q yet; it is being obtained", hello.ServerName)
	}
	conf.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if m := f.issued.Load(); m != nil {
			return m.Challenge(hello), nil
		}
		return nil, nil
	}
}

// Challenge returns what to answer a CA with that asks a host for a path over HTTP; nil: there
// is no challenge that it would solve.
func (f *Front) Challenge(ctx context.Context, host, path string) []byte {
	if m := f.issued.Load(); m != nil {
		return m.HTTPChallenge(ctx, host, path)
	}
	return nil
}

// Stop has no more certificates be issued. Those that are there are shown on.
func (f *Front) Stop() {
	if m := f.issued.Load(); m != nil {
		m.Stop()
	}
}

// Close stops, and returns when what was begun has ended. Set is not called any more.
func (f *Front) Close() {
	if m := f.issued.Load(); m != nil {
		m.Close()
	}
}
