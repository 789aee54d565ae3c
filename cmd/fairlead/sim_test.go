//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const tinyScenario = `
name: tiny
backends: [{count: 3, workers: 2}]
proxies: 2
pool: {workers: 2}
arrivals: {load: 70%}
requests: 400
policies: [fairlead, random, central]
`

func TestSim(t *testing.T) {
	file := write(t, tinyScenario)
	fairlead("sim", file).is(t, exitOK, "tiny: 2 proxies, 3 backends, load 70%", "POLICY", "EXCESS-P99", "fairlead", "random", "central", "x1.00")
	plot := filepath.Join(t.TempDir(), "out.svg")
	fairlead("sim", file, "--policies", "fairlead,central", "--seeds", "3,4", "--requests", "200", "--parallel", "2", "--check", "--plot", plot).
		is(t, exitOK, "200 requests of 2 seeds")
	if svg, err := os.ReadFile(plot); err != nil || !strings.HasPrefix(string(svg), "<svg ") {
		t.Errorf("%.100s, %v", svg, err)
	}
	r := fairlead("sim", file, "--json")
	r.is(t, exitOK)
	var got struct {
		Scenarios []struct {
			Results []struct {
				Policy string  `json:"policy"`
				P99    float64 `json:"p99_ms"`
			} `json:"results"`
		} `json:"scenarios"`
	}
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || len(got.Scenarios) != 1 || len(got.Scenarios[0].Results) != 3 || got.Scenarios[0].Results[0].P99 <= 0 {
		t.Errorf("%s: %v", r.out, err)
	}
	if again := fairlead("sim", file, "--json"); again.out != r.out {
		t.Errorf("two runs differ:\n%s\n%s", r.out, again.out)
	}
}

func TestSimRefuses(t *testing.T) {
	file := write(t, tinyScenario)
	fairlead("sim", filepath.Join(t.TempDir(), "none.yaml")).is(t, exitError, "does not exist")
	fairlead("sim", t.TempDir()).is(t, exitError, "is a directory")
	fairlead("sim", write(t, "bakends: 3\n")).is(t, exitError, "the scenario is not good", ":1:1: bakends", "did you mean backends?")
	fairlead("sim", file, "--plot", filepath.Join(t.TempDir(), "no", "dir.svg"), "--requests", "50").is(t, exitError, "--plot")
	for line, words := range map[string]string{
		"": "takes one file", "--policies fairlaed": `no policy "fairlaed"`, "--policies central,central": "twice",
		"--seeds -1": "no whole number", "--requests 0": "--requests must be", "--parallel 0": "--parallel must be",
	} {
		args := append([]string{"sim"}, strings.Fields(line)...)
		if line != "" {
			args = append(args, file)
		}
		fairlead(args...).is(t, exitUsage, words, "Try 'fairlead sim --help'")
	}
}
