// Package client leads a program's requests to the proxy that a Fairlead controller
// chooses for it, and for pools with direct links on to the backend itself.
//
//	c, err := client.New(client.Config{Locators: []string{"http://127.0.0.1:7480"}})
//	...
//	web := &http.Client{Transport: c.RoundTripper("web")}
//	answer, err := web.Get("http://shop.example.org/cart")
//
// The URL's host becomes the Host field, by which the proxies route; it is not looked up.
// For TCP listeners DialContext and Dialer return connections.
//
// # The choice of a proxy
//
// A locator is a controller's HTTP address. It is asked which proxies serve a listener,
// best first. The answer is remembered for the time that it names, and all requests use
// its first proxy: it is the controller that spreads clients over proxies. Of concurrent
// requests one asks, and the others wait for its answer. An answer that is too old is
// still used where no locator gives a new one, for up to ten times its time.
//
// # Proxies that fail
//
// A proxy fails when it cannot be connected to, or when its connection breaks before the
// first byte of an answer. It is then avoided for as long as an answer is remembered, by
// everyone who uses the Client, and the locator is asked again without it; where that
// gives none, the others of the remembered answer are next. The request that met the
// failure goes to another proxy, up to Config.Retries times, if nothing was sent, or if
// its method is idempotent (GET, HEAD, OPTIONS, TRACE, PUT, DELETE, or any with an
// Idempotency-Key) and its body can be had again. An answer is never a failure: 429, 502
// and 503 are the caller's to see.
//
// # Direct links over HTTP
//
// For a pool with direct links a proxy answers 307 with a Fairlead-Ticket field. The
// RoundTripper follows such an answer itself; any other redirect is the caller's. The
// request goes to the scheme and host of Location, which becomes its Host field too, as
// with any client that follows a redirect. Method, path and query stay, and so do all
// header fields, with the credentials among them (Authorization, Cookie): that backend
// does the work of the host that the caller named, and a proxied link would have brought
// it the same fields. Who may not see them must not be in such a pool.
//
// A request is sent again with the body that GetBody returns; http.NewRequest sets it for
// bodies in memory. A body without GetBody can be read only once, and must not be wasted
// on a proxy that redirects. So such a request first asks, with a bodiless OPTIONS
// request that has its URL and fields and "Fairlead-Want: grant". A ticket leads it to
// the backend; a refusal (any answer with Fairlead-Reason) is returned; and anything else
// means that the proxy takes the request itself. This costs one more round trip, always,
// as one listener may have routes of both kinds. OPTIONS is safe, so a proxy that did not
// know the field would do no harm by passing it on.
//
// If a backend cannot be reached, or if it answers 403 because it does not know the
// ticket's key or epoch (the controller was restarted), a new grant is asked for, once.
//
// # Direct links over TCP
//
// Where the answer of the locator says that a TCP listener's link is direct, the
// connection is opened in two steps: POST /v1/grant to the proxy, then a connection to
// the backend that the grant names, which begins with a PROXY protocol v2 header. Its TLV
// of type 0xE4 holds the ticket.
//
// # What a request is
//
// A pool may want to know a request's class, whose it is, what it requires of its backend,
// and which backend it had before, from header fields and cookies that its config names. Of
// an HTTP request they are the caller's to set; an http.Client with a Jar keeps the cookie
// of a pool whose affinity is by cookie, over direct links too. Of a TCP connection that is
// direct, WithHeader says them.
package client
