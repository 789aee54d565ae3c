package message

import "bytes"

// Limits bound a head. All are in bytes but Fields.
type Limits struct {
	Line   int // the first line
	Field  int // one field line
	Fields int // how many
	Head   int // all together
}

// Defaults are the limits that a proxy has unless it is told otherwise.
var Defaults = Limits{Line: 8 << 10, Field: 16 << 10, Fields: 128, Head: 64 << 10}

// maxEmpty is how many empty lines may stand before a request: RFC 9112, 2.2 has one
// ignored that an old client sent behind a body.
const maxEmpty = 1

type span struct{ from, to uint32 }

func (s span) of(b []byte) []byte { return b[s.from:s.to:s.to] }

// Field is one field line.
type Field struct {
	name, value span
	Known       Known
	// Dropped fields are for one hop only: Connection names them.
	Dropped bool
}

// Head is what requests and answers have in common. It holds offsets into the buffer that
// it was last given, so that the buffer may move while a head comes in pieces.
type Head struct {
	// Fields are in the order in which they came.
	Fields []Field
	// Minor is the protocol's version: HTTP/1.Minor.
	Minor byte
	// Length is the body's, in bytes; 0 where there is none, -1 where it is chunked or, in an
	// answer, ends with the connection.
	Length int64
	// Chunked tells whether the body is.
	Chunked bool
	// Close tells whether the connection ends behind this message.
	Close bool
	// Size is how long the head is, in bytes.
	Size int

	buf   []byte
	first span // the first line
	at    int  // bytes that were looked at
	line  int  // where the line begins that at is in
	lines int  // that ended
	empty int  // lines before the first
}

func (h *Head) reset() {
	*h = Head{Fields: h.Fields[:0], Minor: 1}
}

// Name returns a field's name as it came.
func (h *Head) Name(f *Field) []byte { return f.name.of(h.buf) }

// Value returns a field's value, without the blanks around it.
func (h *Head) Value(f *Field) []byte { return f.value.of(h.buf) }

// Get returns the first field that is k; nil: there is none.
func (h *Head) Get(k Known) *Field {
	for i := range h.Fields {
		if h.Fields[i].Known == k {
			return &h.Fields[i]
		}
	}
	return nil
}

// Find returns the first field of a name, which is in lower case, and nil if there is none.
func (h *Head) Find(name string) *Field {
	for i := range h.Fields {
		if f := &h.Fields[i]; int(f.name.to-f.name.from) == len(name) && EqualFold(h.Name(f), name) {
			return f
		}
	}
	return nil
}

// scan looks at what has come, and reads each field as its line ends. It tells whether the
// head is complete.
func (h *Head) scan(buf []byte, lim *Limits) (done bool, err *Error) {
	h.buf = buf
	for {
		i := bytes.IndexByte(buf[h.at:], '\n')
		if i < 0 {
			h.at = len(buf)
			return false, h.within(len(buf), lim)
		}
		i += h.at
		if i == h.line || buf[i-1] != '\r' {
			return false, ErrLineEnd
		}
		if err := h.within(i-1, lim); err != nil {
			return false, err
		}
		line := span{uint32(h.line), uint32(i - 1)}
		h.at, h.line = i+1, i+1
		switch {
		case line.from < line.to && h.lines == 0:
			h.first = line
		case line.from < line.to:
			if err := h.field(line, lim); err != nil {
				return false, err
			}
		case h.lines == 0:
			if h.empty++; h.empty > maxEmpty {
				return false, ErrEmptyLines
			}
			continue
		default:
			h.Size = i + 1
			return true, nil
		}
		h.lines++
	}
}

// within checks the line that goes up to end, which may not be its end yet.
func (h *Head) within(end int, lim *Limits) *Error {
	long := end - h.line
	switch {
	case h.lines == 0 && long > lim.Line:
		return ErrLine
	case h.lines > 0 && long > lim.Field:
		return ErrField
	case end > lim.Head:
		return ErrHead
	}
	return nil
}

// field reads a line.
func (h *Head) field(line span, lim *Limits) *Error {
	b := line.of(h.buf)
	if b[0] == ' ' || b[0] == '\t' {
		return ErrFold
	}
	colon := bytes.IndexByte(b, ':')
	if colon <= 0 || !all(b[:colon], isToken) {
		return ErrName
	}
	from, to := colon+1, len(b)
	for from < to && (b[from] == ' ' || b[from] == '\t') {
		from++
	}
	for to > from && (b[to-1] == ' ' || b[to-1] == '\t') {
		to--
	}
	if !all(b[from:to], isValue) {
		return ErrValue
	}
	if len(h.Fields) >= lim.Fields {
		return ErrFields
	}
	h.Fields = append(h.Fields, Field{
		name:  span{line.from, line.from + uint32(colon)},
		value: span{line.from + uint32(from), line.from + uint32(to)},
		Known: know(b[:colon]),
	})
	return nil
}

// version reads "HTTP/1.x".
func (h *Head) version(b []byte) *Error {
	if len(b) != 8 || string(b[:7]) != "HTTP/1." || b[7] != '0' && b[7] != '1' {
		return ErrVersion
	}
	h.Minor = b[7] - '0'
	return nil
}

// frame finds out how the body is read, and what Connection says. upgrade tells whether
// that names Upgrade.
func (h *Head) frame() (upgrade bool, err *Error) {
	h.Close = h.Minor == 0
	length, coding := false, false
	for i := range h.Fields {
		f := &h.Fields[i]
		switch f.Known {
		case ContentLength:
			n, ok := decimal(h.Value(f))
			if !ok || length {
				return false, ErrLength
			}
			h.Length, length = n, true
		case TransferEncoding:
			if err := h.coding(h.Value(f), coding); err != nil {
				return false, err
			}
			coding = true
		case Connection:
			up, err := h.connection(h.Value(f))
			if err != nil {
				return false, err
			}
			upgrade = upgrade || up
		}
	}
	if coding {
		if length {
			return false, ErrFraming
		}
		h.Length, h.Chunked = -1, true
	}
	return upgrade, nil
}

// coding checks a Transfer-Encoding.
func (h *Head) coding(value []byte, had bool) *Error {
	switch {
	case h.Minor == 0:
		return ErrOldCoding
	case had:
		return ErrNotChunked
	case EqualFold(value, "chunked"):
		return nil
	}
	chunked, last := 0, false
	for rest := value; rest != nil; {
		var item []byte
		item, rest = next(rest)
		if last = EqualFold(item, "chunked"); last {
			chunked++
		}
	}
	if chunked != 1 || !last {
		return ErrNotChunked
	}
	return ErrCoding
}

// connection reads a Connection field, and marks the fields that it names.
func (h *Head) connection(value []byte) (upgrade bool, err *Error) {
	for rest := value; rest != nil; {
		var item []byte
		item, rest = next(rest)
		switch {
		case len(item) == 0:
		case !all(item, isToken):
			return false, ErrConnection
		case EqualFold(item, "close"):
			h.Close = true
		case EqualFold(item, "keep-alive"):
			if h.Minor == 0 {
				h.Close = h.says("close")
			}
		case EqualFold(item, "upgrade"):
			upgrade = true
		default:
			h.drop(item)
		}
	}
	return upgrade, nil
}

// says tells whether a Connection field has a word.
func (h *Head) says(word string) bool {
	for i := range h.Fields {
		if h.Fields[i].Known != Connection {
			continue
		}
		for rest := h.Value(&h.Fields[i]); rest != nil; {
			var item []byte
			if item, rest = next(rest); EqualFold(item, word) {
				return true
			}
		}
	}
	return false
}

func (h *Head) drop(name []byte) {
	for i := range h.Fields {
		if f := &h.Fields[i]; !f.Known.stays() && equalFold(h.Name(f), name) {
			f.Dropped = true
		}
	}
}
