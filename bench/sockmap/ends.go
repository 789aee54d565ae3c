//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

// halfCloses has a client say a few MiB, end its direction, and wait for an answer. It counts
// how often the backend has heard all.
func halfCloses(j joiner, n int) (string, error) {
	const much = 4 << 20
	whole, answered, lost := 0, 0, 0
	for range n {
		e, err := meet(j)
		if err != nil {
			return "", err
		}
		heard := make(chan int, 1)
		go func() {
			got, err := io.Copy(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{e.backend})
			if err == nil {
				_, _ = e.backend.Write([]byte("done"))
				_ = e.backend.CloseWrite()
			}
			heard <- int(got)
		}()
		_, _ = e.client.Write(make([]byte, much))
		_ = e.client.CloseWrite()
		answer, _ := io.ReadAll(e.client)
		if got := <-heard; got == much {
			whole++
		} else {
			lost += much - got
		}
		if string(answer) == "done" {
			answered++
		}
		e.close()
	}
	return fmt.Sprintf("%d of %d heard all (%d bytes lost), %d answers came", whole, n, lost, answered), nil
}

// abort has a client reset its connection, and says what the backend sees, and how soon.
func abort(j joiner) (string, error) {
	e, err := meet(j)
	if err != nil {
		return "", err
	}
	defer e.close()
	if _, err := e.client.Write([]byte("x")); err != nil {
		return "", err
	}
	b := make([]byte, 10)
	if _, err := e.backend.Read(b); err != nil {
		return "", err
	}
	began := time.Now()
	_ = e.client.SetLinger(0)
	_ = e.client.Close()
	_, err = e.backend.Read(b)
	return fmt.Sprintf("the backend sees %s after %v", seen(err), time.Since(began).Round(10*time.Microsecond)), nil
}

func seen(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return "a reset"
	case errors.Is(err, io.EOF):
		return "an end"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "nothing"
	}
	return fmt.Sprint(err)
}

// available is how many bytes of memory the system has left, for everything that runs on it.
func available() int {
	b, _ := os.ReadFile("/proc/meminfo")
	_, after, _ := strings.Cut(string(b), "MemAvailable:")
	var kib int
	_, _ = fmt.Sscan(after, &kib)
	return kib << 10
}

// backPressure has a client write to a backend that reads nothing, until nothing was taken for
// a second, or 256 MiB were; and then the backend reads.
func backPressure(j joiner) (string, error) {
	const most = 256 << 20
	before := available()
	e, err := meet(j)
	if err != nil {
		return "", err
	}
	defer e.close()
	chunk, taken := make([]byte, 256<<10), 0
	for taken < most {
		if err := e.client.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			return "", err
		}
		n, err := e.client.Write(chunk)
		taken += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("after %d MiB: %w", taken>>20, err)
		}
	}
	used := before - available()
	_ = e.client.CloseWrite()
	got, err := io.Copy(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{e.backend})
	return fmt.Sprintf("%.1f MiB were taken before anybody read, and the system had %d MiB less; then %d of %d bytes came, %v", float64(taken)/(1<<20), used>>20, got, taken, err), nil
}
