//go:build !linux

package main

import (
	"os/exec"
	"time"
)

func tether(*exec.Cmd) {}

// alarm is for systems that have nothing better than time.Sleep.
type alarm struct{}

func newAlarm() *alarm                  { return nil }
func (*alarm) sleep(time.Duration) bool { return false }
func (*alarm) close()                   {}
