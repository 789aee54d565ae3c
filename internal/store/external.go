package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// dial connects to an etcd of others, and waits until one of its members answers.
func dial(ctx context.Context, cfg Config) (*clientv3.Client, error) {
	conf, err := cfg.TLS.client("endpoints")
	if err != nil {
		return nil, err
	}
	quick := grpc.ConnectParams{MinConnectTimeout: time.Second,
		Backoff: backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second}}
	endpoints := make([]string, len(cfg.Endpoints))
	for i, e := range cfg.Endpoints {
		endpoints[i] = "http://" + e
		if conf != nil {
			endpoints[i] = "https://" + e
		}
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints: endpoints, TLS: conf, Logger: zapFor(cfg),
		DialKeepAliveTime: 5 * time.Second, DialKeepAliveTimeout: 2 * time.Second,
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(quick)},
	})
	if err != nil {
		return nil, fmt.Errorf("connecting to the endpoints: %w", err)
	}
	if err := answers(ctx, client, cfg.Endpoints, conf); err != nil {
		return nil, errors.Join(explainDial(err, cfg), client.Close())
	}
	return client, nil
}

// answers waits until a quorum answers, and returns the last reason why it does not.
func answers(ctx context.Context, client *clientv3.Client, endpoints []string, conf *tls.Config) error {
	last := error(context.DeadlineExceeded)
	for ctx.Err() == nil {
		once, done := context.WithTimeout(ctx, opTime)
		_, err := client.Get(once, baseKey)
		done()
		if err == nil {
			return nil
		}
		if hopeless(err) {
			return err
		}
		if why := probeAll(ctx, endpoints, conf); ctx.Err() == nil && why != nil {
			if last = why; hopeless(why) {
				return why
			}
		} else if !errors.Is(err, context.DeadlineExceeded) || errors.Is(last, context.DeadlineExceeded) {
			last = err
		}
		wait(ctx, pause)
	}
	return last
}

// hopeless tells whether the same question has the same answer the next time.
func hopeless(err error) bool {
	return errors.Is(err, rpctypes.ErrPermissionDenied) || errors.Is(err, rpctypes.ErrUserEmpty) ||
		errors.Is(err, rpctypes.ErrAuthFailed) || strings.Contains(err.Error(), "x509:") || strings.Contains(err.Error(), "tls:")
}

// explainDial says what to do about endpoints that do not answer as they should.
func explainDial(err error, cfg Config) error {
	all := strings.Join(cfg.Endpoints, ", ")
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(err.Error(), p) })
	}
	switch {
	case has("x509: certificate is valid for", "x509: cannot validate certificate for", "certificate is not valid for any names"):
		return fmt.Errorf("the certificate of the etcd at %s is for another host: %w; name the endpoints by the names that it has, or give it one with theirs", all, err)
	case errors.Is(err, errNoTLS):
		return fmt.Errorf("the etcd at %s speaks no TLS: %w; leave out the CA, or name its TLS port", all, err)
	case has("x509:", "certificate", "tls:"):
		return fmt.Errorf("the etcd at %s and this controller do not accept each other's certificates: %w; name the CA that signed its, and a certificate that it asks for", all, err)
	case !cfg.TLS.Set() && errors.Is(err, errHangsUp):
		return fmt.Errorf("the etcd at %s hangs up: %w; if it wants TLS, name the CA of its certificate", all, err)
	case errors.Is(err, errHangsUp):
		return fmt.Errorf("what listens at %s is no etcd: %w; correct the endpoints", all, err)
	case has("permission denied", "user name is empty", "authentication failed"):
		return fmt.Errorf("the etcd at %s lets nobody in without a user: %w; allow the certificate's name to read and write below %s", all, err, prefix)
	case errors.Is(err, rpctypes.ErrNoSpace):
		return fmt.Errorf("the etcd at %s is full: %w; have its keeper free some space and disarm its alarm", all, err)
	}
	return fmt.Errorf("the etcd at %s does not answer: %w; start it, or correct the endpoints", all, err)
}
