package http_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/internal/proxy/http1/corpus"
	"github.com/fairlead/fairlead/internal/proxy/web"
)

func TestAnswers(t *testing.T) {
	cases, err := corpus.Answers()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []bool{false, true} {
		t.Run(map[bool]string{false: "at once", true: "byte by byte"}[one], func(t *testing.T) {
			chosen, known := cases, knownAnswers
			if one {
				chosen, known = slow(cases)
			}
			byFile(t, chosen, known, func(t *testing.T, s *site, c *corpus.Case) *play {
				p := newPlay(c, newBackend(t, c, one), known)
				s.playing.Store(p)
				if err := s.answer(p); err != nil {
					p.errs = append(p.errs, err)
				}
				return p
			})
		})
	}
}

// slow returns which answers are sent byte by byte too, and what of them is known: short
// ones that nothing follows. What follows an answer later than the next request is its
// answer, to anybody.
func slow(cases []corpus.Case) (chosen []corpus.Case, known map[string]flaw) {
	known = map[string]flaw{}
	for _, c := range cases {
		forwarded := slices.ContainsFunc(c.Wants[0], func(v corpus.Verdict) bool { return v.Kind == corpus.Forwarded })
		if len(c.Answer) > 500 || c.Reuse == corpus.Never && forwarded {
			continue
		}
		chosen = append(chosen, c)
		if f, is := knownAnswers[c.Name]; is {
			known[c.Name] = f
		}
	}
	return chosen, known
}

// answer plays a case of an answer once, and then sends another request: on the same
// connection if that is kept.
func (s *site) answer(p *play) error {
	p.broke = p.Early // the client sends only a part
	c, err := s.dial(p.Sent, false, p.wait)
	if err != nil {
		return err
	}
	defer c.Close()
	closed, err := p.answered(c)
	close(p.backend.got)
	if err == nil {
		err = p.following(s, c, closed)
	}
	asks := int(p.asks.Load())
	if e := p.settle(); err == nil {
		err = e
	}
	if want := 2; err == nil && asks != want {
		err = fmt.Errorf("%d grants were asked for, want %d", asks, want)
	}
	return err
}

// answered reads what the client is answered. It tells whether that closes the connection.
func (p *play) answered(c *client) (closed bool, err error) {
	method, _, _ := strings.Cut(string(p.Sent), " ")
	want := p.Wants[0]
	m, res, err := c.answer(method)
	switch {
	case errors.Is(err, errFlood), errors.Is(err, errUnclear):
		return true, err
	case err != nil && strings.Contains(err.Error(), "timeout"):
		return true, fmt.Errorf("no answer, and the connection is open (want %s)", describe(want))
	case err != nil:
		if slices.ContainsFunc(want, func(v corpus.Verdict) bool { return v.Kind == corpus.Broken }) {
			return true, nil // it broke off visibly
		}
		return true, fmt.Errorf("the answer breaks off: %w, want %s", err, describe(want))
	}
	why := fmt.Errorf("answered %d, want %s", m.status, describe(want))
	refused := m.values(web.ReasonHeader) != nil && m.status >= 500
	for _, v := range want {
		if !slices.Contains(v.Statuses, m.status) || refused != (v.Kind != corpus.Forwarded) {
			continue
		}
		if refused {
			return res.Close, nil
		}
		if why = fits(m, v); why == nil {
			return res.Close, p.keeps(c, res.Close)
		}
	}
	return true, why
}

// keeps compares what an answer says of the client's connection with what the case says.
func (p *play) keeps(c *client, closed bool) error {
	switch {
	case p.After == corpus.Kept && closed:
		return errors.New("the client's connection is closed")
	case p.After == corpus.Closed && !closed:
		return errors.New("the client's connection is kept")
	case closed:
		return c.ended()
	}
	return nil
}

// following sends another request, which must get the answer to it and no other.
func (p *play) following(s *site, c *client, closed bool) error {
	if p.Late != nil {
		<-p.backend.late
	}
	if closed {
		other, err := s.dial(nil, false, p.wait)
		if err != nil {
			return err
		}
		defer other.Close()
		c = other
	}
	if _, err := c.Write([]byte(probe)); err != nil {
		return err
	}
	m, _, err := c.answer(http.MethodGet)
	if err != nil {
		return fmt.Errorf("the next request is not answered: %w", err)
	}
	if m.values("X-Backend") == nil || string(m.body) != "ok" {
		return fmt.Errorf("the next request is answered %d, %.100q: that is not its answer", m.status, m.body)
	}
	return p.reused()
}

// reused checks which connection to the backend the next request came on.
func (p *play) reused() error {
	b := p.backend
	timeout := time.After(p.wait)
	var got arrival
	for got.message == nil || got.target != "/probe" {
		select {
		case got = <-b.seen:
		case <-timeout:
			return errors.New("the next request did not arrive")
		}
	}
	b.mu.Lock()
	same := got.on == b.conns[0]
	b.mu.Unlock()
	switch {
	case same && p.Reuse == corpus.Never:
		return errors.New("the connection to the backend is used again")
	case !same && p.Reuse == corpus.Always:
		return errors.New("the connection to the backend is not used again")
	}
	return nil
}
