package hello

// More of what the protocol calls by numbers.
const (
	extensionServerName = 0
	nameTypeHost        = 0
	lengthOfRandom      = 32
	longestSessionID    = 32
	longestName         = 253
	longestLabel        = 63
)

// fields reads a message from its front. After the first field that is not there, none is.
type fields struct {
	b      []byte
	broken bool
}

// take returns the next n bytes.
func (f *fields) take(n int) []byte {
	if n > len(f.b) {
		f.b, f.broken = nil, true
		return nil
	}
	var got []byte
	got, f.b = f.b[:n], f.b[n:]
	return got
}

// number returns the next number of n bytes.
func (f *fields) number(n int) int {
	v := 0
	for _, c := range f.take(n) {
		v = v<<8 | int(c)
	}
	return v
}

// part returns the next field, which says its length in n bytes.
func (f *fields) part(n int) fields {
	b := f.take(f.number(n))
	return fields{b: b, broken: f.broken}
}

// serverName returns the host name in a ClientHello without its header.
func serverName(message []byte) (string, error) {
	f := fields{b: message}
	version := f.number(2)
	f.take(lengthOfRandom)
	session, suites, compressions := f.part(1), f.part(2), f.part(1)
	switch {
	case f.broken:
		return "", bad("it ends before its extensions")
	case version>>8 != majorVersion:
		return "", bad("it has the version %#x", version)
	case len(session.b) > longestSessionID:
		return "", bad("its session is %d bytes long", len(session.b))
	case len(suites.b) == 0 || len(suites.b)%2 != 0:
		return "", bad("its cipher suites are %d bytes long", len(suites.b))
	case len(compressions.b) == 0:
		return "", bad("it has no compression method")
	case len(f.b) == 0:
		return "", nil // as of old, without extensions
	}
	extensions := f.part(2)
	if f.broken || len(f.b) > 0 {
		return "", bad("its extensions do not end with it")
	}
	return nameAmong(extensions)
}

// nameAmong goes through all extensions: none may be there twice.
func nameAmong(extensions fields) (string, error) {
	name := ""
	seen := map[int]bool{}
	for len(extensions.b) > 0 {
		kind := extensions.number(2)
		data := extensions.part(2)
		if extensions.broken {
			return "", bad("an extension is longer than what is left")
		}
		if seen[kind] {
			return "", bad("the extension %d is there twice", kind)
		}
		seen[kind] = true
		if kind != extensionServerName {
			continue
		}
		var err error
		if name, err = nameIn(data); err != nil {
			return "", err
		}
	}
	return name, nil
}

// nameIn returns the host name in the extension: a list that holds one name.
func nameIn(data fields) (string, error) {
	list := data.part(2)
	kind := list.number(1)
	host := list.part(2)
	switch {
	case list.broken || len(data.b) > 0 || len(list.b) > 0:
		return "", bad("its list of server names does not hold one name")
	case kind != nameTypeHost:
		return "", bad("its server name is of type %d", kind)
	}
	name, ok := hostName(host.b)
	if !ok {
		return "", bad("its server name %.80q is no host name", host.b)
	}
	return name, nil
}

// hostName returns a name in lower case. It is one that resolvers and servers could know: in
// ASCII, without a dot at its end.
func hostName(b []byte) (string, bool) {
	if len(b) == 0 || len(b) > longestName {
		return "", false
	}
	name, label := make([]byte, len(b)), 0
	for i, c := range b {
		switch {
		case c == '.':
			if label == 0 {
				return "", false
			}
			label = -1
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return "", false
		}
		if label++; label > longestLabel {
			return "", false
		}
		name[i] = c
	}
	return string(name), label > 0
}
