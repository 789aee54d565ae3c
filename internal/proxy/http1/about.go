package http1

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/http1/message"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

// request is what the exchange asks for.
func (x *exchange) request() link.Request {
	r := link.Request{Pool: x.pool}
	if x.pool.About {
		r.About = x.about()
	}
	return r
}

// about says what the request is, for its backend and for who decides.
func (x *exchange) about() *fleet.About {
	r := &x.c.req
	std := &http.Request{Header: headerOf(&r.Head), Host: string(r.Host())}
	if x.c.secure != nil {
		state := x.c.secure.ConnectionState()
		std.TLS = &state
	}
	a := &fleet.About{
		Client: x.client, Method: string(r.Method()), Host: std.Host, Path: string(r.Path()), Deadline: web.Deadline(std.Header),
	}
	said := x.pool.Classify.HTTP(std, a)
	x.cookie = said.Cookie
	x.c.s.cfg.Classified.Missed(x.pool.Name, said.Defaults)
	return a
}

// headerOf returns the fields as net/http has them.
func headerOf(h *message.Head) http.Header {
	all := make(http.Header, len(h.Fields))
	for i := range h.Fields {
		if f := &h.Fields[i]; f.Known != message.Host {
			all.Add(string(h.Name(f)), string(h.Value(f)))
		}
	}
	return all
}

// stick tells the client, in the head of an answer, what its affinity has come to. res is
// nil for an answer of the proxy's own.
func (x *exchange) stick(b []byte, res *message.Response, moved bool) []byte {
	if !x.pool.About {
		return b
	}
	if moved {
		b = append(b, web.AffinityHeader+": moved\r\n"...)
	}
	if x.cookie != "" && (res == nil || !setsCookie(res, x.cookie) && !shared(res)) {
		b = append(append(append(b, "Set-Cookie: "...), x.cookie...), '\r', '\n')
	}
	return b
}

// setsCookie tells whether an answer sets the same cookie as a Set-Cookie field: then it is
// the application's, which knows better.
func setsCookie(r *message.Response, field string) bool {
	name, _, _ := strings.Cut(field, "=")
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Known == message.SetCookie {
			if got, _, found := bytes.Cut(r.Value(f), []byte("=")); found && string(bytes.TrimSpace(got)) == name {
				return true
			}
		}
	}
	return false
}

// shared tells whether a cache may give an answer to other clients too, with the cookie of
// the first.
func shared(r *message.Response) bool {
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Known == message.CacheControl {
			line := strings.ToLower(string(r.Value(f)))
			if strings.Contains(line, "public") || strings.Contains(line, "s-maxage") {
				return true
			}
		}
	}
	return false
}

// moved counts a grant that is not on the backend that the request had before.
func (x *exchange) moved(g *link.Grant) {
	if g.Moved {
		x.c.s.cfg.Classified.Moved(x.pool.Name)
	}
}
