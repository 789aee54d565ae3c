package http_test

import (
	"slices"
	"testing"

	"github.com/fairlead/fairlead/internal/proxy/http1/corpus"
)

// clearRequests can be read in one way only, and are refused for what they ask for.
var clearRequests = []string{
	"connect-with-origin-form", "host-with-port-too-high", "expect-something-else", "expect-something-more",
	"expect-in-two-lines", "expect-almost", "pipelined-behind-expect",
}

// TestStrictReader feeds the strict reader what a proxy must not forward: it would not be
// noticed at the backend if the reader took it.
func TestStrictReader(t *testing.T) {
	cases, err := corpus.Requests()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		want := c.Wants[0]
		refused := !slices.ContainsFunc(want, func(v corpus.Verdict) bool { return v.Kind == corpus.Forwarded })
		if !refused || len(c.Sent) > 4000 {
			continue // a long one may be refused for that alone
		}
		_, _, err := strictRequest(c.Sent)
		if err == nil != slices.Contains(clearRequests, c.Name) {
			t.Errorf("%s: %v; %.300q", c.Name, err, c.Sent)
		}
	}
}
