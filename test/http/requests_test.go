package http_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/internal/proxy/http1/corpus"
)

// probe is a request that nobody can misunderstand. When it is answered behind another
// one, nothing was left over between them.
const probe = "GET /probe HTTP/1.1\r\nHost: probe.example\r\n\r\n"

func TestRequests(t *testing.T) {
	cases, err := corpus.Requests()
	if err != nil {
		t.Fatal(err)
	}
	byFile(t, cases, knownRequests, func(t *testing.T, s *site, c *corpus.Case) *play {
		p := newPlay(c, newBackend(t, nil, false), knownRequests)
		s.playing.Store(p)
		for _, way := range ways(c.Sent) {
			s.pieces.Store(way)
			if err := s.request(p); err != nil {
				p.errs = append(p.errs, fmt.Errorf("%v: %w", way, err))
				return p // the other ways say the same, or wait as long
			}
		}
		return p
	})
}

// ways returns how the server gets a message: at once, byte by byte, in two pieces, cut
// anywhere, and with pauses; long ones are cut only where something ends or begins.
func ways(b []byte) []*pieces {
	all := []*pieces{{}}
	if testing.Short() || len(b) > 2000 {
		return append(all, &pieces{sizes: []int{len(b) - 1}}, &pieces{sizes: slices.Repeat([]int{997}, len(b)/997)})
	}
	all = append(all, &pieces{sizes: slices.Repeat([]int{1}, len(b))})
	for i := 1; i < len(b); i++ {
		if len(b) <= 150 || !letter(b[i-1]) || !letter(b[i]) {
			all = append(all, &pieces{sizes: []int{i}})
		}
		if b[i-1] == '\r' || b[i-1] == '\n' || b[i] == ':' {
			all = append(all, &pieces{pause: i, waits: make(chan struct{})})
		}
	}
	return all
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' }

// request plays a case of a request once.
func (s *site) request(p *play) error {
	c, err := s.dial(p.Sent, p.Closes, p.wait)
	if err != nil {
		return err
	}
	defer c.Close()
	forwarded, verdict, err := s.messages(c, p)
	if err == nil && verdict.Kind == corpus.Forwarded && !p.Closes {
		var more int
		more, err = s.afterwards(c, p)
		forwarded += more
	}
	if err == nil && (verdict.Kind != corpus.Forwarded || p.Closes) {
		err = c.ended()
	}
	asks := int(p.asks.Load())
	if e := p.settle(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if len(p.backend.seen) > 0 {
		a := <-p.backend.seen
		return fmt.Errorf("a request arrives that nobody sent: %s %s", a.method, a.target)
	}
	if verdict.Kind == corpus.Broken && asks == forwarded+1 {
		return nil // what it is was only to be seen when it was on its way
	}
	if asks != forwarded {
		return fmt.Errorf("%d requests were forwarded, and %d grants were asked for", forwarded, asks)
	}
	return nil
}

// messages reads an answer for each message of the case, and returns the verdict on the
// last one that was answered.
func (s *site) messages(c *client, p *play) (forwarded int, verdict corpus.Verdict, err error) {
	for _, want := range p.Wants {
		verdict, err = p.message(c, want)
		if err != nil || verdict.Kind != corpus.Forwarded {
			return forwarded, verdict, err
		}
		forwarded++
	}
	return forwarded, verdict, nil
}

// message reads one answer, and finds the verdict that it fits.
func (p *play) message(c *client, want corpus.Want) (corpus.Verdict, error) {
	method := "GET"
	for _, v := range want {
		if v.Kind == corpus.Broken {
			p.broke = true
		}
		if v.Method != "" {
			method = v.Method
		}
	}
	m, res, err := c.answer(method)
	if err == nil && m.values("X-Backend") != nil {
		return p.arrived(want)
	}
	status := 0
	switch {
	case err == nil:
		status = m.status
	case res != nil || c.read.Len() > c.used:
		return corpus.Verdict{}, fmt.Errorf("the answer is %.200q: %w", c.read.Bytes()[c.used:], err)
	case strings.Contains(err.Error(), "timeout"):
		return corpus.Verdict{}, fmt.Errorf("no answer, and the connection is open")
	}
	for _, v := range want {
		if v.Kind == corpus.Forwarded || !slices.Contains(v.Statuses, status) {
			continue
		}
		if res != nil && !res.Close {
			return v, fmt.Errorf("answered %d without saying that the connection is closed", status)
		}
		return v, nil
	}
	return corpus.Verdict{}, fmt.Errorf("answered %d (0: not at all), want %s", status, describe(want))
}

// arrived finds the verdict that fits the request that the backend has answered.
func (p *play) arrived(want corpus.Want) (corpus.Verdict, error) {
	got := (<-p.backend.seen).message // it was there before its answer
	if err := hopByHop(got); err != nil {
		return corpus.Verdict{}, err
	}
	why := fmt.Errorf("forwarded as %s %s, want %s", got.method, got.target, describe(want))
	for _, v := range want {
		if v.Kind != corpus.Forwarded {
			continue
		}
		if got.method != v.Method || got.target != v.Target {
			continue
		}
		if why = fits(got, v); why == nil {
			return v, nil
		}
	}
	return corpus.Verdict{}, why
}

// fits compares a message that arrived with what a verdict says of it.
func fits(m *message, v corpus.Verdict) error {
	for _, f := range v.Has {
		if got := m.values(f.Name); len(got) != 1 || got[0] != f.Value {
			return fmt.Errorf("arrives with %s: %.100q, want %.100q", f.Name, got, f.Value)
		}
	}
	for _, name := range v.Lacks {
		if got := m.values(name); got != nil {
			return fmt.Errorf("arrives with %s: %.100q", name, got)
		}
	}
	if !bytes.Equal(m.body, v.Body) {
		return fmt.Errorf("arrives with the body %.100q, want %.100q", m.body, v.Body)
	}
	if !slices.Equal(m.trailer, v.Trailer) {
		return fmt.Errorf("arrives with the trailer %.100q, want %.100q", m.trailer, v.Trailer)
	}
	return nil
}

// hopByHop refuses what is for one hop only, and nevertheless arrives.
func hopByHop(m *message) error {
	for _, name := range []string{"Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "HTTP2-Settings"} {
		if got := m.values(name); got != nil {
			return fmt.Errorf("%s arrives: %q", name, got)
		}
	}
	for _, te := range m.values("TE") {
		if te != "trailers" {
			return fmt.Errorf("TE arrives: %q", te)
		}
	}
	upgrade, connection := m.values("Upgrade"), m.values("Connection")
	if len(upgrade) != len(connection) || len(connection) > 1 || len(connection) == 1 && !strings.EqualFold(connection[0], "upgrade") {
		return fmt.Errorf("Connection arrives: %q, and Upgrade: %q", connection, upgrade)
	}
	return nil
}

// afterwards checks what became of the client's connection after the last answer.
func (s *site) afterwards(c *client, p *play) (forwarded int, err error) {
	if p.After == corpus.Closed {
		return 0, c.ended()
	}
	if _, err := c.Write([]byte(probe)); err != nil && p.After == corpus.Kept {
		return 0, fmt.Errorf("the connection is not kept: %w", err)
	}
	m, _, err := c.answer(http.MethodGet)
	if err != nil && p.After == corpus.Whether {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("the connection is not kept: %w", err)
	}
	if m.values("X-Backend") == nil {
		return 0, fmt.Errorf("the next request is answered %d: something was left over", m.status)
	}
	if got := <-p.backend.seen; got.target != "/probe" {
		return 1, fmt.Errorf("the next request arrives as %s %s: something was left over", got.method, got.target)
	}
	return 1, nil
}

// describe says what was wanted.
func describe(want corpus.Want) string {
	var all []string
	for _, v := range want {
		switch {
		case v.Kind != corpus.Forwarded:
			all = append(all, fmt.Sprintf("%s %v", v.Kind, v.Statuses))
		case v.Method != "":
			all = append(all, fmt.Sprintf("forwarded %s %s", v.Method, v.Target))
		default:
			all = append(all, fmt.Sprintf("forwarded %v", v.Statuses))
		}
	}
	return strings.Join(all, ", or ")
}
