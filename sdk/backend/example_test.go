package backend_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/fairlead/fairlead/sdk/backend"
)

// A server reports for itself, and on SIGINT lets the controller send its requests
// elsewhere before it stops.
func Example() {
	reporter, err := backend.New(backend.Config{
		Controller: "127.0.0.1:7400",
		Pool:       "render",
		Address:    "127.0.0.1:9101",
		Slots:      4,
	})
	if err != nil {
		log.Fatal(err)
	}
	work := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "rendered") })
	server := &http.Server{Addr: "127.0.0.1:9101", Handler: reporter.Handler(work)}

	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	reporting, leave := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := reporter.Run(reporting); err != nil {
			log.Print(err) // the server serves on, without the controller's knowing its load
		}
	})
	running.Go(func() {
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			log.Print(err)
			stop()
		}
	})

	<-interrupted.Done()
	patience, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := reporter.Drain(patience); err != nil {
		log.Print(err)
	}
	leave()
	if err := server.Shutdown(patience); err != nil {
		log.Print(err)
	}
	running.Wait()
}

// What does not come as an HTTP request is counted by Begin.
func ExampleReporter_Begin() {
	reporter, err := backend.New(backend.Config{
		Controller: "127.0.0.1:7400", Pool: "jobs", Address: "127.0.0.1:9101",
	})
	if err != nil {
		log.Fatal(err)
	}
	job := func() error { return errors.New("no such file") }

	end := reporter.Begin()
	err = job()
	end(err != nil)
	fmt.Println(err)
	// Output: no such file
}

// In a pool with tickets, whoever comes without one is turned away; what must be reached
// without a grant, such as a health check's path, stays outside.
func ExampleReporter_Guard() {
	reporter, err := backend.New(backend.Config{
		Controller: "127.0.0.1:7400", Pool: "render", Address: "127.0.0.1:9101",
		Direct: true, Public: "https://render-1.example.org:443",
	})
	if err != nil {
		log.Fatal(err)
	}
	work := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "rendered") })
	mux := http.NewServeMux()
	mux.Handle("/", reporter.Guard(work))
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})

	for _, path := range []string{"/", "/healthz"} {
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
		fmt.Printf("%s %d %q\n", path, answer.Code, answer.Header().Get("Fairlead-Reason"))
	}
	fmt.Println(reporter.Refused())
	// Output:
	// / 401 "ticket_missing"
	// /healthz 200 ""
	// map[missing:1]
}

// A backend that is told of its requests beforehand prepares for them, and turns them away
// when it has no room.
func ExampleConfig_onAssign() {
	room := make(chan struct{}, 2)
	prepare := func(grant string) { fmt.Println("prepare", grant) }
	cfg := backend.Config{
		Controller: "127.0.0.1:7400", Pool: "render", Address: "127.0.0.1:9101",
		OnAssign: func(a backend.Assignment) error {
			select {
			case room <- struct{}{}:
			default:
				return backend.ErrFull
			}
			go prepare(a.Grant) // it takes a while, and the controller waits for our word
			return nil
		},
		OnRevoke: func(string) { <-room },
	}
	if _, err := backend.New(cfg); err != nil {
		log.Fatal(err)
	}
	room <- struct{}{}
	room <- struct{}{}
	fmt.Println(cfg.OnAssign(backend.Assignment{Grant: "7.41", Confirm: true}))
	// Output: this backend is full
}
