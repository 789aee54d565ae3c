package l4

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/hangup"
	"github.com/fairlead/fairlead/internal/proxy/idle"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// pair is a link: a client's connection and a backend's. Go sets keep-alive on both, so
// a peer whose host has vanished is noticed.
type pair struct {
	client, backend *end
	metrics         *poolMetrics
	link            *idle.Link
	in, out         int64 // bytes, once run has returned

	mu       sync.Mutex    // guards what is below
	outcome  fleet.Outcome // of the first thing that went wrong
	idled    bool          // which was that nothing moved
	answered bool          // the backend has said all that it wants to say
}

// run moves bytes both ways until both directions have ended, or one has broken, or nothing
// has moved for the idle timeout, or the link is cut. Both connections are closed when it
// returns.
func (p *pair) run(ctx context.Context, g *link.Grant, limit time.Duration) (outcome fleet.Outcome, idled bool) {
	p.link = idle.NewLink(p.client.tcp, p.backend.tcp)
	defer p.link.Watch(limit, p.expire)()
	g.OnCut(func(error) { p.abort(fleet.Revoked) })
	defer context.AfterFunc(ctx, func() { p.abort(fleet.Cancelled) })()
	var up sync.WaitGroup
	up.Go(func() { p.move(p.backend, p.client, p.metrics.in, &p.in) })
	p.move(p.client, p.backend, p.metrics.out, &p.out)
	up.Wait()
	_ = p.client.tcp.Close() // nothing is left to be lost
	_ = p.backend.tcp.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.outcome == fleet.NoOutcome {
		return fleet.OK, false
	}
	return p.outcome, p.idled
}

// move carries one direction. Its end is passed on as an end of that direction alone;
// if it breaks, both directions break.
func (p *pair) move(to, from *end, bytes prometheus.Counter, moved *int64) {
	n, err := p.link.Copy(to.stream(), from.stream())
	bytes.Add(float64(n))
	*moved = n
	if err != nil {
		p.abort(p.blame(from, err))
		return
	}
	if from == p.backend {
		p.mu.Lock()
		p.answered = true
		p.mu.Unlock()
	}
	_ = to.stream().CloseWrite() // fails when to is broken, which the other direction notices
}

// blame says whose fault a broken direction is. The error does not tell: a splice fails
// alike for either side.
func (p *pair) blame(from *end, err error) fleet.Outcome {
	client, backend := hangup.Broken(p.client.tcp), hangup.Broken(p.backend.tcp)
	if !client && !backend { // a system that cannot tell
		client = (from == p.client) != errors.Is(err, syscall.EPIPE)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case client:
		return fleet.Cancelled
	case p.answered:
		return fleet.OK // it closed after its last word, and the client went on talking
	}
	return fleet.Failed
}

// abort ends both connections with a reset. The first call's outcome counts.
func (p *pair) abort(o fleet.Outcome) { p.end(o, false) }

// expire is abort, for a link on which nothing moves. It counts as the client's to end: no
// backend is to blame.
func (p *pair) expire() { p.end(fleet.Cancelled, true) }

func (p *pair) end(o fleet.Outcome, idle bool) {
	p.mu.Lock()
	first := p.outcome == fleet.NoOutcome
	if first {
		p.outcome, p.idled = o, idle
	}
	p.mu.Unlock()
	if first {
		reset(p.client.tcp)
		reset(p.backend.tcp)
	}
}
