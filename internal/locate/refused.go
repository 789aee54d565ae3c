package locate

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

// reason is why a DNS query was refused or ignored; a label of the counter.
type reason string

const (
	reasonFormat      reason = "format"         // it cannot be read, or is not one question
	reasonResponse    reason = "response"       // it is no query but an answer
	reasonOpcode      reason = "opcode"         // it wants something other than an answer
	reasonVersion     reason = "edns_version"   // it speaks a newer EDNS
	reasonClass       reason = "class"          // it is not about the internet
	reasonName        reason = "outside_domain" // it is not about our domain
	reasonTransfer    reason = "transfer"       // it wants the whole domain
	reasonTruncated   reason = "rate_truncated" // too many over UDP: told to use TCP
	reasonIgnored     reason = "rate_ignored"   // too many over UDP: no answer
	reasonConnections reason = "connections"    // too many over TCP
	reasonInternal    reason = "internal"       // the answer could not be written
)

var reasons = []reason{
	reasonFormat, reasonResponse, reasonOpcode, reasonVersion, reasonClass, reasonName,
	reasonTransfer, reasonTruncated, reasonIgnored, reasonConnections, reasonInternal,
}

// tellEach is how far apart lines about refusals are at least: anyone can cause them.
const tellEach = time.Second

// refusals counts refusals, and tells of some in the log. It is safe for concurrent use.
type refusals struct {
	log   *slog.Logger
	count func(reason)

	mu     sync.Mutex // guards what is below
	last   time.Time
	silent int // refusals since that are not in the log
}

func (r *refusals) note(now time.Time, why reason, who netip.Addr, what string) {
	r.count(why)
	r.mu.Lock()
	tell := now.Sub(r.last) >= tellEach
	silent := r.silent
	if tell {
		r.last, r.silent = now, 0
	} else {
		r.silent++
	}
	r.mu.Unlock()
	if tell {
		r.log.Warn("a DNS query was refused", "client", who, "reason", string(why), "about", what, "not_told_of", silent)
	}
}
