package client

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Fields between clients, proxies and backends.
const (
	ticketField = "Fairlead-Ticket"
	reasonField = "Fairlead-Reason"
	wantField   = "Fairlead-Want"
)

// RefusedError is a no: a locator's to the question for a proxy, or a proxy's to the
// question for a grant. It never changes.
type RefusedError struct {
	// By says who refused, such as "proxy p1 (10.0.0.1:5432)".
	By string
	// Status is the HTTP status: of a locator 400, 404 (no such listener) or 503 (no
	// proxy); of a proxy 429 (shed), 503 (nobody can serve) or another.
	Status int
	// Reason is the Fairlead-Reason, one word for programs; empty: none was given.
	Reason string
	// Message is a sentence for people; empty: none was given.
	Message string
	// RetryAfter is how long to wait before asking again, in whole seconds; 0: nobody
	// has said.
	RetryAfter time.Duration
}

// Error implements error.
func (e *RefusedError) Error() string {
	text := fmt.Sprintf("%s answers %d %s", e.By, e.Status, http.StatusText(e.Status))
	if e.Reason != "" {
		text += " (" + e.Reason + ")"
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.RetryAfter > 0 {
		text += fmt.Sprintf("; ask again after %v", e.RetryAfter)
	}
	return text
}

// newRefused makes an error from an answer whose body was read.
func newRefused(by string, resp *http.Response, body []byte) *RefusedError {
	e := &RefusedError{By: by, Status: resp.StatusCode, Message: parseError(body)}
	if reason := resp.Header.Get(reasonField); len(reason) <= maxName {
		e.Reason = oneLine(reason)
	}
	if n, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 31); err == nil {
		e.RetryAfter = time.Duration(n) * time.Second
	}
	return e
}

// readAnswer reads the body of a short answer and closes it.
func readAnswer(resp *http.Response) ([]byte, error) {
	defer func() { _ = resp.Body.Close() }() // it was read, or is given up
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("broke off: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("is longer than %d bytes", maxAnswer)
	}
	return body, nil
}

// discard ends an answer that nobody will read, so that its connection may be used again
// if little is left of it.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	_ = resp.Body.Close()
}
