// Package locate says which proxy a client should use: over DNS, over HTTP and over
// gRPC. All three ask one chooser, so that clients spread over the proxies whichever
// door they come through.
//
// # The choice
//
// A proxy's load is
//
//	(connections + asks waiting + clients on their way + 1) / (1 - min(CPU, 0.95))
//
// The divisor is the factor by which work slows as a CPU fills (M/M/1). The proxy with
// the least load is the best. It is named first, and after it up to three more whose
// load is at most a quarter above its. Equal loads take turns. The choice depends on
// nothing but what the proxies told and what was chosen before; there is no randomness.
//
// Clients on their way are those that were sent to a proxy and are not among its
// connections yet. Each answer counts as one, on the proxy that it names first. A client
// needs a moment to connect, so one that was sent just before a proxy's status is as a
// rule not in it. Therefore the clients of the last whole interval between two statuses
// count half, and those of older ones, which had a whole interval to connect, count no
// more: they are connections now, or they never came. This needs no clock. It counts a
// client that connected at once one and a half times, for one interval, and it does so
// for every proxy alike.
//
// A proxy is not named when it is not connected, drains, is full (connections and
// clients on their way reach its maximum), does not serve the listener at an address
// that can be told, or is excluded by the request.
//
// # Zones
//
// A client's zone is that of the longest subnet that holds its address. Proxies of the
// client's zone go before others, until the best of them has more than twice the load of
// the best elsewhere; then the client is sent there. One answer never mixes the two.
//
// # DNS
//
// The server is authoritative for one domain, and for it alone:
//
//	LISTENER.DOMAIN        A and AAAA of the chosen proxies; HTTPS for HTTP listeners
//	_LISTENER._tcp.DOMAIN  SRV, best first by priority, with addresses beside it
//	NAME.proxy.DOMAIN      A and AAAA of one proxy, all that it serves listeners at
//	DOMAIN                 SOA and NS
//	fairlead-ns.DOMAIN     the name server: A or AAAA if locate.dns names an address
//
// Names match in any case, and answers keep the case of the question. When no proxy can
// be chosen, the answer is empty without an error, with the SOA: the name exists, and a
// resolver that met SERVFAIL would ask the other servers for the same, or serve what it
// has remembered. A client that asks for A, AAAA and HTTPS at once counts once for each
// that has an answer; proxies share this evenly.
//
// A proxy whose name is not a host label in lower case, or begins with "h-", is called by
// a hash of its name. Where a listener's address is a host name, SRV and HTTPS point at
// that name itself, and A and AAAA leave the proxy out.
//
// ANY gets one HINFO (RFC 8482), transfers are refused, and nothing is signed. EDNS0 is
// understood in version 0. Answers over UDP have at most 1232 bytes, or less if the client
// says so, and 512 without EDNS0; addresses beside SRV are left out before an answer is
// truncated. The zone comes from EDNS client subnet (RFC 7871) if the query has it; the
// answer's scope is then the query's prefix when there are zones, else 0.
//
// Over UDP, where senders can lie about who they are, each /24 and /56 has 100 answers a
// second, and 200 at once. Of queries beyond that every other one gets an answer that is
// truncated and no longer than the query, and the rest get nothing. So nobody is flooded
// with more than was sent, and a real client among the flood learns that it should come
// over TCP, where senders cannot lie. The table of prefixes has a fixed size. When more
// prefixes are busy than it holds, newcomers get what is left of those that they replace.
//
// # HTTP
//
//	GET /v1/proxies/choose?listener=NAME[&exclude=PROXY...][&client=IP][&redirect=1[&path=/P]]
//
// It answers {"listener", "protocol", "link", "zone", "ttlMs", "proxies": [{"name",
// "address", "zone"}]}, and with redirect=1 a 307 to the best proxy, for HTTP listeners.
// Errors are {"error": "a plain sentence"} with 400, 404, 405 or 503. Answers are never to
// be cached between clients, because each counts as one client: no-store. The client
// parameter is believed from loopback alone; otherwise the sender's address counts, so
// behind a proxy of its own everyone seems to be where that is. Networks that may speak
// for others come later.
//
// # Who may ask
//
// Anyone may, so what strangers ask moves the choice a little only: of one /24 or /56 that
// is not loopback, 100 a second count as clients on their way, and the rest are answered
// without that. Over gRPC, callers have a certificate or are on loopback, and all count.
package locate
