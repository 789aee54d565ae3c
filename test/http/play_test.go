package http_test

import (
	"errors"
	"testing"

	"github.com/fairlead/fairlead/internal/proxy/http1/corpus"
)

// byFile plays the cases of each file on one server, and reports them when the server has
// ended, since only then it is sure what arrived at the backends.
func byFile(t *testing.T, cases []corpus.Case, known map[string]flaw, how func(*testing.T, *site, *corpus.Case) *play) {
	files := map[string][]*corpus.Case{}
	var order []string
	names := map[string]bool{}
	for i := range cases {
		c := &cases[i]
		if files[c.File] == nil {
			order = append(order, c.File)
		}
		files[c.File] = append(files[c.File], c)
		names[c.Name] = true
	}
	for name := range known {
		if !names[name] {
			t.Errorf("known has %q, and no file of the corpus does", name)
		}
	}
	for _, file := range order {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			for _, p := range playAll(t, files[file], known, how) {
				p.report(t, known)
			}
		})
	}
}

// playAll plays cases. What follows a failure is played on a new server, so that nothing
// that comes late counts as its own.
func playAll(t *testing.T, cases []*corpus.Case, known map[string]flaw, how func(*testing.T, *site, *corpus.Case) *play) (plays []*play) {
	s := newSite(t)
	for _, c := range cases {
		if known[c.Name].crash {
			t.Run(c.Name, func(t *testing.T) { t.Skipf("known, and not played: %s", known[c.Name].today) })
			continue
		}
		p := how(t, s, c)
		plays = append(plays, p)
		if len(p.errs) > 0 {
			s.end(t)
			s = newSite(t)
		}
	}
	s.end(t)
	for _, p := range plays {
		p.backend.close()
	}
	return plays
}

// end stops the server. Nothing of it is left.
func (s *site) end(t *testing.T) {
	t.Helper()
	if err := s.shutdown(); err != nil {
		t.Error(err)
	}
	if n := s.server.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

// report says how a case went.
func (p *play) report(t *testing.T, known map[string]flaw) {
	if err := p.backend.check(p.broke); err != nil {
		p.errs = append(p.errs, err)
	}
	for range len(p.backend.seen) {
		if len(p.errs) > 0 {
			break // what goes with that
		}
		a := <-p.backend.seen
		p.errs = append(p.errs, errors.New("in the end a request arrives that nobody sent: "+a.method+" "+a.target))
	}
	if p.asks.Load() > 0 && len(p.errs) == 0 {
		p.errs = append(p.errs, errors.New("in the end a grant is asked for that nobody needs"))
	}
	flaw, is := known[p.Name]
	t.Run(p.Name, func(t *testing.T) {
		switch err := errors.Join(p.errs...); {
		case err == nil && is && !flaw.sometimes:
			t.Errorf("it passes: take it off the list of what is known (%s)", flaw.today)
		case is:
			t.Skipf("known: %s (RFC %s; %v)", flaw.today, p.RFC, err)
		case err != nil:
			t.Errorf("%v\nRFC %s: %s\nsent: %.600q", err, p.RFC, p.Why, p.Sent)
		}
	})
}
