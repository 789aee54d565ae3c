package l4

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/internal/proxy/hello"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/peek"
	"github.com/fairlead/fairlead/internal/proxy/route"
)

// Rules are what holds for a listener's connections. They never change.
type Rules struct {
	// Pool is for every connection where Names is nil; nil: connections are reset.
	Pool *link.Pool
	// Names leads by TLS server name, and by "*" those without one too.
	Names *route.Table
	// IdleTimeout is how long a link lives on which no byte moves; 0: any time.
	IdleTimeout time.Duration
}

// unrouted is why no pool was found for a connection.
type unrouted struct {
	reason string // for metrics
	error
}

// pool finds the pool of a connection. What is not TLS has no name. A client that is slow
// to say its name is not taken for one that has none: the answer must not depend on time.
func (r Rules) pool(ctx context.Context, client *caller) (*link.Pool, *unrouted) {
	if r.Names == nil {
		if r.Pool == nil {
			return nil, &unrouted{"no_route", errors.New("no route leads from the listener")}
		}
		return r.Pool, nil
	}
	if err := client.readName(ctx, helloWait); err != nil && !errors.Is(err, hello.ErrNotTLS) {
		return nil, unnamed(err)
	}
	pool := r.Names.Match(client.name, "/")
	switch {
	case pool != nil:
		return pool, nil
	case client.name == "":
		return nil, &unrouted{"no_name", errors.New("the client says no TLS server name, and no route is for any host")}
	}
	return nil, &unrouted{"unknown_name", fmt.Errorf("no route is for the TLS server name %q", client.name)}
}

// unnamed is for a connection whose name could not be looked for.
func unnamed(err error) *unrouted {
	switch {
	case errors.Is(err, hello.ErrBad), errors.Is(err, peek.ErrTooLong):
		return &unrouted{"bad_hello", err}
	case errors.Is(err, errStopped):
		return &unrouted{"stopping", err}
	case peek.TimedOut(err):
		return &unrouted{"hello_timeout", fmt.Errorf("waiting for the ClientHello: %w", err)}
	}
	return &unrouted{"client_gone", err}
}
