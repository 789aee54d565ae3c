package accesslog

import (
	"net/netip"
	"strings"
	"time"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Entry is what is told of a request or a TCP connection. There is no place in it for
// Authorization or Cookie. What is not known is left zero.
type Entry struct {
	Time     time.Time // when it came
	Listener string
	Client   netip.AddrPort

	Method, Host, Target, Protocol string // the target as the client sent it

	Status            int   // 0: the client got none
	BytesIn, BytesOut int64 // of the bodies, from and to the client; of a TCP connection: all

	Pool    fleet.PoolName
	Backend fleet.BackendName // the last one
	Grant   fleet.GrantID     // the last one
	Tries   int               // grants that were used
	Moved   bool              // the backend that its affinity names was not free

	End    End
	Reason string // a word more on the end, such as fleet.Reason has

	Wait      time.Duration // for grants, all tries together
	Connect   time.Duration // to the backend; 0: the connection was there already, or never
	FirstByte time.Duration // from Time to the answer's first byte; 0: there was none
	Total     time.Duration // from Time to the end

	UserAgent, Referer string

	TLSVersion uint16 // as crypto/tls has it; 0: no TLS
	TLSName    string // that the client asked for
}

// End says how a request ended. Its words are stable: people build alerts on them.
type End uint8

// Ends.
const (
	NoEnd         End = iota
	Done              // the answer came to its end, whatever its status
	Refused           // by the proxy or the controller; the reason says why
	ClientGone        // the client went away, or broke its own request
	BackendFailed     // it could not be reached, broke off, or made no sense
	BackendLost       // it was lost or removed while it served
	TimedOut          // a time limit was exceeded; the reason says which
	Cut               // because the controller said so, or the proxy stops
	ends
)

var endNames = [ends]string{
	"unknown", "done", "refused", "client_gone", "backend_failed", "backend_lost", "timeout", "cut",
}

// String returns the word that logs use.
func (e End) String() string {
	if e >= ends {
		return endNames[NoEnd]
	}
	return endNames[e]
}

// ordinary tells whether an entry may be left out by sampling: nothing went wrong, or
// nothing but the client did.
func (e *Entry) ordinary() bool {
	return e.Status < 500 && (e.End == Done || e.End == ClientGone)
}

// shown returns a target or referer as it may be logged: without user and password, and
// without its query if that is dropped.
func shown(url string, dropQuery bool) string {
	if i := strings.IndexAny(url, "?#"); i >= 0 && dropQuery {
		url = url[:i]
	}
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || strings.ContainsAny(scheme, "/?#") {
		return url // it begins with a path
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return url
	}
	// The scheme goes with the user: nothing is copied.
	return url[len(scheme)+len("://")+at+1:]
}
