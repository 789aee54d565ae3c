package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/pires/go-proxyproto"
)

// ticketTLV is the type of the TLV that holds a ticket, of those that the PROXY protocol
// leaves to applications.
const ticketTLV proxyproto.PP2Type = 0xE4

// DialContext returns a connection that leads to a backend of a TCP listener: one to a
// proxy, or where the listener's link is direct, one to the backend itself, on which the
// PROXY protocol header with the ticket has been sent. Of an HTTP listener it returns a
// connection to a proxy. It blocks until there is a connection, or until ctx is done,
// which is of no concern to the connection afterwards. The error is a *RefusedError where
// a locator or a proxy said no; a proxied connection that is refused is reset instead.
func (c *Client) DialContext(ctx context.Context, listener string) (net.Conn, error) {
	l, err := c.listener(listener)
	if err != nil {
		return nil, err
	}
	d := &dialing{c: c, l: l}
	conn, err := d.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return conn, nil
}

// Dialer returns DialContext in the form that database drivers and the like take. What
// it returns ignores network and address: the listener says where the connection goes.
func (c *Client) Dialer(listener string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) { return c.DialContext(ctx, listener) }
}

// dialing is one DialContext, until it has a connection.
type dialing struct {
	c *Client
	l *listener

	tried     []string // proxies that failed
	last      error    // of the latest of them
	regranted bool     // a second grant was asked for
}

func (d *dialing) run(ctx context.Context) (net.Conn, error) {
	for {
		a, p, err := d.l.pick(ctx, d.tried)
		switch {
		case err != nil && d.last != nil:
			return nil, fmt.Errorf("%w; and no other proxy: %w", d.last, err)
		case err != nil:
			return nil, err
		}
		open := d.proxied
		if a.Protocol == TCP && a.Link == Direct {
			open = d.direct
		}
		conn, v, err := open(ctx, p)
		if v == settled {
			return conn, err
		}
	}
}

func (d *dialing) proxied(ctx context.Context, p Proxy) (net.Conn, verdict, error) {
	conn, err := d.c.dialer.DialContext(ctx, "tcp", p.Address)
	if err == nil {
		return conn, settled, nil
	}
	v, err := d.failed(ctx, p, fmt.Errorf("%s: %w", d.l.naming(p), err))
	return nil, v, err
}

// failed notes that a proxy failed, unless it is the caller who left. A connection that
// was not made, and a grant that nobody uses, do no harm; so another proxy may be tried.
func (d *dialing) failed(ctx context.Context, p Proxy, err error) (verdict, error) {
	if ctx.Err() != nil {
		return settled, err
	}
	d.l.fail(p, err)
	d.tried, d.last = append(d.tried, p.Name), err
	if len(d.tried) > d.c.cfg.Retries {
		return settled, err
	}
	return elsewhere, nil
}

func (d *dialing) direct(ctx context.Context, p Proxy) (net.Conn, verdict, error) {
	grant, v, err := d.grant(ctx, p)
	if v != here {
		return nil, v, err
	}
	conn, err := d.arrive(ctx, grant)
	switch {
	case err == nil:
		return conn, settled, nil
	case ctx.Err() == nil && !d.regranted:
		d.regranted = true
		return nil, anew, nil
	}
	return nil, settled, fmt.Errorf("listener %q: backend %s, which grant %.80q of proxy %s names: %w",
		d.l.name, grant.public, grant.id, p.Name, err)
}

// grant asks a proxy for a backend's slot.
func (d *dialing) grant(ctx context.Context, p Proxy) (ticketGrant, verdict, error) {
	by := d.l.naming(p)
	req := &http.Request{
		Method: http.MethodPost, Host: p.Address, Body: http.NoBody,
		URL:    &url.URL{Scheme: "http", Host: p.Address, Path: "/v1/grant"},
		Header: headerOf(ctx),
	}
	resp, s, err := d.c.send(req.WithContext(ctx))
	if err != nil {
		err = fmt.Errorf("%s: %w", by, err)
		if s.unreached(ctx, err) || s.brokeOff(ctx, err) {
			v, err := d.failed(ctx, p, err)
			return ticketGrant{}, v, err
		}
		return ticketGrant{}, settled, err
	}
	body, err := readAnswer(resp)
	switch {
	case err != nil:
		return ticketGrant{}, settled, fmt.Errorf("%s: its answer %w", by, err)
	case resp.StatusCode != http.StatusOK:
		return ticketGrant{}, settled, newRefused(by, resp, body)
	}
	grant, err := parseGrant(body)
	if err != nil {
		return ticketGrant{}, settled, fmt.Errorf("%s: its answer %w", by, err)
	}
	return grant, here, nil
}

// arrive connects to a granted backend, within the ticket's life, and shows the ticket.
func (d *dialing) arrive(ctx context.Context, grant ticketGrant) (net.Conn, error) {
	patience := min(grant.life, d.c.cfg.DialTimeout)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := d.c.dialer.DialContext(ctx, "tcp", grant.public)
	if err != nil {
		return nil, err
	}
	if err := show(ctx, conn, grant.ticket); err != nil {
		return nil, errors.Join(fmt.Errorf("sending the PROXY protocol header: %w", err), conn.Close())
	}
	return conn, nil
}

// show sends the header with the ticket.
func show(ctx context.Context, conn net.Conn, ticket string) error {
	header := proxyproto.HeaderProxyFromAddrs(2, conn.LocalAddr(), conn.RemoteAddr())
	if err := header.SetTLVs([]proxyproto.TLV{{Type: ticketTLV, Value: []byte(ticket)}}); err != nil {
		return err
	}
	leave := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	_, err := header.WriteTo(conn)
	if !leave() && err == nil {
		return context.Cause(ctx) // it may set the deadline yet
	}
	return err
}
