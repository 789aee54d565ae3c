package control

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/fleet"
)

// Locator is what chooses proxies for clients. cmd brings one.
type Locator interface {
	fairleadv1.LocatorServer
	// ZoneOf returns the zone of a client; empty: it is in none.
	ZoneOf(client netip.Addr) string
	// Standing returns a proxy's load as the choice sees it, or why it is not chosen.
	Standing(proxy string) (load float64, whyNot string)
}

// proxyStates is what the choice of proxies is made from. Making it costs time with many
// proxies, whose words come all the time, so it may be some milliseconds old; but not
// about who is there.
type proxyStates struct {
	mu    sync.Mutex // guards what is below
	all   []fleet.ProxyState
	made  time.Time
	stale bool // somebody came, left or drains
	aged  bool // somebody has told its load
}

// statesAge is how old it may be.
const statesAge = 20 * time.Millisecond

func (s *proxyStates) changed(who bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aged = true
	s.stale = s.stale || who
}

// Proxies returns what is known of every proxy, by name. The caller only reads it.
func (c *Controller) Proxies() []fleet.ProxyState {
	s := &c.states
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stale || s.aged && time.Since(s.made) >= statesAge {
		s.all, s.made, s.stale, s.aged = c.proxies.states(), time.Now(), false, false
	}
	return s.all
}

// states returns what is known of every proxy, by name.
func (g *proxyRegistry) states() []fleet.ProxyState {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]fleet.ProxyState, 0, len(g.known))
	for name, k := range g.known {
		state := fleet.ProxyState{Name: name, Zone: k.last.hello.GetZone()}
		if told := k.last.told.Load(); told != nil {
			state = *told
		}
		state.Connected = g.live[name] == k.last
		all = append(all, state)
	}
	slices.SortFunc(all, func(a, b fleet.ProxyState) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// tell takes a proxy's word on itself in.
func (p *proxySession) tell(s *fairleadv1.ProxyStatus) {
	p.statuses++
	state := &fleet.ProxyState{
		Name: p.hello.GetName(), Zone: p.hello.GetZone(), Draining: s.GetDraining(),
		Connections: int(s.GetConnections()), MaxConnections: int(s.GetMaxConnections()),
		Waiting: int(s.GetWaiting()), CPU: min(s.GetCpu()/float64(max(s.GetCores(), 1)), 1),
		Statuses: p.statuses, Listeners: make(map[string]string, len(s.GetListeners())),
	}
	for _, l := range s.GetListeners() {
		if at := p.reachable(l.GetAddress()); at != "" {
			state.Listeners[l.GetName()] = at
		}
	}
	last := p.told.Swap(state)
	who := last == nil || last.Draining != state.Draining || len(last.Listeners) != len(state.Listeners)
	p.c.states.changed(who)
	p.status.Store(s) // last: what the page shows has happened
}

// reachable returns where clients reach a listener that is bound to an address: at the
// host that the proxy advertises, else at the one that it is bound to, or where it is
// bound to all of them, at the one that its session comes from.
func (p *proxySession) reachable(bound string) string {
	host, port, err := net.SplitHostPort(bound)
	if err != nil {
		return ""
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case p.hello.GetAdvertise() != "":
		host = p.hello.GetAdvertise()
	case host == "" || err == nil && ip.IsUnspecified():
		if host, _, err = net.SplitHostPort(p.peer); err != nil {
			host = "127.0.0.1" // it is in this process
		}
	}
	return net.JoinHostPort(host, port)
}

// Listener returns what clients are told of a listener.
func (c *Controller) Listener(name string) (fleet.ListenerInfo, bool) {
	for _, l := range c.file().Listeners {
		if l.Name == name {
			info := fleet.ListenerInfo{Name: name, HTTP: l.Protocol == config.HTTP}
			for _, r := range c.file().Routes {
				if p := c.pool(r.Pool); r.Listener == name && !info.HTTP && p != nil {
					info.Direct = p.conf().Link == config.Direct
				}
			}
			return info, true
		}
	}
	return fleet.ListenerInfo{}, false
}

// Listeners returns the names of all listeners.
func (c *Controller) Listeners() []string {
	var names []string
	for _, l := range c.file().Listeners {
		names = append(names, l.Name)
	}
	return names
}
