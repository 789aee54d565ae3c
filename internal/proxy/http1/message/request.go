package message

import "bytes"

// Request is a request's head.
type Request struct {
	Head
	// Asterisk tells whether the target is "*", of OPTIONS.
	Asterisk bool
	// Expect tells whether the client waits for 100 (Continue) before it sends the body.
	Expect bool
	// Upgrade tells whether the client wants to switch protocols. HTTP/2 does not count: over
	// one link it would bring many requests on one grant.
	Upgrade bool
	// Trailers tells whether the client takes a trailer section.
	Trailers bool

	method span
	target span // in origin form: path and query
	path   span
	host   span
}

// maxMethod is how long a method may be, in bytes.
const maxMethod = 32

// Reset makes r ready for another head.
func (r *Request) Reset() {
	fields := r.Head
	*r = Request{Head: fields}
	r.reset()
}

// Method returns the request's method.
func (r *Request) Method() []byte { return r.method.of(r.buf) }

// Target returns path and query, as they came; that of an absolute target without its
// scheme and authority, "*" for OPTIONS.
func (r *Request) Target() []byte { return r.target.of(r.buf) }

// Path returns the target's path, as it came.
func (r *Request) Path() []byte { return r.path.of(r.buf) }

// Host returns the host, with its port if it has one; empty: the client named none.
func (r *Request) Host() []byte { return r.host.of(r.buf) }

// Is tells whether the method is m.
func (r *Request) Is(m string) bool { return string(r.Method()) == m }

// Parse looks at the bytes of a head that have come so far, from its first on. It is called
// again with more until it returns true or an error, and from then on the bytes of the
// head must stay as they are for as long as r is used.
func (r *Request) Parse(buf []byte, lim *Limits) (done bool, err *Error) {
	started := r.lines > 0
	if done, err = r.scan(buf, lim); err != nil {
		return false, err
	}
	if !started && r.lines > 0 {
		// At once: who speaks another protocol will never send an empty line.
		if err := r.start(); err != nil {
			return false, err
		}
	}
	if !done {
		return false, nil
	}
	return true, r.check()
}

// start reads the request line.
func (r *Request) start() *Error {
	line := r.first.of(r.buf)
	one := bytes.IndexByte(line, ' ')
	two := bytes.LastIndexByte(line, ' ')
	if one <= 0 || one == two {
		return ErrStart
	}
	method, target := line[:one], line[one+1:two]
	if err := r.version(line[two+1:]); err != nil {
		if !bytes.HasPrefix(line[two+1:], []byte("HTTP/")) {
			return ErrStart
		}
		return err
	}
	if len(method) > maxMethod || !all(method, isToken) {
		return ErrMethod
	}
	if string(method) == "CONNECT" {
		return ErrConnect
	}
	if !all(target, isTarget) || len(target) == 0 {
		return ErrTarget
	}
	r.method = span{r.first.from, r.first.from + uint32(one)}
	return r.readTarget(span{r.first.from + uint32(one) + 1, r.first.from + uint32(two)})
}

// readTarget takes a target apart (RFC 9112, 3.2).
func (r *Request) readTarget(s span) *Error {
	b := s.of(r.buf)
	switch {
	case b[0] == '/':
	case len(b) == 1 && b[0] == '*' && r.Is("OPTIONS"):
		r.Asterisk = true
		r.target, r.path = s, s
		return nil
	default:
		skip := schemeOf(b)
		if skip == 0 {
			return ErrTarget
		}
		end := skip
		for end < len(b) && b[end] != '/' && b[end] != '?' {
			end++
		}
		r.host = span{s.from + uint32(skip), s.from + uint32(end)}
		if end == skip || !validHost(b[skip:end]) {
			return ErrTarget
		}
		s.from += uint32(end)
		b = b[end:]
	}
	r.target, r.path = s, s
	if i := bytes.IndexByte(b, '?'); i >= 0 {
		r.path.to = s.from + uint32(i)
		b = b[:i]
	}
	if !validEscapes(b) {
		return ErrTarget
	}
	return nil
}

// schemeOf returns how long an absolute target's "http://" is; 0: it is not one.
func schemeOf(b []byte) int {
	for _, scheme := range [...]string{"http://", "https://"} {
		if len(b) >= len(scheme) && EqualFold(b[:len(scheme)], scheme) {
			return len(scheme)
		}
	}
	return 0
}

// validEscapes tells whether each % stands before two hexadecimal digits.
func validEscapes(b []byte) bool {
	for {
		i := bytes.IndexByte(b, '%')
		if i < 0 {
			return true
		}
		if len(b) < i+3 {
			return false
		}
		_, one := hexDigit(b[i+1])
		_, two := hexDigit(b[i+2])
		if !one || !two {
			return false
		}
		b = b[i+3:]
	}
}

// check looks at a whole head.
func (r *Request) check() *Error {
	wants, err := r.frame()
	if err != nil {
		return err
	}
	hosts, upgrades := 0, 0
	for i := range r.Fields {
		f := &r.Fields[i]
		switch f.Known {
		case Host:
			if hosts++; hosts > 1 || !r.setHost(f) {
				return ErrHost
			}
		case Upgrade:
			if upgrades++; upgrades > 1 {
				return ErrUpgrade
			}
			r.Upgrade = wants && r.Minor == 1
			if r.Upgrade {
				if r.Upgrade, err = upgradeTo(r.Value(f)); err != nil {
					return err
				}
			}
		case Expect:
			if !EqualFold(r.Value(f), "100-continue") {
				return ErrExpect
			}
			r.Expect = r.Minor == 1 && r.Length != 0
		case Trailer:
			if !mayAnnounce(r.Value(f)) {
				return ErrTrailer
			}
		case TE:
			r.Trailers = r.Trailers || hasWord(r.Value(f), "trailers")
		}
	}
	if hosts == 0 && r.Minor == 1 {
		return ErrHost
	}
	return nil
}

// setHost takes a Host field, which must agree with an absolute target.
func (r *Request) setHost(f *Field) bool {
	v := r.Value(f)
	if !validHost(v) {
		return false
	}
	if r.host.to > r.host.from {
		return equalFold(v, r.Host())
	}
	r.host = f.value
	return true
}

// validHost checks what RFC 9110, 7.2 calls uri-host and port, as far as a proxy must: the
// characters, the brackets of an IPv6 address, a port of digits.
func validHost(b []byte) bool {
	if !all(b, isHost) || !validEscapes(b) || len(b) > maxHost {
		return false
	}
	port := b
	if len(b) > 0 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 3 || !all6(b[1:end]) {
			return false
		}
		if port = b[end+1:]; len(port) > 0 && port[0] != ':' {
			return false
		}
	} else if bytes.IndexByte(b, '[') >= 0 {
		return false
	}
	colon := bytes.IndexByte(port, ':')
	if colon < 0 {
		return len(b) > 0 && bytes.IndexByte(port, ']') < 0
	}
	return len(b) > len(port)-colon && validPort(port[colon+1:])
}

// maxHost is how long a host may be: a name of the DNS, and a port.
const maxHost = 255 + 6

// validPort checks a port, which may be empty (RFC 3986, 3.2.3).
func validPort(b []byte) bool {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
		if n = n*10 + int(c-'0'); n > 65535 {
			return false
		}
	}
	return true
}

// all6 tells whether b has what an IPv6 address is written with.
func all6(b []byte) bool {
	for _, c := range b {
		if _, ok := hexDigit(c); !ok && c != ':' && c != '.' {
			return false
		}
	}
	return true
}

// upgradeTo tells whether one of the protocols that a client wants may be switched to.
func upgradeTo(value []byte) (bool, *Error) {
	to := false
	for rest := value; rest != nil; {
		var item []byte
		item, rest = next(rest)
		name, version, _ := bytes.Cut(item, []byte("/"))
		if !all(name, isToken) || !all(version, isToken) || len(name) == 0 {
			return false, ErrUpgrade
		}
		if EqualFold(item, "h2c") || EqualFold(item, "h2") {
			return false, nil
		}
		to = true
	}
	return to, nil
}

// hasWord tells whether a list has a word, which may have parameters.
func hasWord(list []byte, word string) bool {
	for rest := list; rest != nil; {
		var item []byte
		item, rest = next(rest)
		item, _, _ = bytes.Cut(item, []byte(";"))
		if EqualFold(trim(item), word) {
			return true
		}
	}
	return false
}
