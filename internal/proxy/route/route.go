// Package route finds the pool that a request is for, by its host and its path.
package route

import (
	"net"
	"strings"

	"github.com/fairlead/fairlead/internal/proxy/link"
)

// Rule leads requests to a pool.
type Rule struct {
	// Host is an exact name, "*.example.org" (every name below example.org, at any
	// depth, but not example.org itself), or "*". Case does not matter, nor does a port
	// or a trailing dot.
	Host string
	// Path is a prefix of whole segments: "/api" holds "/api", "/api/" and "/api/x",
	// but not "/apix". A trailing slash does not matter. "/" and "" hold every path.
	Path string
	Pool *link.Pool
}

// Table finds pools. It never changes, so it is safe for concurrent use.
type Table struct {
	exact map[string]*paths
	below map[string]*paths // by what follows "*."
	any   *paths

	longestBelow int // of the keys of below, in bytes
}

// paths holds the rules of one host.
type paths struct {
	pools   map[string]*link.Pool // by path, without trailing slash; "" holds every path
	longest int                   // of the keys, in bytes
}

// New makes a table. Of two rules with the same host and path, the first counts; a rule
// without a pool is left out.
func New(rules []Rule) *Table {
	t := &Table{exact: map[string]*paths{}, below: map[string]*paths{}}
	for _, r := range rules {
		if r.Pool == nil {
			continue
		}
		t.host(r.Host).add(r.Path, r.Pool)
	}
	return t
}

// host returns the paths of a rule's host, and makes them when they are missing.
func (t *Table) host(host string) *paths {
	if host == "*" {
		if t.any == nil {
			t.any = &paths{pools: map[string]*link.Pool{}}
		}
		return t.any
	}
	hosts := t.exact
	name := lower(bare(host))
	if suffix, ok := strings.CutPrefix(name, "*."); ok {
		hosts, name = t.below, suffix
		t.longestBelow = max(t.longestBelow, len(name))
	}
	p := hosts[name]
	if p == nil {
		p = &paths{pools: map[string]*link.Pool{}}
		hosts[name] = p
	}
	return p
}

func (p *paths) add(path string, pool *link.Pool) {
	path = strings.TrimRight(path, "/")
	if _, taken := p.pools[path]; taken {
		return
	}
	p.pools[path] = pool
	p.longest = max(p.longest, len(path))
}

// Match returns the pool of a request, or nil. host is as the Host field has it, path
// is without its query; both are taken as they are sent, so the caller resolves "..".
//
// Among the rules that hold both, the one with the longest host wins (an exact one
// before "*.suffix", the longest suffix first, "*" last), then the one with the longest
// path. It allocates only to lower a host that has capitals.
func (t *Table) Match(host, path string) *link.Pool {
	host = lower(bare(host))
	if p := t.exact[host]; p != nil {
		if pool := p.match(path); pool != nil {
			return pool
		}
	}
	if len(t.below) > 0 {
		if pool := t.matchBelow(host, path); pool != nil {
			return pool
		}
	}
	if t.any != nil {
		return t.any.match(path)
	}
	return nil
}

// matchBelow tries the suffixes of a host, longest first. It starts no further left
// than the longest suffix in the table may, so a host of thousands of dots costs no
// more than a short one.
func (t *Table) matchBelow(host, path string) *link.Pool {
	if over := len(host) - t.longestBelow - 1; over > 0 {
		host = host[over:]
	}
	for {
		_, suffix, ok := strings.Cut(host, ".")
		if !ok {
			return nil
		}
		if p := t.below[suffix]; p != nil {
			if pool := p.match(path); pool != nil {
				return pool
			}
		}
		host = suffix
	}
}

// match tries the prefixes of a path, longest first. Those that are longer than every
// key are skipped, which bounds the work by what the table holds, not by the client.
func (p *paths) match(path string) *link.Pool {
	if len(path) > p.longest {
		at := p.longest
		for at > 0 && path[at] != '/' {
			at--
		}
		path = path[:at]
	}
	for {
		if pool := p.pools[path]; pool != nil {
			return pool
		}
		at := strings.LastIndexByte(path, '/')
		if at < 0 {
			return p.pools[""] // a path without a slash, such as that of OPTIONS *
		}
		path = path[:at]
	}
}

// bare takes the port, the brackets of an IPv6 address and the trailing dot off a host.
func bare(host string) string {
	switch strings.Count(host, ":") {
	case 0:
	case 1:
		host = host[:strings.IndexByte(host, ':')]
	default:
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
			host = host[1 : len(host)-1]
		}
	}
	return strings.TrimSuffix(host, ".")
}

// lower is strings.ToLower for ASCII: a host has nothing else, and a name in another
// script must not come to equal one in ASCII.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			return lowered(s)
		}
	}
	return s
}

func lowered(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
