// Package classify tells what a request is, as its pool wants to know: its class, whose
// it is, what it requires of a backend, which backend it had before, how long its client
// waits.
//
// What a client says of itself is taken as it is: a class or a tenant in a header, a claim
// in a token whose signature nobody checked. So a pool should name a header only where
// something in front of the proxies sets it, or where every client may say what it likes.
// What a request does not say, a default stands for, and Said tells which.
package classify

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
)

// Rules say where in a request to look. They never change. Nil are good Rules, by which
// each request is of class normal, and its client's.
type Rules struct {
	class       fleet.Class // of the route
	labels      []string    // of the route, sorted
	classHeader string      // canonical, as are all names of headers; empty: none
	flow        source
	affinity    source
	require     []require
	deadline    time.Duration
}

// require is a header whose value a label must have.
type require struct{ header, label string }

// source is where a key is.
type source struct {
	kind fairleadv1.Source_Kind
	name string
}

// New compiles what a table says of a pool. It returns nil when that is nothing.
func New(m *fairleadv1.Classify) *Rules {
	if m == nil {
		return nil
	}
	r := &Rules{
		classHeader: canonical(m.GetClassHeader()),
		flow:        newSource(m.GetFlow()), affinity: newSource(m.GetAffinity()),
		deadline: time.Duration(min(m.GetDeadlineMs(), uint64(24*time.Hour/time.Millisecond))) * time.Millisecond,
	}
	for label, header := range m.GetLabelHeaders() {
		r.require = append(r.require, require{canonical(header), label})
	}
	return r
}

// OnRoute returns the rules for requests that come by a route, which may be of a class and
// require labels.
func (r *Rules) OnRoute(class fleet.Class, labels []string) *Rules {
	if class == fleet.NoClass && len(labels) == 0 {
		return r
	}
	var of Rules
	if r != nil {
		of = *r
	}
	of.class, of.labels = class, slices.Compact(slices.Sorted(slices.Values(labels)))
	return &of
}

func newSource(m *fairleadv1.Source) source {
	s := source{m.GetKind(), m.GetName()}
	if s.kind == fairleadv1.Source_KIND_HEADER {
		s.name = canonical(s.name)
	}
	return s
}

func canonical(header string) string { return textproto.CanonicalMIMEHeaderKey(header) }

// Said is what else comes of looking at a request.
type Said struct {
	Defaults Defaults
	// Cookie is the Set-Cookie field of the answer, by which the client's next request is
	// known to be its; empty: the request had it, or the pool does not want one.
	Cookie string
}

// HTTP completes what about says of a request. The rest of about, the client's address
// among it, is there already; a deadline is, if the request says one.
func (r *Rules) HTTP(req *http.Request, about *fleet.About) (said Said) {
	if r == nil {
		about.Class, about.Flow = fleet.Normal, about.Client
		return said
	}
	about.Class = r.classOf(req.Header, &said)
	about.Flow = r.find(r.flow, req, about, &said, NoFlow)
	if about.Flow == "" {
		about.Flow = about.Client
	}
	r.stick(req, about, &said)
	about.Labels = r.required(req.Header)
	if about.Deadline == 0 {
		about.Deadline = r.deadline
	}
	return said
}

// TCP completes what about says of a connection, as HTTP does. about.Host is the TLS server
// name.
func (r *Rules) TCP(about *fleet.About) (said Said) {
	about.Class, about.Flow = fleet.Normal, about.Client
	if r == nil {
		return said
	}
	if r.class != fleet.NoClass {
		about.Class = r.class
	}
	switch r.flow.kind {
	case fairleadv1.Source_KIND_UNSPECIFIED, fairleadv1.Source_KIND_CLIENT:
	case fairleadv1.Source_KIND_TLS_NAME:
		if about.Host != "" {
			about.Flow = Text(about.Host)
			break
		}
		fallthrough
	default:
		said.Defaults |= NoFlow
	}
	switch r.affinity.kind {
	case fairleadv1.Source_KIND_UNSPECIFIED:
	case fairleadv1.Source_KIND_CLIENT:
		about.Affinity = about.Client
	default:
		said.Defaults |= NoAffinity
	}
	about.Labels, about.Deadline = r.labels, r.deadline
	return said
}

// classOf returns a request's class: as it says, if the pool lets it, else as its route
// does.
func (r *Rules) classOf(h http.Header, said *Said) fleet.Class {
	if r.classHeader != "" {
		if word := first(h, r.classHeader); word != "" {
			if c, ok := fleet.ClassOf(strings.ToLower(strings.TrimSpace(word))); ok {
				return c
			}
			said.Defaults |= UnknownClass
		}
	}
	if r.class != fleet.NoClass {
		return r.class
	}
	return fleet.Normal
}

// find returns the key that a request has at s; empty: none, which lacking then says.
func (r *Rules) find(s source, req *http.Request, about *fleet.About, said *Said, lacking Defaults) string {
	key := ""
	switch s.kind {
	case fairleadv1.Source_KIND_UNSPECIFIED:
		return ""
	case fairleadv1.Source_KIND_CLIENT:
		return about.Client
	case fairleadv1.Source_KIND_HEADER:
		if key = first(req.Header, s.name); s.name == "Host" {
			key = req.Host // net/http keeps it apart
		}
	case fairleadv1.Source_KIND_COOKIE:
		key = cookie(req.Header, s.name)
	case fairleadv1.Source_KIND_TLS_NAME:
		if req.TLS != nil {
			key = req.TLS.ServerName
		}
	case fairleadv1.Source_KIND_CLAIM:
		token := bearer(req.Header)
		var ok bool
		if key, ok = claim(token, s.name); !ok && token != "" {
			said.Defaults |= BadClaim
			return ""
		}
	}
	if key == "" {
		said.Defaults |= lacking
		return ""
	}
	return Text(key)
}

// stick finds the request's affinity, or begins one where the pool has cookies for it.
func (r *Rules) stick(req *http.Request, about *fleet.About, said *Said) {
	if r.affinity.kind != fairleadv1.Source_KIND_COOKIE {
		about.Affinity = r.find(r.affinity, req, about, said, NoAffinity)
		return
	}
	if key := cookie(req.Header, r.affinity.name); key != "" {
		about.Affinity = Text(key)
		return
	}
	about.Affinity, said.Cookie = newCookie(r.affinity.name, req.TLS != nil)
}

// required returns the labels that a request requires: its route's, and those that its
// headers name. A header never takes a route's label back, so one that contradicts it
// leaves no backend.
func (r *Rules) required(h http.Header) []string {
	labels := r.labels
	for _, q := range r.require {
		value := first(h, q.header)
		if value == "" {
			continue
		}
		if fleet.CheckLabelValue(value) != nil {
			value = digest(value) // which no backend has
		}
		labels = append(labels[:len(labels):len(labels)], q.label+"="+value)
	}
	if len(labels) > len(r.labels) {
		slices.Sort(labels)
		labels = slices.Compact(labels)
	}
	return labels[:min(len(labels), fleet.MaxLabels)]
}

// first returns a field's first value.
func first(h http.Header, canonical string) string {
	if v := h[canonical]; len(v) > 0 {
		return v[0]
	}
	return ""
}
