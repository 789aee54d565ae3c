package web

import (
	"net/http"
	"strconv"
	"time"
)

// What is said between clients, proxies and backends of direct links and tickets.
const (
	TicketHeader = "Fairlead-Ticket" // in a direct answer, and to a backend
	GrantHeader  = "Fairlead-Grant"  // in a direct answer
	TicketParam  = "fairlead-ticket" // in the Location of a direct answer
	// WantHeader (Fairlead-Want): grant. A client that would not like to send its body twice
	// sends the request without it first: a pool with direct links answers as always, any
	// other 204, which says that the request is to be sent here.
	WantHeader = "fairlead-want"

	GrantPath = "/v1/grant" // on a listener that only gives grants
)

// AffinityHeader: moved. The backend that the request's affinity names was not free, so
// another one has served it.
const AffinityHeader = "Fairlead-Affinity"

// Grant is what a listener for direct links answers where clients speak something else than
// HTTP to the backend.
type Grant struct {
	Backend   string `json:"backend"`
	Public    string `json:"public"`
	Grant     string `json:"grant"`
	Ticket    string `json:"ticket"`
	ExpiresMs int64  `json:"expiresMs"`
}

// Deadline returns for how long a client says that it waits: as gRPC says it, or as Envoy
// does. 0: it does not say.
func Deadline(h http.Header) time.Duration {
	if s := h.Get("Grpc-Timeout"); len(s) >= 2 && len(s) <= 9 {
		unit := map[byte]time.Duration{
			'H': time.Hour, 'M': time.Minute, 'S': time.Second,
			'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
		}[s[len(s)-1]]
		if n, err := strconv.ParseUint(s[:len(s)-1], 10, 31); err == nil {
			return bounded(float64(n) * float64(unit))
		}
	}
	if n, err := strconv.ParseUint(h.Get("X-Envoy-Expected-Rq-Timeout-Ms"), 10, 31); err == nil {
		return bounded(float64(n) * float64(time.Millisecond))
	}
	return 0
}

// bounded keeps a client's wish within a day.
func bounded(d float64) time.Duration { return time.Duration(min(d, float64(24*time.Hour))) }
