package http_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/internal/proxy/http1/corpus"
)

// message is a request or an answer as the strict reader understands it. That takes only
// what nobody can read in two ways: less than RFC 9112 allows.
type message struct {
	method, target string // of a request
	status         int    // of an answer
	fields         []corpus.Field
	body           []byte
	trailer        []corpus.Field
}

// values returns what a message says under a name.
func (m *message) values(name string) []string { return valuesOf(m.fields, name) }

func valuesOf(fields []corpus.Field, name string) (all []string) {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			all = append(all, f.Value)
		}
	}
	return all
}

// errShort says that a message's end is not there.
var errShort = errors.New("the message does not end")

var (
	requestLine = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\\S+) HTTP/1\\.1$")
	statusLine  = regexp.MustCompile(`^HTTP/1\.[01] ([1-9][0-9]{2}) [\t -~\x80-\xff]*$`)
	fieldLine   = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$")
	fieldValue  = regexp.MustCompile(`^[\t -~\x80-\xff]*$`)
	targetForm  = regexp.MustCompile(`^(\*|/([!-$&-~]|%[0-9A-Fa-f]{2})*)$`)
	hostForm    = regexp.MustCompile(`^([0-9A-Za-z.%_~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?$`)
	lengthForm  = regexp.MustCompile(`^(0|[1-9][0-9]{0,15})$`)
	chunkForm   = regexp.MustCompile(`^[0-9A-Fa-f]{1,8}$`)
)

// latin makes a string whose characters are the bytes, for expressions that know bytes.
func latin(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

// matches applies an expression to bytes, and returns its groups as bytes.
func matches(re *regexp.Regexp, b []byte) []string {
	groups := re.FindStringSubmatch(latin(b))
	for i, g := range groups {
		raw := make([]byte, 0, len(g))
		for _, r := range g {
			raw = append(raw, byte(r))
		}
		groups[i] = string(raw)
	}
	return groups
}

// cutLine takes a line with its CRLF off, and refuses any other CR or LF.
func cutLine(b []byte) (line, rest []byte, err error) {
	i := bytes.IndexAny(b, "\r\n")
	switch {
	case i < 0, b[i] == '\r' && i+1 == len(b):
		return nil, nil, errShort
	case b[i] != '\r' || b[i+1] != '\n':
		return nil, nil, fmt.Errorf("a line that is not ended by CR LF: %.60q", b)
	}
	return b[:i], b[i+2:], nil
}

// cutFields takes field lines off, and the empty line behind them.
func cutFields(b []byte) (fields []corpus.Field, rest []byte, err error) {
	for {
		line, rest, err := cutLine(b)
		if err != nil || len(line) == 0 {
			return fields, rest, err
		}
		g := matches(fieldLine, line)
		if g == nil || matches(fieldValue, []byte(g[2])) == nil {
			return nil, nil, fmt.Errorf("not a field line: %.60q", line)
		}
		fields = append(fields, corpus.Field{Name: g[1], Value: g[2]})
		b = rest
	}
}

// strictRequest reads a request, and returns what is behind it.
func strictRequest(b []byte) (m *message, rest []byte, err error) {
	line, rest, err := cutLine(b)
	if err != nil {
		return nil, nil, err
	}
	g := matches(requestLine, line)
	if g == nil {
		return nil, nil, fmt.Errorf("not a request line: %.60q", line)
	}
	m = &message{method: g[1], target: g[2]}
	if m.fields, rest, err = cutFields(rest); err != nil {
		return nil, nil, err
	}
	host := m.values("Host")
	switch {
	case matches(targetForm, []byte(m.target)) == nil || m.target == "*" && m.method != "OPTIONS":
		return nil, nil, fmt.Errorf("%s of the target %.60q", m.method, m.target)
	case strings.ContainsAny(m.target, `#\`):
		return nil, nil, fmt.Errorf("a target that has no # and no \\: %.60q", m.target)
	case len(host) != 1 || matches(hostForm, []byte(host[0])) == nil:
		return nil, nil, fmt.Errorf("not one good Host: %.60q", host)
	}
	rest, err = m.cutBody(rest, false)
	return m, rest, err
}

// strictAnswer reads an answer to a method. One that says nothing of its body's end has
// the rest as its body.
func strictAnswer(b []byte, method string) (m *message, rest []byte, err error) {
	line, rest, err := cutLine(b)
	if err != nil {
		return nil, nil, err
	}
	g := matches(statusLine, line)
	if g == nil {
		return nil, nil, fmt.Errorf("not a status line: %.60q", line)
	}
	m = &message{}
	m.status, _ = strconv.Atoi(g[1])
	if m.fields, rest, err = cutFields(rest); err != nil {
		return nil, nil, err
	}
	if m.status < 200 || m.status == 204 {
		if m.values("Content-Length") != nil || m.values("Transfer-Encoding") != nil {
			return nil, nil, fmt.Errorf("a %d that says how long its body is", m.status)
		}
		return m, rest, nil
	}
	if m.status == 304 || method == "HEAD" {
		return m, rest, nil
	}
	rest, err = m.cutBody(rest, true)
	return m, rest, err
}

// cutBody takes the body off.
func (m *message) cutBody(b []byte, untilEnd bool) (rest []byte, err error) {
	length, coding := m.values("Content-Length"), m.values("Transfer-Encoding")
	switch {
	case len(length)+len(coding) > 1:
		return nil, fmt.Errorf("more than one framing: lengths %q, codings %q", length, coding)
	case len(coding) == 1 && coding[0] != "chunked":
		return nil, fmt.Errorf("coding %q", coding)
	case len(coding) == 1:
		return m.cutChunks(b)
	case len(length) == 0 && untilEnd:
		m.body = b
		return nil, nil
	case len(length) == 0:
		return b, nil
	case matches(lengthForm, []byte(length[0])) == nil:
		return nil, fmt.Errorf("length %q", length)
	}
	n, err := strconv.Atoi(length[0])
	if err != nil || n > len(b) {
		return nil, errShort
	}
	m.body = b[:n]
	return b[n:], nil
}

// cutChunks takes a chunked body off. Chunk extensions end here, so there must be none.
func (m *message) cutChunks(b []byte) (rest []byte, err error) {
	for {
		line, rest, err := cutLine(b)
		if err != nil {
			return nil, err
		}
		if matches(chunkForm, line) == nil {
			return nil, fmt.Errorf("not a chunk size: %.60q", line)
		}
		n, _ := strconv.ParseUint(string(line), 16, 32)
		if n == 0 {
			m.trailer, rest, err = cutFields(rest)
			if err == nil {
				err = checkTrailer(m.trailer)
			}
			return rest, err
		}
		if uint64(len(rest)) < n+2 {
			return nil, errShort
		}
		if string(rest[n:n+2]) != "\r\n" {
			return nil, fmt.Errorf("a chunk that is followed by %q", rest[n:n+2])
		}
		m.body = append(m.body, rest[:n]...)
		b = rest[n+2:]
	}
}

// checkTrailer refuses what a reader might take for a part of the head.
func checkTrailer(fields []corpus.Field) error {
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Host", "Connection", "Trailer", "TE", "X-Forwarded-For"} {
		if valuesOf(fields, name) != nil {
			return fmt.Errorf("a trailer with %s", name)
		}
	}
	return nil
}
