//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/config"
	"github.com/fairlead/fairlead/internal/testproc"
)

// at returns a command line with the controller's address.
func at(address, line string) []string {
	return append(strings.Fields(line), "--controller", address)
}

func TestTools(t *testing.T) {
	s := newSite(t)
	s.start(t, "controller")
	do := func(line string) result { return fairlead(at(s.wire, line)...) }
	testproc.AwaitSnapshot(t, soon, s.admin, "the backends", testproc.Standing("render", 2, 0))

	do("pools").is(t, exitOK, "POOL", "render", "2/2", "0/1000")
	do("backends").is(t, exitOK, "BACKEND", backend1, backend2, "up")
	do("explain render").is(t, exitOK, "would be granted", backend1, backend2, "SCORE")
	do("explain render --exclude "+backend1+","+backend2).is(t, exitOK, "refused", "the request excludes it")
	do("drain "+backend1).is(t, exitOK, backend1+" drains; 0 in flight")
	do("backends").is(t, exitOK, "drained")
	do("drain "+backend1).is(t, exitOK, "drains") // again
	do("drain --pool render "+backend2).is(t, exitOK, "drains")
	do("explain render").is(t, exitOK, "refused")
	do("undrain "+backend1).is(t, exitOK, backend1+" takes requests again")
	do("undrain --pool render "+backend2).is(t, exitOK, "takes requests again")
	do("pools").is(t, exitOK, "2/2")

	do("explain other").is(t, exitError, `no pool is named "other"`, `the config has "render"`)
	do("drain --pool other "+backend1).is(t, exitError, `no pool is named "other"`, `"render"`)
	do("drain 127.0.0.1:1").is(t, exitError, `no backend is named "127.0.0.1:1"`, backend1, backend2)
	do("undrain 127.0.0.1:1").is(t, exitError, `no backend is named "127.0.0.1:1"`, backend1, backend2)
	do("explain render --exclude "+strings.Repeat("x,", 64)+"x").is(t, exitError, "at most 64")
}

// TestSeveralControllers has tools use the first controller that answers.
func TestSeveralControllers(t *testing.T) {
	s := newSite(t)
	s.start(t, "controller")
	silent, closed := taken(t), testproc.FreeAddr(t)
	for _, list := range []string{closed + "," + s.wire, s.wire + "," + closed, silent + ", " + s.wire} {
		fairlead("pools", "--controller", list).is(t, exitOK, "render")
		fairlead("explain", "render", "--controller", list).is(t, exitOK, backend1)
	}
	fairlead("pools", "--controller", closed+","+silent).is(t, exitError, "no controller answers at any of "+closed+", "+silent)
}

func TestJSON(t *testing.T) {
	s := newSite(t)
	s.start(t, "controller")
	for _, command := range []string{"pools --json", "backends --json"} {
		r := fairlead(at(s.wire, command)...)
		r.is(t, exitOK)
		snap := &fairleadv1.Snapshot{}
		if err := protojson.Unmarshal([]byte(r.out), snap); err != nil || len(snap.GetPools()) != 1 || len(snap.GetPools()[0].GetBackends()) != 2 {
			t.Errorf("%s prints %s: %v", command, r.out, err)
		}
	}
	r := fairlead(at(s.wire, "explain render --json")...)
	r.is(t, exitOK)
	e := &fairleadv1.Explanation{}
	if err := protojson.Unmarshal([]byte(r.out), e); err != nil || e.GetPool() != "render" || len(e.GetCandidates()) != 2 {
		t.Errorf("explain --json prints %s: %v", r.out, err)
	}
}

// TestWatch has a tool print again and again, until it is interrupted; and end with a
// plain sentence when the controller does.
func TestWatch(t *testing.T) {
	s := newSite(t)
	controller := s.start(t, "controller")
	watch := func(line string) *testproc.Process {
		return testproc.Start(t, line, exec.Command(testproc.Fairlead(t), at(s.wire, line)...))
	}
	pools, backends := watch("pools --watch"), watch("backends -w --json")
	testproc.Await(t, soon, "two prints", func(context.Context) error {
		if a, b := strings.Count(pools.Logs(), "render"), strings.Count(backends.Logs(), "takenUnixMs"); a < 2 || b < 2 {
			return fmt.Errorf("%d and %d", a, b)
		}
		return nil
	}, pools, backends)
	if err := pools.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := pools.Wait(t, soon); err != nil {
		t.Errorf("an interrupted watch: %v", err)
	}
	if err := controller.Stop(); err != nil {
		t.Errorf("the controller: %v", err)
	}
	err := backends.Wait(t, soon)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitError || !strings.Contains(backends.Logs(), "fairlead: no controller answers at") {
		t.Errorf("a watch of a controller that has ended: %v, %s", err, backends.Logs())
	}
}

// TestDemo runs the demo, which has fixed addresses, and looks at it with every tool.
func TestDemo(t *testing.T) {
	testproc.FixedAddresses(t, append([]string{config.DefaultListen, config.DefaultAdmin, "127.0.0.1:9101", "127.0.0.1:9102", "127.0.0.1:9103"}, demoListens...)...)
	up := testproc.Start(t, "up", exec.Command(testproc.Fairlead(t), "up", "--load=false"))
	up.AwaitLog(t, soon, "Fairlead's demo is up")
	testproc.AwaitSnapshot(t, soon, config.DefaultAdmin, "the demo's fleet", testproc.Standing("render", 3, 2), up)
	for _, address := range demoListens {
		testproc.AwaitHTTP(t, soon, "http://"+address+"/", up)
	}
	fairlead("pools").is(t, exitOK, "render", "3/3")
	fairlead("backends").is(t, exitOK, "127.0.0.1:9101", "127.0.0.1:9103", "yes")
	fairlead("explain", "render").is(t, exitOK, "would be granted", "latest decisions", "proxy-1", "proxy-2")
	fairlead("pools", "--json").is(t, exitOK, `"render"`)
	fairlead("drain", "127.0.0.1:9101").is(t, exitOK, "drains")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: soon}
	for range 10 {
		resp, err := client.Get("http://" + demoListens[0] + "/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("with one backend drained: %s", resp.Status)
		}
	}
	testproc.AwaitSnapshot(t, soon, config.DefaultAdmin, "the drain", func(s *fairleadv1.Snapshot) error {
		for _, b := range s.GetPools()[0].GetBackends() {
			if b.GetAddress() == "127.0.0.1:9101" && b.GetState() == "drained" {
				return nil
			}
		}
		return errors.New("not drained")
	}, up)
	fairlead("undrain", "127.0.0.1:9101").is(t, exitOK, "takes requests again")
	up.SetStopSignal(syscall.SIGINT)
	if err := up.Stop(); err != nil {
		t.Errorf("the demo, interrupted: %v", err)
	}
}
