package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// locate asks the locators for a listener's proxies, one after the other, until one of
// them knows. That a listener does not exist, or that the question is malformed, is
// knowledge too.
func (c *Client) locate(ctx context.Context, listener string, exclude []string) (Choice, error) {
	var errs []error
	first := int(c.lastGood.Load())
	for i := range c.locators {
		at := (first + i) % len(c.locators)
		choice, err := c.ask(ctx, c.locators[at], listener, exclude)
		if err == nil || isFinal(err) {
			c.lastGood.Store(int32(at))
			return choice, err
		}
		errs = append(errs, err)
	}
	return Choice{}, errors.Join(errs...)
}

// isFinal tells whether another locator, or a later moment, would say the same.
func isFinal(err error) bool {
	var no *RefusedError
	return errors.As(err, &no) && (no.Status == http.StatusBadRequest || no.Status == http.StatusNotFound)
}

// ask asks one locator. It follows no redirect.
func (c *Client) ask(ctx context.Context, locator *url.URL, listener string, exclude []string) (Choice, error) {
	ctx, done := bare(ctx)
	defer done()
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	u := locator.JoinPath("v1/proxies/choose")
	query := url.Values{"listener": {listener}}
	if len(exclude) > 0 {
		query["exclude"] = exclude
	}
	u.RawQuery = query.Encode()
	req := &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{
		"Accept": {"application/json"}, "User-Agent": {"fairlead sdk/client (Go)"},
	}}
	by := "locator " + locator.String()
	resp, err := c.locator.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return Choice{}, fmt.Errorf("%s: %w", by, err)
	}
	body, err := readAnswer(resp)
	switch {
	case err != nil:
		return Choice{}, fmt.Errorf("%s: its answer %w", by, err)
	case resp.StatusCode != http.StatusOK:
		return Choice{}, newRefused(by, resp, body)
	}
	choice, err := parseChoice(body, listener)
	if err != nil {
		return Choice{}, fmt.Errorf("%s: its answer %w", by, err)
	}
	return choice, nil
}

// bare returns a context that ends with ctx and has none of its values: a lookup is no part
// of the request that needs it, so the request's traces must not show it.
func bare(ctx context.Context) (context.Context, func()) {
	b, cancel := context.WithCancelCause(context.Background())
	stop := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	return b, func() {
		stop()
		cancel(nil)
	}
}
