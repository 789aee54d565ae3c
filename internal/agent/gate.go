package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/fairlead/fairlead/sdk/backend"
)

// What a gate speaks.
const (
	HTTP = "http"
	TCP  = "tcp"
)

// gate lets clients with a ticket through to a backend that knows nothing of tickets.
type gate interface {
	// serve serves until ctx ends, or it fails. It has cut what is left, and closed its
	// listener, when it returns, and none of its goroutines runs.
	serve(ctx context.Context) error
}

// checkGate checks what Config says of a gate.
func (c *Config) checkGate() error {
	if c.Gate == nil {
		if c.Forward != "" || c.GateProtocol != "" {
			return errors.New("Config.Gate: is missing, and Forward or GateProtocol is given; give the gate's listener too, or neither")
		}
		return nil
	}
	if c.GateProtocol != HTTP && c.GateProtocol != TCP {
		return fmt.Errorf("Config.GateProtocol: %q is neither %q nor %q; give the protocol that clients speak", c.GateProtocol, HTTP, TCP)
	}
	host, port, err := net.SplitHostPort(c.Forward)
	if err != nil || host == "" {
		return fmt.Errorf("Config.Forward: %q is no host:port; give the address of the backend behind the gate", c.Forward)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("Config.Forward: %q has no port from 1 to 65535", c.Forward)
	}
	if c.Forward == c.Gate.Addr().String() {
		return fmt.Errorf("Config.Forward: %s is the gate itself; give the address of the backend behind it", c.Forward)
	}
	return nil
}

// openGate makes the gate; nil: none is wished for.
func (a *Agent) openGate(c *Config, r *backend.Reporter) gate {
	switch {
	case c.Gate == nil:
		return nil
	case c.GateProtocol == HTTP:
		return newHTTPGate(c.Gate, c.Forward, r, a.logger)
	}
	return newTCPGate(c.Gate, c.Forward, r, a.logger)
}

// serveGate serves the gate until ctx ends.
func (a *Agent) serveGate(ctx context.Context) error {
	if a.gate == nil {
		<-ctx.Done()
		return nil
	}
	if err := a.gate.serve(ctx); err != nil {
		return fmt.Errorf("the gate: %w", err)
	}
	return nil
}

// cutAt calls cut when ctx ends, or else when done is called, which awaits it.
func cutAt(ctx context.Context, cut func()) (done func()) {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-ctx.Done():
		case <-over:
		}
		cut()
	}()
	return func() { close(over); <-ended }
}
