package http1

import (
	"bytes"

	"github.com/fairlead/fairlead/internal/proxy/http1/message"
)

// identify finds out who the client is.
func (x *exchange) identify() {
	c := x.c
	x.client, x.from = c.client, c.peer
	trusted := c.s.cfg.Trusted()
	if len(trusted) == 0 || !trusted.Has(c.peer.Addr()) {
		return
	}
	x.vouched = true
	var said []string
	for i := range c.req.Fields {
		if f := &c.req.Fields[i]; f.Known == message.XForwardedFor {
			said = append(said, string(c.req.Value(f)))
		}
	}
	if len(said) > 0 {
		x.from = trusted.Client(c.peer, said)
		x.client = x.from.Addr().String()
	}
}

// forwarded tells the backend who the client is.
func (x *exchange) forwarded(b []byte) []byte {
	peer, host := x.c.client, x.c.req.Host()
	b = append(x.appendSaid(append(b, "X-Forwarded-For: "...), message.XForwardedFor), peer...)
	b = append(b, '\r', '\n')
	if said := x.keepSaid(b, message.XForwardedHost); said != nil {
		b = said
	} else {
		b = append(append(append(b, "X-Forwarded-Host: "...), host...), '\r', '\n')
	}
	if said := x.keepSaid(b, message.XForwardedProto); said != nil {
		b = said
	} else {
		b = append(append(append(b, "X-Forwarded-Proto: "...), x.c.scheme...), '\r', '\n')
	}
	b = append(x.appendSaid(append(b, "Forwarded: "...), message.Forwarded), "for="...)
	if bytes.IndexByte([]byte(peer), ':') >= 0 {
		b = append(append(append(b, `"[`...), peer...), `]"`...)
	} else {
		b = append(b, peer...)
	}
	b = append(append(append(b, `;host="`...), host...), `";proto=`...)
	return append(append(b, x.c.scheme...), '\r', '\n')
}

// appendSaid writes what a trusted peer said in a list, for one more element to follow.
func (x *exchange) appendSaid(b []byte, k message.Known) []byte {
	if !x.vouched {
		return b
	}
	r := &x.c.req
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Known == k && len(r.Value(f)) > 0 {
			b = append(append(b, r.Value(f)...), ", "...)
		}
	}
	return b
}

// keepSaid writes the fields in which a trusted peer said it; nil: it did not.
func (x *exchange) keepSaid(b []byte, k message.Known) []byte {
	if !x.vouched {
		return nil
	}
	r, said := &x.c.req, false
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Known == k {
			b, said = appendField(b, r.Name(f), r.Value(f)), true
		}
	}
	if !said {
		return nil
	}
	return b
}
