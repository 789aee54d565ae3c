package control

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/store"
)

// Known proxies: who may hold slots is written to the store before it is welcomed, by each
// controller that it has a session with. So a new leader knows for whom to wait. A controller
// forgets a proxy when its session has been over for the grace, and what a controller that is
// gone had noted is forgotten by the others when it has been gone for long.

const (
	forgetEach = time.Second
	forgetDead = 15 * time.Second // longer than any takeover
)

// proxyKey names a run of a proxy, as a controller knows it.
func proxyKey(controller string, h *fairleadv1.ProxyHello) string {
	return controller + "/" + url.PathEscape(h.GetInstance()) + "/" + url.PathEscape(h.GetName())
}

func splitProxyKey(key string) (controller, instance, name string, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 3 {
		return "", "", "", false
	}
	instance, err1 := url.PathUnescape(parts[1])
	name, err2 := url.PathUnescape(parts[2])
	return parts[0], instance, name, err1 == nil && err2 == nil
}

// note writes down that a proxy may hold slots from now on.
func (c *Controller) note(ctx context.Context, h *fairleadv1.ProxyHello) error {
	if c.cfg.Store == nil {
		return nil
	}
	err := store.Put(ctx, c.cfg.Store, store.Proxies, proxyKey(c.cfg.Name, h),
		store.Proxy{Seen: time.Now(), Instance: h.GetInstance(), Zone: h.GetZone()})
	if err == nil {
		err = c.cfg.Store.Registered(ctx)
	}
	if err != nil {
		return status.Errorf(codes.Unavailable, "the proxy cannot be noted: %v", err)
	}
	return nil
}

// forgetProxies has the store forget proxies that hold nothing any more, until ctx ends.
func (c *Controller) forgetProxies(ctx context.Context) {
	var known atomic.Pointer[map[string]store.Proxy]
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() {
		store.Watch(ctx, c.cfg.Store, store.Proxies, func(all map[string]store.Proxy) { known.Store(&all) })
	})
	tick := time.NewTicker(forgetEach)
	defer tick.Stop()
	since := map[string]time.Time{} // without a session, by key
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if all := known.Load(); all != nil {
			c.forgetOnce(ctx, *all, since)
		}
	}
}

func (c *Controller) forgetOnce(ctx context.Context, known map[string]store.Proxy, since map[string]time.Time) {
	for key := range since {
		if _, still := known[key]; !still {
			delete(since, key)
		}
	}
	for key := range known {
		by, instance, name, ok := splitProxyKey(key)
		mine := by == c.cfg.Name
		switch {
		case mine && c.proxies.connected(name, instance), !mine && c.alive(by):
			delete(since, key)
			continue
		case since[key].IsZero():
			since[key] = time.Now()
			continue
		}
		after := grace + time.Second
		if !mine {
			after = forgetDead
		}
		if !ok || time.Since(since[key]) > after && !c.learning() {
			if store.Delete(ctx, c.cfg.Store, store.Proxies, key) == nil {
				delete(since, key)
			}
		}
	}
}

// learning tells whether a pool that this controller leads waits for proxies.
func (c *Controller) learning() bool {
	for _, r := range c.runners() {
		if l := r.leading.Load(); l != nil && l.learning {
			return true
		}
	}
	return false
}
