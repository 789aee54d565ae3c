// Command backend is a backend for tests of faults. It counts in a ledger, a file that it
// shares with its test, and behaves as the ledger says.
//
//	GET /work?us=N   takes N microseconds
//	GET /healthz     is answered at once, and counts for nothing
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/test/faults/ledger"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "where it serves")
	file := flag.String("ledger", "", "the file that it counts in")
	flag.Parse()
	if err := run(*listen, *file); err != nil {
		log.Fatal(err)
	}
}

func run(listen, file string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := ledger.Open(file)
	if err != nil {
		return err
	}
	l.Born()
	b := &backend{l}
	mux := http.NewServeMux()
	mux.HandleFunc("/work", b.work)
	mux.HandleFunc("/healthz", b.health)
	s := &http.Server{Addr: listen, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	stopped := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stopped()
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type backend struct{ *ledger.Ledger }

func (b *backend) work(w http.ResponseWriter, r *http.Request) {
	defer b.Enter()()
	switch ledger.Mode(b.Mode.Load()) {
	case ledger.Silent, ledger.SilentWork:
		b.Wrong.Add(1)
		<-r.Context().Done()
	case ledger.Garbage, ledger.GarbageWork:
		b.Wrong.Add(1)
		garbage(w)
	case ledger.FailsWork:
		b.Wrong.Add(1)
		http.Error(w, "this backend fails", http.StatusInternalServerError)
	case ledger.RefusesWork:
		b.Wrong.Add(1)
		http.Error(w, "this backend is not ready", http.StatusServiceUnavailable)
	default:
		us, _ := strconv.Atoi(r.FormValue("us"))
		t := time.NewTimer(time.Duration(us) * time.Microsecond)
		defer t.Stop()
		select {
		case <-t.C:
			_, _ = io.WriteString(w, "ok\n")
		case <-r.Context().Done():
		}
	}
}

func (b *backend) health(w http.ResponseWriter, r *http.Request) {
	switch ledger.Mode(b.Mode.Load()) {
	case ledger.Silent:
		<-r.Context().Done()
	case ledger.Garbage:
		garbage(w)
	}
}

// garbage answers with what no client can read.
func garbage(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = conn.Write([]byte("\x16\x03\x01\x00\xa5 this is not HTTP\r\n\r\n"))
	_ = conn.Close()
}
