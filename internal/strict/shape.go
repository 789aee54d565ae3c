package strict

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// Bounds on the shape of a file. The config needs six levels and some thirty keys a section,
// and as many weights of flows as there are flows that weigh something; a scenario needs
// not many more. The parser beneath recurses by level, and takes time by the square of the
// keys of a section and of the values that are missing, so a hostile file of a few MiB
// could otherwise end the process with a full stack, or hold it for an hour.
const (
	maxDepth = 32
	maxKeys  = 64
	maxHoles = 1000
)

// checkText finds bytes that no such file has.
func checkText(data []byte) (Where, *Complaint) {
	at := Where{Line: 1, Column: 1}
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size == 1:
			return at, &Complaint{fmt.Sprintf("the byte 0x%02x is not UTF-8", data[0]), "save the file as UTF-8"}
		case r < ' ' && r != '\n' && r != '\r' && r != '\t', r == 0x7f, r == 0xfeff:
			return at, &Complaint{fmt.Sprintf("the control character %U", r), "remove it"}
		}
		data = data[size:]
		at.Column++
		if r == '\n' {
			at.Line, at.Column = at.Line+1, 1
		}
	}
	return Where{}, nil
}

// unsupported is what YAML has and these files have not. With aliases a small file can
// become a giant one, and an error in what they stand for has no single place.
var unsupported = map[token.Type]Complaint{
	token.AliasType: {"YAML aliases (*) are not supported",
		`write the value out, or put quotes around a star that is meant, as in "*"`},
	token.AnchorType: {"YAML anchors (&) are not supported",
		"remove it, and write the value out where it is used"},
	token.MergeKeyType:   {"the YAML merge key (<<) is not supported", "write the keys out"},
	token.TagType:        {"YAML tags (!) are not supported", "remove it, or put quotes around the value"},
	token.DirectiveType:  {"YAML directives (%) are not supported", "remove the line, or put quotes around the value"},
	token.MappingKeyType: {"the YAML key mark (?) is not supported", "write key: value"},
}

// shape follows the nesting of a file by its tokens alone.
type shape struct {
	levels []level
	run    int // of list items that begin side by side, each a level
	holes  int // keys and items without a value
	last   *token.Token
	begun  bool // the document has something in it
	ended  bool // by a line of dots
}

// level is a section or list that is open. In a block its keys start in one column.
type level struct {
	opener token.Type // of what stands between brackets; 0 in a block
	column int
	keys   int
	colon  bool // the entry between two commas has one
}

// checkShape reports what is not supported, or a shape beyond the bounds.
func (d *Decoder) checkShape(tokens token.Tokens) {
	tokens = slices.DeleteFunc(slices.Clone(tokens), func(tk *token.Token) bool {
		return tk == nil || tk.Position == nil || tk.Type == token.CommentType
	})
	var s shape
	for i, tk := range tokens {
		at := Where{Line: tk.Position.Line, Column: tk.Position.Column}
		if bad, ok := unsupported[tk.Type]; ok && len(d.Errs) < maxTold {
			d.Report(at, bad)
			if tk.Type == token.DirectiveType {
				return // what follows it is no part of a document
			}
		}
		if s.second(tk) {
			d.Report(at, Complaint{"a second document begins", "keep one document a file, and remove the line --- or ..."})
			return
		}
		var next *token.Token
		if i+1 < len(tokens) {
			next = tokens[i+1]
		}
		s.follow(tk, next)
		if bad := s.beyond(); bad != "" {
			d.Report(at, Complaint{bad, "is it the right file?"})
			return
		}
	}
}

// second tells whether a second document begins with tk.
func (s *shape) second(tk *token.Token) bool {
	switch tk.Type {
	case token.DocumentHeaderType:
		return s.begun
	case token.DocumentEndType:
		s.ended = s.begun
		return false
	}
	s.begun = true
	return s.ended
}

// beyond says which bound is passed.
func (s *shape) beyond() string {
	switch n := len(s.levels); {
	case n > maxDepth, s.run > maxDepth:
		return fmt.Sprintf("nested more than %d levels deep", maxDepth)
	case n > 0 && s.levels[n-1].keys > maxKeys:
		return fmt.Sprintf("a section of more than %d keys", maxKeys)
	case s.holes > maxHoles:
		return fmt.Sprintf("more than %d keys or items without a value", maxHoles)
	}
	return ""
}

func (s *shape) follow(tk, next *token.Token) {
	switch {
	case tk.Type != token.SequenceEntryType:
		s.run = 0
	case s.run > 0 && tk.Position.Column <= s.last.Position.Column:
		s.run = 1 // the one before is an empty item
	default:
		s.run++
	}
	switch tk.Type {
	case token.MappingStartType, token.SequenceStartType:
		s.levels = append(s.levels, level{opener: tk.Type})
	case token.MappingEndType, token.SequenceEndType:
		s.entry()
		s.closeFlow()
	case token.CollectEntryType:
		s.entry()
	case token.SequenceEntryType:
		s.closeBlocks(tk.Position.Column)
		if ends(next) || next.Position.Line > tk.Position.Line && next.Position.Column <= tk.Position.Column {
			s.holes++
		}
	case token.DocumentHeaderType, token.DocumentEndType:
		s.levels = s.levels[:0]
	case token.MappingValueType:
		s.key(tk, next)
	}
	s.last = tk
}

// ends tells whether no value can begin with tk.
func ends(tk *token.Token) bool {
	if tk == nil {
		return true
	}
	switch tk.Type {
	case token.CollectEntryType, token.MappingEndType, token.SequenceEndType,
		token.DocumentHeaderType, token.DocumentEndType, token.MappingValueType:
		return true
	}
	return false
}

// entry ends what stands between two commas. Without a colon it has no value in a
// section, and without anything it has none in a list either.
func (s *shape) entry() {
	n := len(s.levels)
	if n == 0 {
		return
	}
	top := &s.levels[n-1]
	if top.opener == token.MappingStartType && !top.colon || s.last != nil && s.last.Type == token.CollectEntryType {
		s.holes++
	}
	top.colon = false
}

// key counts the key that stands before a colon.
func (s *shape) key(colon, next *token.Token) {
	if ends(next) {
		s.holes++
	}
	if n := len(s.levels); n > 0 && s.levels[n-1].opener != 0 {
		s.levels[n-1].keys++
		s.levels[n-1].colon = true
		if s.levels[n-1].opener == token.SequenceStartType {
			s.levels[n-1].keys = 0 // each such key is a section of its own
		}
		return
	}
	column := colon.Position.Column
	if s.last != nil && s.last.Position.Line == colon.Position.Line {
		column = s.last.Position.Column
	}
	s.closeBlocks(column)
	if n := len(s.levels); n == 0 || s.levels[n-1].opener != 0 || s.levels[n-1].column < column {
		s.levels = append(s.levels, level{column: column})
	}
	s.levels[len(s.levels)-1].keys++
	if next != nil && next.Position.Line > colon.Position.Line && (next.Position.Column < column ||
		next.Position.Column == column && next.Type != token.SequenceEntryType) {
		s.holes++
	}
}

// closeBlocks ends the sections that start to the right of column.
func (s *shape) closeBlocks(column int) {
	for n := len(s.levels); n > 0 && s.levels[n-1].opener == 0 && s.levels[n-1].column > column; n-- {
		s.levels = s.levels[:n-1]
	}
}

func (s *shape) closeFlow() {
	for n := len(s.levels); n > 0; n-- {
		opener := s.levels[n-1].opener
		s.levels = s.levels[:n-1]
		if opener != 0 {
			return
		}
	}
}
