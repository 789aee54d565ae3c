// Package accesslog writes a line for each request and each TCP connection that a proxy has
// carried or refused. Requests never wait for it: what a slow disk cannot take is dropped and
// counted.
//
// A JSON line is one object. Keys whose value is empty are left out:
//
//	time                when the request came, RFC 3339 with microseconds, UTC
//	listener            its name
//	client              address and port
//	method, host        of the request; a TCP connection has neither
//	target              as the client sent it; without its query if that is dropped
//	protocol            HTTP/1.1, TCP
//	status              of the answer; left out: the client got none
//	bytes_in, bytes_out of the bodies; of a TCP connection: all; always there
//	pool, backend       that it was routed to, and granted (the last one, after retries)
//	grant               epoch and number, as in `fairlead explain` and the decision log
//	end                 how it ended, see End; with the reason, after a colon; always there
//	wait_seconds        for grants, all tries together; always there
//	connect_seconds     to the backend; left out: the connection was there already, or never
//	first_byte_seconds  from the request's beginning to its answer's first byte
//	total_seconds       from its beginning to its end; always there
//	tries               grants that were used; more than 1: it was tried again
//	user_agent, referer
//	tls, tls_name       version of the client's TLS, and the server name that it asked for
//	moved               true: the backend that its affinity names was not free
//
// Text comes from strangers. A byte that is not UTF-8 stands in it as \xHH, and so does each
// backslash (\x5C), so every string can be turned back into what was sent. In JSON that is
// written "\\xHH". What cannot be printed is escaped as JSON does.
//
// The combined format is what nginx and Apache call so, with key=value pairs at its end; text
// is escaped as nginx does, and what is missing is a dash.
package accesslog
