package l4

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/hangup"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/originate"
)

var (
	errClientGone  = errors.New("the client went away")
	errUnreachable = errors.New("no backend could be reached")
)

// connectTimeout is for pools that do not say.
const connectTimeout = 5 * time.Second

// connect asks until a backend is reached, or nobody is left to ask for. The caller
// owes the grant a Done only when there is no error.
func (s *Server) connect(ctx context.Context, client *caller, pool *link.Pool) (*end, *link.Grant, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if s.cfg.Hangup != nil {
		defer s.cfg.Hangup.Watch(client, hangup.TCP, func() { cancel(errClientGone) })()
	}
	r := link.Request{Pool: pool}
	if pool.About {
		r.About = s.about(ctx, client, pool)
	}
	for {
		asked := time.Now()
		g, err := s.cfg.Granter.Ask(ctx, r)
		r.Waited += time.Since(asked)
		if err != nil {
			client.visit.waited = r.Waited
			return nil, nil, cause(ctx, err)
		}
		client.visit.try(g, r.Waited)
		if g.Moved {
			s.cfg.Classified.Moved(pool.Name)
		}
		conn, err := dial(ctx, client, g)
		if err == nil {
			client.visit.connect = time.Since(client.visit.granted)
			return conn, g, nil
		}
		if ctx.Err() != nil {
			g.Done(link.Result{Outcome: fleet.Cancelled})
			return nil, nil, context.Cause(ctx)
		}
		g.Done(link.Result{Outcome: fleet.Unreachable})
		if len(r.Exclude) >= pool.Retries {
			return nil, nil, fmt.Errorf("%w: %w", errUnreachable, err)
		}
		r.Exclude = append(r.Exclude[:len(r.Exclude):len(r.Exclude)], g.Backend)
	}
}

// cause prefers the reason for which the context ended to what was made of it.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// dial connects to a grant's backend, and begins what it is to hear first. A grant that is
// cut meanwhile is as good as a backend that cannot be reached: the request has not begun.
func dial(ctx context.Context, client *caller, g *link.Grant) (*end, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g.OnCut(cancel)
	timeout := g.Pool.ConnectTimeout
	if timeout <= 0 {
		timeout = connectTimeout
	}
	limited, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	var d net.Dialer
	c, err := d.DialContext(limited, "tcp", string(g.Backend))
	if err != nil {
		return nil, err
	}
	e := &end{tcp: c.(*net.TCPConn)}
	if err := present(e.tcp, client, g); err != nil {
		return nil, err
	}
	if t := g.Pool.TLS; t != nil {
		if e.secure, err = t.Client(limited, c, g.Backend, ""); err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, errors.Join(context.Cause(ctx), c.Close())
	}
	return e, nil
}

// end is one side of a link.
type end struct {
	tcp    *net.TCPConn
	secure *originate.Conn // above it; nil: plain text
}

// stream returns what bytes are read from and written to.
func (e *end) stream() stream {
	if e.secure != nil {
		return e.secure
	}
	return e.tcp
}

type stream interface {
	io.ReadWriter
	CloseWrite() error
}
