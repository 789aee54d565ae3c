package backend_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
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
