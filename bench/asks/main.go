// Command asks measures what it costs to ask: one controller in a process of its own,
// held to one core, and this process as its proxies, on the other cores.
//
// The proxies are real sessions (package session) over real connections; what they do
// with a grant is to say that it is over. So the figures are those of asking, deciding
// and answering, and of nothing else.
//
//	go run ./bench/asks                  throughput, then latency at 10,000 asks a second
//	go run ./bench/asks -assign          what assignments cost: none, notify, confirm
//	go run ./bench/asks -soak 5000000    memory of the controller over so many grants
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/fleet"
	"github.com/fairlead/fairlead/internal/proxy/link"
	"github.com/fairlead/fairlead/internal/proxy/session"
)

type options struct {
	sessions, inFlight, backends, rate int
	duration                           time.Duration
	soak                               uint64
	pin, assign                        bool
}

func main() {
	var o options
	flag.IntVar(&o.sessions, "sessions", 4, "proxies")
	flag.IntVar(&o.inFlight, "in-flight", 256, "asks in flight, over all proxies")
	flag.IntVar(&o.backends, "backends", 100, "backends of the pool")
	flag.IntVar(&o.rate, "rate", 10_000, "asks a second for the latency")
	flag.DurationVar(&o.duration, "duration", 5*time.Second, "of each measurement")
	flag.Uint64Var(&o.soak, "soak", 0, "instead, make so many grants and watch the controller's memory")
	flag.BoolVar(&o.assign, "assign", false, "instead, measure what assignments cost")
	flag.BoolVar(&o.pin, "pin", true, "hold the controller to core 0 and this process to the others (taskset)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "fairlead-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c, err := startController(ctx, dir, o)
	if err != nil {
		return err
	}
	defer c.stop()
	if o.pin {
		pinSelf()
	}
	s, err := openSessions(ctx, c.address, o)
	if err != nil {
		return err
	}
	defer s.close()
	fmt.Printf("%s, %d cores; %d sessions, %d backends, %d in flight\n",
		runtime.Version(), runtime.NumCPU(), o.sessions, o.backends, o.inFlight)
	if o.assign {
		return assignments(ctx, c, s, o)
	}
	if o.soak > 0 {
		return soak(ctx, c, s, o)
	}
	throughput(ctx, c, s, o)
	return latency(ctx, c, s, o)
}

// throughput keeps so many asks in flight.
func throughput(ctx context.Context, c *controller, s *sessions, o options) {
	ctx, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	cpu, began := c.cpu(), time.Now()
	n := s.churn(ctx, o.inFlight, 0)
	took, used := time.Since(began), c.cpu()-cpu
	fmt.Printf("throughput: %.0f asks/s; controller %.2f cores, %.2f us of CPU an ask\n",
		float64(n)/took.Seconds(), used.Seconds()/took.Seconds(), float64(used.Microseconds())/float64(n))
}

// soak makes so many grants, and says what the controller's memory is on the way.
func soak(ctx context.Context, c *controller, s *sessions, o options) error {
	step := max(o.soak/5, 1)
	for n := uint64(0); n < o.soak; n += step {
		began := time.Now()
		if got := s.churn(ctx, o.inFlight, step); got < step {
			return errors.New("interrupted")
		}
		fmt.Printf("%9d grants: resident %5.1f MiB, %.0f asks/s\n",
			n+step, float64(c.resident())/(1<<20), float64(step)/time.Since(began).Seconds())
	}
	return nil
}

// latency asks at a fixed rate, from many goroutines, and counts from when an ask was
// sent; how late this program sent it, because the machine's timers are coarse, stands
// beside it.
func latency(ctx context.Context, c *controller, s *sessions, o options) error {
	h := hdrhistogram.New(1, int64(10*time.Second), 3)
	late := hdrhistogram.New(1, int64(10*time.Second), 3) // this program's own
	var mu sync.Mutex
	var wg sync.WaitGroup
	var failed atomic.Uint64
	ctx, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	each := time.Duration(o.sessions) * time.Second / time.Duration(o.rate)
	for i := range s.all {
		wg.Go(func() {
			var calls sync.WaitGroup
			defer calls.Wait()
			for due := time.Now(); ctx.Err() == nil; due = due.Add(each) {
				time.Sleep(time.Until(due))
				calls.Go(func() {
					sent := time.Now()
					g, err := s.all[i].Ask(ctx, link.Request{Pool: s.pool})
					took := time.Since(sent)
					if err != nil {
						failed.Add(1)
						return
					}
					g.Done(link.Result{Outcome: fleet.OK, Latency: time.Millisecond})
					mu.Lock()
					_ = h.RecordValue(int64(took))
					_ = late.RecordValue(int64(sent.Sub(due)))
					mu.Unlock()
				})
			}
		})
	}
	wg.Wait()
	us := func(h *hdrhistogram.Histogram, q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1e3 }
	fmt.Printf("latency at %d asks/s: p50 %.0f us, p99 %.0f us, p99.9 %.0f us (%d asks; sent late by p50 %.0f us, p99 %.0f us)\n",
		o.rate, us(h, 50), us(h, 99), us(h, 99.9), h.TotalCount(), us(late, 50), us(late, 99))
	return ctxOnly(ctx)
}

// ctxOnly says whether a measurement was broken off from outside.
func ctxOnly(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil
	}
	return ctx.Err()
}

// sessions are the proxies.
type sessions struct {
	all  []*session.Session
	pool *link.Pool
	stop context.CancelFunc
	wg   sync.WaitGroup
}

func openSessions(ctx context.Context, address string, o options) (*sessions, error) {
	ctx, stop := context.WithCancel(ctx)
	s := &sessions{pool: &link.Pool{Name: "bench"}, stop: stop}
	for i := range o.sessions {
		one := session.New(session.Config{
			Controllers: []session.Controller{{Name: "controller", Dial: func() (*grpc.ClientConn, error) {
				return grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
			}}},
			Name: fmt.Sprintf("bench-%d", i), Logger: slog.New(slog.DiscardHandler), Patience: 10 * time.Second,
			OnTable: discard,
			Status:  func() *fairleadv1.ProxyStatus { return &fairleadv1.ProxyStatus{} },
		})
		s.all = append(s.all, one)
		s.wg.Go(func() {
			if err := one.Run(ctx); err != nil {
				log.Print(err)
			}
		})
		if o.assign {
			continue // the backends are yet to join
		}
		g, err := one.Ask(ctx, link.Request{Pool: s.pool})
		if err != nil {
			return nil, fmt.Errorf("the first ask: %w", err)
		}
		g.Done(link.Result{Outcome: fleet.Unused})
	}
	return s, nil
}

func (s *sessions) close() {
	s.stop()
	s.wg.Wait()
}

// churn keeps asks in flight until ctx ends or enough were granted (0: no bound), and
// returns how many were.
func (s *sessions) churn(ctx context.Context, inFlight int, enough uint64) uint64 {
	var n atomic.Uint64
	var wg sync.WaitGroup
	for i := range inFlight {
		one := s.all[i%len(s.all)]
		wg.Go(func() {
			for ctx.Err() == nil && (enough == 0 || n.Add(1) <= enough) {
				g, err := one.Ask(ctx, link.Request{Pool: s.pool})
				if err != nil {
					continue
				}
				g.Done(link.Result{Outcome: fleet.OK, Latency: time.Millisecond})
				if enough == 0 {
					n.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if enough > 0 {
		return min(n.Load(), enough)
	}
	return n.Load()
}

// controller is the process that is measured.
type controller struct {
	cmd     *exec.Cmd
	address string
}

func startController(ctx context.Context, dir string, o options) (*controller, error) {
	binary := filepath.Join(dir, "fairlead")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/fairlead/fairlead/cmd/fairlead").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building fairlead: %v\n%s", err, out)
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "controller: {listen: %q, admin: \"127.0.0.1:0\", data: %q}\n", address, dir)
	fmt.Fprintf(&b, "pools:\n%s  - name: bench\n    slots: %d\n    health: {type: none}\n    backends:\n", assigningPools(o), 4+o.inFlight/o.backends)
	for i := range o.backends {
		fmt.Fprintf(&b, "      - {address: \"10.0.%d.%d:80\"}\n", i/250, i%250+1)
	}
	file := filepath.Join(dir, "fairlead.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		return nil, err
	}
	args := []string{binary, "controller", "-c", file, "--log-level", "error"}
	if o.pin {
		args = append([]string{"taskset", "-c", "0"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	if !o.pin {
		cmd.Env = os.Environ()
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &controller{cmd, address}, nil
}

func (c *controller) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	_ = c.cmd.Wait()
}

// cpu returns what the controller has used.
func (c *controller) cpu() time.Duration {
	f := c.stat()
	var user, system int64
	_, _ = fmt.Sscan(f[11], &user)
	_, _ = fmt.Sscan(f[12], &system)
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}

// resident returns its memory in bytes.
func (c *controller) resident() int64 {
	var pages int64
	_, _ = fmt.Sscan(c.stat()[21], &pages)
	return pages * int64(os.Getpagesize())
}

// stat returns the fields of /proc/PID/stat that follow the command's name.
func (c *controller) stat() []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		log.Fatal(err)
	}
	s := string(b)
	return strings.Fields(s[strings.LastIndex(s, ")")+1:])
}

func freeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// pinSelf leaves core 0 to the controller.
func pinSelf() {
	cores := fmt.Sprintf("1-%d", runtime.NumCPU()-1)
	if out, err := exec.Command("taskset", "-a", "-p", "-c", cores, fmt.Sprint(os.Getpid())).CombinedOutput(); err != nil {
		log.Printf("taskset: %v\n%s", err, out)
	}
	runtime.GOMAXPROCS(max(runtime.NumCPU()-1, 1))
}
