package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	staleFactor = 10          // times its TTL, an answer is used where no locator gives a new one
	pauseMost   = time.Second // between lookups while such an answer is used
	maxFailed   = 32          // failed proxies that are remembered, and told to locators
	maxWaits    = 3           // lookups that one caller waits for, for one proxy
)

// listener is what a Client remembers of one listener.
type listener struct {
	c    *Client
	name string

	mu     sync.Mutex           // guards what is below
	answer *answer              // the latest; nil: none
	failed map[string]time.Time // proxies, and until when they are avoided
	marks  uint64               // proxies that have ever failed
	flight *flight              // the lookup under way; nil: none
	err    error                // the latest lookup's
	pause  time.Time            // until then no lookup is begun that nobody waits for
}

// answer is a locator's answer. It never changes.
type answer struct {
	Choice
	got   time.Time
	marks uint64 // those that the locator was told of
}

// flight is one lookup.
type flight struct {
	done  chan struct{} // closed at its end
	err   error         // read it after done
	marks uint64
}

// listener returns what is remembered of a listener.
func (c *Client) listener(name string) (*listener, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("client: the listener's name %w; name a listener of the controller's config", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.listeners[name]; l != nil {
		return l, nil
	}
	if len(c.listeners) >= MaxListeners {
		maps.DeleteFunc(c.listeners, func(_ string, l *listener) bool { return l.unknown() })
	}
	if len(c.listeners) >= MaxListeners {
		return nil, fmt.Errorf("client: listener %q: %d others are remembered, which is the most; use fewer, or another Client", name, MaxListeners)
	}
	l := &listener{c: c, name: name, failed: map[string]time.Time{}}
	c.listeners[name] = l
	return l, nil
}

// unknown tells whether nothing is remembered.
func (l *listener) unknown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answer == nil && l.flight == nil
}

// Choose returns the proxies of a listener, best first, and those that failed lately
// last. It asks a locator if there is no answer yet or if the latest is too old, and
// then blocks until it has one, or until ctx is done. The error is a *RefusedError where
// a locator said no. The caller may change what it gets.
func (c *Client) Choose(ctx context.Context, listener string) (Choice, error) {
	l, err := c.listener(listener)
	if err != nil {
		return Choice{}, err
	}
	a, _, err := l.pick(ctx, nil)
	if err != nil {
		return Choice{}, fmt.Errorf("client: %w", err)
	}
	choice := a.Choice
	choice.Proxies = slices.Clone(choice.Proxies)
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortStableFunc(choice.Proxies, func(a, b Proxy) int { return l.rank(a) - l.rank(b) })
	return choice, nil
}

// rank is 1 for a proxy that failed lately, else 0. mu is held.
func (l *listener) rank(p Proxy) int {
	if _, failed := l.failed[p.Name]; failed {
		return 1
	}
	return 0
}

// pick returns the proxy to use, but none of those that the caller has tried.
func (l *listener) pick(ctx context.Context, tried []string) (*answer, Proxy, error) {
	for waits := 0; ; waits++ {
		a, p, f := l.ready(ctx, tried)
		if f == nil && a == nil {
			return nil, Proxy{}, fmt.Errorf("listener %q: %w", l.name, errAllTried)
		}
		if f == nil {
			return a, p, nil
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, Proxy{}, fmt.Errorf("listener %q: waiting for a locator: %w", l.name, ctx.Err())
		}
		if f.err == nil && waits < maxWaits {
			continue
		}
		if a, p := l.lastResort(tried); a != nil {
			return a, p, nil
		}
		if f.err == nil {
			return nil, Proxy{}, fmt.Errorf("listener %q: %w", l.name, errAllTried)
		}
		return nil, Proxy{}, fmt.Errorf("listener %q: %w", l.name, f.err)
	}
}

var errAllTried = errors.New("every proxy that the locator names has failed")

// ready returns a proxy to use without waiting, or a lookup to wait for, or neither:
// locators name only what was tried.
func (l *listener) ready(ctx context.Context, tried []string) (*answer, Proxy, *flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.c.now()
	l.forget(now)
	if l.answer == nil {
		return nil, Proxy{}, l.lookup(ctx)
	}
	age := now.Sub(l.answer.got)
	p, rank, ok := l.best(tried)
	if age < l.answer.TTL && l.answer.marks == l.marks {
		if !ok {
			return nil, Proxy{}, nil
		}
		return l.answer, p, nil
	}
	// The locators are away. Nobody waits for them as long as there is a proxy to use.
	if l.err != nil && age < staleFactor*l.answer.TTL && ok && rank == 0 {
		if !now.Before(l.pause) {
			l.lookup(ctx)
		}
		return l.answer, p, nil
	}
	return nil, Proxy{}, l.lookup(ctx)
}

// lastResort returns a proxy of the answer that is remembered, even one that failed for
// others; nil if the answer is too old, or if there is no proxy in it that was not tried.
func (l *listener) lastResort(tried []string) (*answer, Proxy) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.answer == nil || l.c.now().Sub(l.answer.got) >= staleFactor*l.answer.TTL {
		return nil, Proxy{}
	}
	if p, _, ok := l.best(tried); ok {
		return l.answer, p
	}
	return nil, Proxy{}
}

// best returns the first proxy that has not failed, else the first that was not tried.
// mu is held, and there is an answer.
func (l *listener) best(tried []string) (best Proxy, rank int, ok bool) {
	for _, p := range l.answer.Proxies {
		if slices.Contains(tried, p.Name) {
			continue
		}
		if r := l.rank(p); !ok || r < rank {
			best, rank, ok = p, r, true
		}
	}
	return best, rank, ok
}

// fail remembers that a proxy has failed. It does not prolong what is remembered already:
// a proxy that is used for lack of another one would never be asked for again.
func (l *listener) fail(p Proxy, why error) {
	l.mu.Lock()
	now := l.c.now()
	l.forget(now)
	_, known := l.failed[p.Name]
	if !known && l.answer != nil {
		if len(l.failed) >= maxFailed {
			delete(l.failed, l.excluded()[0]) // any; with so many the network is down
		}
		l.failed[p.Name] = now.Add(l.answer.TTL)
		l.marks++
	}
	l.mu.Unlock()
	if !known {
		l.c.cfg.Logger.Warn("a proxy failed; others are used", slog.String("listener", l.name),
			slog.String("proxy", p.Name), slog.String("address", p.Address), slog.Any("error", why))
	}
}

// forget drops failures that were long enough ago. mu is held.
func (l *listener) forget(now time.Time) {
	maps.DeleteFunc(l.failed, func(_ string, until time.Time) bool { return !now.Before(until) })
}

// excluded returns the failed proxies, by name. mu is held.
func (l *listener) excluded() []string { return slices.Sorted(maps.Keys(l.failed)) }

// lookup returns the lookup under way, and begins one if there is none. It outlives the
// caller who happened to need it first, as others wait for it too. mu is held.
func (l *listener) lookup(ctx context.Context) *flight {
	if l.flight == nil {
		l.flight = &flight{done: make(chan struct{}), marks: l.marks}
		go l.fly(context.WithoutCancel(ctx), l.flight, l.excluded())
	}
	return l.flight
}

func (l *listener) fly(ctx context.Context, f *flight, exclude []string) {
	choice, err := l.c.locate(ctx, l.name, exclude)
	l.mu.Lock()
	before := l.err
	now := l.c.now()
	switch {
	case err == nil:
		l.answer = &answer{Choice: choice, got: now, marks: f.marks}
	case isFinal(err):
		l.answer = nil
	case l.answer != nil:
		l.pause = now.Add(min(pauseMost, l.answer.TTL))
	}
	l.err, f.err, l.flight = err, err, nil
	kept := l.answer != nil
	l.mu.Unlock()
	log := l.c.cfg.Logger.With(slog.String("listener", l.name))
	switch {
	case err != nil && before == nil && kept:
		log.Warn("no locator names a proxy; the last answer is used on", slog.Any("error", err))
	case err == nil && before != nil:
		log.Info("locators name proxies again")
	}
	close(f.done)
}
