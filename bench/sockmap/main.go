//go:build linux

// Command sockmap holds three ways to join two TCP connections against each other: a loop
// that copies, splice (what Fairlead's proxy does), and a BPF sockmap, where the kernel hands
// what one socket receives to the other without waking the process. It is an experiment, in a
// module of its own; docs/decisions/0019-sockmap.md says what it showed.
//
// "waiting" is a sockmap whose half-closes wait until all bytes before them are through.
//
//	cd bench/sockmap && go run .        as root, or with CAP_BPF and CAP_NET_ADMIN
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"syscall"
	"time"
)

func main() {
	gib := flag.Float64("gib", 4, "how many GiB to send one way")
	trips := flag.Int("trips", 20_000, "how many round trips of 64 bytes")
	closes := flag.Int("closes", 50, "how many half-closes")
	flag.Parse()
	bpf, err := newSockmap()
	if err != nil {
		log.Fatalf("loading the sockmap: %v; run it as root, on Linux 5.13 or newer", err)
	}
	defer bpf.close()
	for _, c := range []struct {
		name string
		join joiner
	}{{"copy", copied}, {"splice", spliced}, {"sockmap", bpf.join}, {"waiting", bpf.joinWaiting}} {
		for _, try := range []struct {
			name string
			run  func(joiner) (string, error)
		}{
			{"one way", func(j joiner) (string, error) { return oneWay(j, int64(*gib*(1<<30))) }},
			{"round trip", func(j joiner) (string, error) { return roundTrip(j, *trips) }},
			{"half-close", func(j joiner) (string, error) { return halfCloses(j, *closes) }},
			{"abort", abort},
			{"back-pressure", backPressure},
		} {
			said, err := try.run(c.join)
			if err != nil {
				said = "failed: " + err.Error()
			}
			fmt.Printf("%-8s %-14s %s\n", c.name, try.name, said)
		}
	}
}

// ends are a client and a backend that were joined; both give up after a while.
type ends struct {
	client, backend *net.TCPConn
	joined          <-chan struct{} // closed when the joiner has ended
}

const patience = 20 * time.Second

func meet(j joiner) (*ends, error) {
	client, near, err := pair()
	if err != nil {
		return nil, err
	}
	far, backend, err := pair()
	if err != nil {
		return nil, err
	}
	limit := time.Now().Add(patience)
	if err := errors.Join(client.SetDeadline(limit), backend.SetDeadline(limit)); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	ready := make(chan error, 1)
	go func() {
		defer close(done)
		j(near, far, ready)
		_, _ = near.Close(), far.Close()
	}()
	return &ends{client, backend, done}, <-ready
}

func (e *ends) close() {
	_, _ = e.client.Close(), e.backend.Close()
	<-e.joined
}

// pair returns the two ends of a loopback connection.
func pair() (a, b *net.TCPConn, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	accepted, err := l.Accept()
	if err != nil {
		return nil, nil, err
	}
	return dialed.(*net.TCPConn), accepted.(*net.TCPConn), nil
}

// cpu is the CPU time of this process, its ends included. What the kernel does for nobody in
// particular, as it does for a sockmap, is not in it.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// oneWay sends from the backend to the client.
func oneWay(j joiner, most int64) (string, error) {
	e, err := meet(j)
	if err != nil {
		return "", err
	}
	defer e.close()
	began, before := time.Now(), cpu()
	go func() {
		chunk := make([]byte, 256<<10)
		for sent := int64(0); sent < most; sent += int64(len(chunk)) {
			if _, err := e.backend.Write(chunk); err != nil {
				return
			}
		}
		_ = e.backend.CloseWrite()
	}()
	chunk, got := make([]byte, 256<<10), int64(0)
	for {
		n, err := e.client.Read(chunk)
		got += int64(n)
		if err != nil {
			took, used := time.Since(began), cpu()-before
			of := fmt.Sprintf("%.2f GB/s, %.2f s CPU of the process a GB; %d bytes of %d, then %v",
				float64(got)/1e9/took.Seconds(), used.Seconds()/(float64(got)/1e9), got, most, err)
			return of, nil
		}
	}
}

func roundTrip(j joiner, n int) (string, error) {
	e, err := meet(j)
	if err != nil {
		return "", err
	}
	defer e.close()
	go func() { _, _ = io.Copy(struct{ io.Writer }{e.backend}, struct{ io.Reader }{e.backend}) }()
	b, all := make([]byte, 64), make([]time.Duration, 0, n)
	before := cpu()
	for range n {
		began := time.Now()
		if _, err := e.client.Write(b); err != nil {
			return "", err
		}
		if _, err := io.ReadFull(e.client, b); err != nil {
			return "", fmt.Errorf("after %d: %w", len(all), err)
		}
		all = append(all, time.Since(began))
	}
	used := cpu() - before
	slices.Sort(all)
	return fmt.Sprintf("p50 %v, p99 %v, %v CPU of the process each", all[n/2], all[n*99/100], used/time.Duration(n)), nil
}
