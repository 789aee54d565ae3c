package l4

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"testing"

	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/accesslog"
	"github.com/fairlead/fairlead/internal/proxy/link"
)

// told is what a line of the access log says, but for times.
type told struct {
	Listener string `json:"listener"`
	Client   string `json:"client"`
	Protocol string `json:"protocol"`
	Pool     string `json:"pool"`
	Backend  string `json:"backend"`
	Grant    string `json:"grant"`
	In       int    `json:"bytes_in"`
	Out      int    `json:"bytes_out"`
	Tries    int    `json:"tries"`
	End      string `json:"end"`
}

// only ends the server, and returns the one line that its access log has.
func (s *site) only() (one told) {
	s.t.Helper()
	s.end()
	if err := s.access.Close(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(s.logged.Bytes(), &one); err != nil {
		s.t.Fatalf("%v: %q", err, s.logged.Bytes())
	}
	return one
}

func TestAccessLog(t *testing.T) {
	b := echo(t)
	g := to(b)
	s := serve(t, g, long)
	c := s.dial()
	send(t, c, "hello")
	c.CloseWrite()
	if back, err := io.ReadAll(c); err != nil || string(back) != "hello" {
		t.Fatalf("%q, %v", back, err)
	}
	want := told{"db", c.LocalAddr().String(), "TCP", "db", string(b), "0.1", 5, 5, 1, "done"}
	if got := s.only(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestAccessLogUnlinked has connections that were never linked in the log too.
func TestAccessLogUnlinked(t *testing.T) {
	dead := nobody(t)
	for name, c := range map[string]struct {
		g    *granter
		pool *link.Pool
		want told
	}{
		"refused": {
			newGranter(func(context.Context, link.Request) (fleet.BackendName, error) {
				return "", &link.Refused{Pool: "db", Reason: fleet.QueueFull}
			}), &link.Pool{Name: "db"},
			told{Pool: "db", End: "refused:queue_full"},
		},
		"unreachable": {to(dead), &link.Pool{Name: "db", Retries: 1}, told{Pool: "db", Backend: string(dead), Grant: "0.2", Tries: 2, End: "backend_failed:unreachable"}},
		"no pool":     {to(dead), nil, told{End: "refused:no_route"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, c.g, long)
			s.pool.Store(c.pool)
			s.dialReset()
			c.want.Listener, c.want.Protocol = "db", "TCP"
			got := s.only()
			if got.Client == "" {
				t.Error("the client is missing")
			}
			if got.Client = ""; got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

// TestAccessLogCut: the log says why a link was cut.
func TestAccessLogCut(t *testing.T) {
	for why, end := range map[fleet.Reason]string{
		fleet.BackendLost: "backend_lost", fleet.TimeLimit: "timeout:time_limit", fleet.NotComing: "cut:not_coming",
	} {
		t.Run(end, func(t *testing.T) {
			g := to(echo(t))
			s := serve(t, g, long)
			c := s.dial()
			send(t, c, "hello")
			expect(t, c, "hello")
			get(t, "grant", g.grants).Cut(why)
			expectReset(t, c)
			if got := s.only(); got.End != end {
				t.Errorf("it ended by %q, want %q", got.End, end)
			}
		})
	}
}

// TestEnding says of each way in which a link or a connection without one ends what is logged.
func TestEnding(t *testing.T) {
	stopped, stop := context.WithCancel(context.Background())
	stop()
	on := context.Background()
	g := link.NewGrant(fleet.GrantID{}, nil, "", nil)
	for _, c := range []struct {
		ctx     context.Context
		outcome fleet.Outcome
		idled   bool
		end     accesslog.End
		reason  string
	}{
		{on, fleet.OK, false, accesslog.Done, ""},
		{stopped, fleet.OK, false, accesslog.Done, ""},
		{on, fleet.Failed, false, accesslog.BackendFailed, ""},
		{on, fleet.Cancelled, false, accesslog.ClientGone, ""},
		{on, fleet.Cancelled, true, accesslog.TimedOut, "idle"},
		{stopped, fleet.Cancelled, false, accesslog.Cut, "stopping"},
		{on, fleet.Revoked, false, accesslog.Cut, ""},
	} {
		if end, reason := ending(c.ctx, g, c.outcome, c.idled); end != c.end || reason != c.reason {
			t.Errorf("%+v: %s:%s", c, end, reason)
		}
	}
	for word, want := range map[string]accesslog.End{
		"client_gone": accesslog.ClientGone, "stopping": accesslog.Cut, "hello_timeout": accesslog.TimedOut,
		"unreachable": accesslog.BackendFailed, "no_name": accesslog.Refused,
	} {
		if end, _ := unlinked(word); end != want {
			t.Errorf("%s: %s, want %s", word, end, want)
		}
	}
}

// TestAccessLogNone: without a log nothing is asked of it.
func TestAccessLogNone(t *testing.T) {
	s := New(Config{})
	s.log(&caller{TCPConn: &net.TCPConn{}}, "db", nil, accesslog.Done, "")
}
