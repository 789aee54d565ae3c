package control

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/store"
)

// proxyRegistry knows the sessions by their proxies' names.
type proxyRegistry struct {
	mu     sync.Mutex // guards what is below
	live   map[string]*proxySession
	all    map[*proxySession]bool // these, and those that have handed over
	known  map[string]knownProxy  // by name: the latest run
	names  map[fleet.ProxyID]string
	lastID fleet.ProxyID
	counts map[string]uint64 // asks at the last sample, by name
}

type knownProxy struct {
	instance string
	id       fleet.ProxyID
	last     *proxySession
	left     time.Time
}

func newProxyRegistry() *proxyRegistry {
	return &proxyRegistry{
		live: map[string]*proxySession{}, all: map[*proxySession]bool{}, known: map[string]knownProxy{},
		names: map[fleet.ProxyID]string{}, counts: map[string]uint64{},
	}
}

// enter admits a session. Another session of the same run of the proxy is ended first,
// because the proxy knows better that it is dead; another run's is not.
func (g *proxyRegistry) enter(ctx context.Context, p *proxySession) error {
	name, instance := p.hello.GetName(), p.hello.GetInstance()
	for {
		g.mu.Lock()
		old := g.live[name]
		if old == nil || p.hello.GetReplaces() != "" && p.hello.GetReplaces() == old.hello.GetInstance() {
			err := g.admit(p)
			g.mu.Unlock()
			return err
		}
		g.mu.Unlock()
		if old.hello.GetInstance() != instance {
			return status.Errorf(codes.AlreadyExists,
				"a proxy named %q is connected from %s; give each proxy a name of its own (--name)", name, old.peer)
		}
		old.cancel(status.Error(codes.Aborted, "the proxy has opened another session"))
		select {
		case <-old.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
		g.mu.Lock()
		if g.live[name] == old {
			delete(g.live, name)
		}
		g.mu.Unlock()
	}
}

// admit notes a session. g.mu is held.
func (g *proxyRegistry) admit(p *proxySession) error {
	name := p.hello.GetName()
	k, known := g.known[name]
	if !known && len(g.known) >= maxProxies {
		return status.Errorf(codes.ResourceExhausted, "%d proxies are known, and no more are taken", maxProxies)
	}
	if k.instance != p.hello.GetInstance() {
		if g.live[name] == nil {
			delete(g.names, k.id)
		} // else it has handed over, and is about to end
		g.lastID++
		k = knownProxy{instance: p.hello.GetInstance(), id: g.lastID}
	}
	p.id, k.last, k.left = k.id, p, time.Time{}
	g.known[name], g.names[k.id], g.live[name] = k, name, p
	g.all[p] = true
	g.counts[name] = 0
	return nil
}

// expect returns the IDs of proxies that another controller has known, and makes them known
// here.
func (g *proxyRegistry) expect(all map[string]store.Proxy) []fleet.ProxyID {
	g.mu.Lock()
	defer g.mu.Unlock()
	var ids []fleet.ProxyID
	for key := range all {
		_, instance, name, ok := splitProxyKey(key)
		if !ok {
			continue
		}
		k := g.known[name]
		if k.instance != instance {
			if k.last != nil || len(g.known) >= maxProxies {
				continue // that run has ended: another one is here
			}
			g.lastID++
			k = knownProxy{instance: instance, id: g.lastID, left: time.Now()}
			g.known[name], g.names[k.id] = k, name
		}
		ids = append(ids, k.id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// connected tells whether a run of a proxy has a session here.
func (g *proxyRegistry) connected(name, instance string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for p := range g.all {
		if p.hello.GetName() == name && p.hello.GetInstance() == instance {
			return true
		}
	}
	return false
}

// newID returns an ID that no proxy has.
func (g *proxyRegistry) newID() fleet.ProxyID {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lastID++
	return g.lastID
}

func (g *proxyRegistry) leave(p *proxySession) {
	g.mu.Lock()
	defer g.mu.Unlock()
	name := p.hello.GetName()
	delete(g.all, p)
	if g.live[name] == p {
		delete(g.live, name)
	} else if g.known[name].id != p.id {
		delete(g.names, p.id)
	}
	if k := g.known[name]; k.last == p {
		k.left = time.Now()
		g.known[name] = k
	}
}

// remember is how long a proxy that is gone is still shown, and its ID kept.
const remember = 10 * time.Minute

// sample measures rates, and forgets those who are gone for long.
func (g *proxyRegistry) sample(seconds float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, p := range g.live {
		asks := p.asks.Load()
		p.asksRate.Store(uint64(float64(asks-g.counts[name]) / seconds * 100))
		g.counts[name] = asks
	}
	for name, k := range g.known {
		if g.live[name] == nil && !k.left.IsZero() && time.Since(k.left) > remember {
			delete(g.known, name)
			delete(g.names, k.id)
			delete(g.counts, name)
		}
	}
}

func (g *proxyRegistry) name(id fleet.ProxyID) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n, ok := g.names[id]; ok {
		return n
	}
	return fmt.Sprintf("#%d", id)
}

// standings returns every known proxy, by name.
func (g *proxyRegistry) standings() []*fairleadv1.ProxyStanding {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []*fairleadv1.ProxyStanding
	for name, k := range g.known {
		p := k.last
		if p == nil {
			continue // only another controller has seen it
		}
		s := &fairleadv1.ProxyStanding{
			Name: name, Instance: k.instance, Zone: p.hello.GetZone(), Connected: g.live[name] == p,
			Status: p.status.Load(), Software: p.hello.GetSoftware(), Address: p.peer,
			Advertise: p.hello.GetAdvertise(),
		}
		if s.Connected {
			s.AsksPerSecond = float64(p.asksRate.Load()) / 100
			s.ConnectedMs = uint64(time.Since(p.since).Milliseconds())
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *fairleadv1.ProxyStanding) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
