package store

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain looks for goroutines that were left. Connections between members end a while
// after the members have, so that it waits for them.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "4") // they wait for leases and elections, most of the time; the flag exists
	code := m.Run()
	if os.Getenv(onFullDisk) != "" {
		os.Exit(code)
	}
	err := goleak.Find()
	for until := time.Now().Add(limit); err != nil && time.Now().Before(until); {
		err = goleak.Find()
	}
	if err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
