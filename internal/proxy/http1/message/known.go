package message

// Known is a field that a proxy looks at; 0: none of them.
type Known uint8

// Known fields.
const (
	Other Known = iota
	Host
	ContentLength
	TransferEncoding
	Connection
	KeepAlive
	ProxyConnection
	ProxyAuthenticate
	ProxyAuthorization
	TE
	Trailer
	Upgrade
	HTTP2Settings
	Expect
	Via
	Forwarded
	XForwardedFor
	XForwardedProto
	XForwardedHost
	Ticket
	Affinity
	Reason
	LoadMetrics
	LoadMetricsBin
	SetCookie
	CacheControl
	Date
)

var names = [...]string{
	Host: "host", ContentLength: "content-length", TransferEncoding: "transfer-encoding",
	Connection: "connection", KeepAlive: "keep-alive", ProxyConnection: "proxy-connection",
	ProxyAuthenticate: "proxy-authenticate", ProxyAuthorization: "proxy-authorization",
	TE: "te", Trailer: "trailer", Upgrade: "upgrade", HTTP2Settings: "http2-settings",
	Expect: "expect", Via: "via", Forwarded: "forwarded", XForwardedFor: "x-forwarded-for",
	XForwardedProto: "x-forwarded-proto", XForwardedHost: "x-forwarded-host",
	Ticket: "fairlead-ticket", Affinity: "fairlead-affinity", Reason: "fairlead-reason",
	LoadMetrics: "endpoint-load-metrics", LoadMetricsBin: "endpoint-load-metrics-bin",
	SetCookie: "set-cookie", CacheControl: "cache-control", Date: "date",
}

// byLength holds the known names by how long they are.
var byLength = func() (t [32][]Known) {
	for k := Host; int(k) < len(names); k++ {
		t[len(names[k])] = append(t[len(names[k])], k)
	}
	return t
}()

func know(name []byte) Known {
	if len(name) >= len(byLength) {
		return Other
	}
	for _, k := range byLength[len(name)] {
		if EqualFold(name, names[k]) {
			return k
		}
	}
	return Other
}

// framing tells whether a field says how a message is read, or where it goes: such are not
// taken off because Connection names them, and may not be trailers.
func (k Known) framing() bool {
	switch k {
	case Host, ContentLength, TransferEncoding, Connection, Trailer, TE, Upgrade, Expect, CacheControl:
		return true
	}
	return false
}

// stays tells whether a field is not one for one hop only, whatever Connection says.
func (k Known) stays() bool { return k.framing() || k == Via || k == SetCookie }

// InTrailer tells whether a field may be passed on behind a body. Those that a proxy looks at
// in a head may not: merged into it they would say something that nobody looked at.
func (f *Field) InTrailer() bool { return f.Known == Other || f.Known == Date }

// mayAnnounce tells whether a Trailer field names none that say how a message is read: some
// readers refuse it then, and some do not.
func mayAnnounce(value []byte) bool {
	for rest := value; rest != nil; {
		var item []byte
		if item, rest = next(rest); know(item).framing() {
			return false
		}
	}
	return true
}

// Announces tells whether a Trailer field names only fields that may be there.
func Announces(value []byte) bool {
	for rest := value; rest != nil; {
		var item []byte
		item, rest = next(rest)
		if k := know(item); k != Other && k != Date || !all(item, isToken) {
			return false
		}
	}
	return true
}
