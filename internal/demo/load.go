package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults of a Load.
const (
	DefaultClients = 24
	DefaultBusy    = 12 * time.Second
	DefaultCalm    = 8 * time.Second
)

const (
	calmClients    = 2                      // that go on between two waves
	pause          = 150 * time.Millisecond // of a calm client between two requests, on average
	afterFailure   = 500 * time.Millisecond // so that a proxy that is away is not stormed
	requestTimeout = time.Minute
	maxAnswer      = 1 << 20 // bytes read of an answer
)

// Load is a crowd of clients that ask for tiles: all of them for some seconds, one
// request after the other without a pause, so that they wait in the queue when the
// backends have fewer slots than the crowd has clients; then only two, with pauses.
type Load struct {
	URLs    []string      // of the proxies, such as http://127.0.0.1:8080; taken in turn
	Clients int           // in a wave; 0: DefaultClients
	Busy    time.Duration // how long a wave is; 0: DefaultBusy
	Calm    time.Duration // between two waves; 0: DefaultCalm
	Seed    uint64        // of the choice of tiles
	Logger  *slog.Logger  // gets a line a wave; nil: none

	// Transport sends the requests; nil: one that Run makes and closes.
	Transport http.RoundTripper
}

// wave counts what became of one wave's requests.
type wave struct{ answered, refused, failed atomic.Int64 }

// Run sends requests until the context ends, in waves, and returns nil when all clients
// have ended. It returns an error at once when there is no URL. The Load must not be
// changed while it runs.
func (l *Load) Run(ctx context.Context) error {
	if len(l.URLs) == 0 {
		return errors.New("a load needs the URL of one proxy at least")
	}
	run := l.defaults()
	if run.Transport == nil {
		// Each client is a connection of its own, as each visitor of a site is.
		t := &http.Transport{MaxIdleConnsPerHost: run.Clients}
		defer t.CloseIdleConnections()
		run.Transport = t
	}
	for number := uint64(1); ctx.Err() == nil; number++ {
		w := run.phase(ctx, run.Busy, run.Clients, 0, number)
		if ctx.Err() != nil {
			break
		}
		run.Logger.Info("a wave of requests is over", "clients", run.Clients,
			"answered", w.answered.Load(), "refused", w.refused.Load(), "failed", w.failed.Load())
		run.phase(ctx, run.Calm, min(calmClients, run.Clients), pause, number)
	}
	return nil
}

func (l *Load) defaults() Load {
	run := *l
	if run.Clients <= 0 {
		run.Clients = DefaultClients
	}
	if run.Busy <= 0 {
		run.Busy = DefaultBusy
	}
	if run.Calm <= 0 {
		run.Calm = DefaultCalm
	}
	if run.Logger == nil {
		run.Logger = slog.New(slog.DiscardHandler)
	}
	return run
}

// phase lets so many clients work for so long and waits for the last answers, unless
// the context ends.
func (l *Load) phase(ctx context.Context, length time.Duration, clients int, pause time.Duration, number uint64) *wave {
	end, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	w := &wave{}
	var crowd sync.WaitGroup
	for i := range clients {
		crowd.Go(func() { l.client(ctx, end, i, number, pause, w) })
	}
	crowd.Wait()
	return w
}

// client sends one request after the other until end is over. A request that is under
// way then is finished: giving it up would look like a client that left.
func (l *Load) client(ctx, end context.Context, i int, number uint64, pause time.Duration, w *wave) {
	random := rand.New(rand.NewPCG(l.Seed+number, uint64(i)))
	client := &http.Client{Transport: l.Transport, Timeout: requestTimeout}
	base := strings.TrimSuffix(l.URLs[i%len(l.URLs)], "/")
	for end.Err() == nil {
		rest := time.Duration(0)
		if pause > 0 {
			rest = pause/2 + time.Duration(random.Int64N(int64(pause)))
		}
		status, err := fetch(ctx, client, base+someTile(random))
		switch {
		case err != nil:
			w.failed.Add(1)
			rest = afterFailure
		case status == http.StatusOK:
			w.answered.Add(1)
		default:
			w.refused.Add(1)
			rest = afterFailure
		}
		if rest > 0 {
			wait(end, rest)
		}
	}
}

// someTile returns the path of a tile, any of the first zooms.
func someTile(random *rand.Rand) string {
	z := random.IntN(6)
	return fmt.Sprintf("/tile?z=%d&x=%d&y=%d", z, random.IntN(1<<z), random.IntN(1<<z))
}

// fetch sends one request and reads the answer.
func fetch(ctx context.Context, client *http.Client, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, fmt.Errorf("asking for a tile: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("asking for a tile: %w", err)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return 0, fmt.Errorf("reading a tile: %w", err)
	}
	return resp.StatusCode, nil
}

// wait blocks for so long, or until the context ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
