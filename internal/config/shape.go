package config

import (
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// Bounds on the shape of a file. The config needs five levels and sixteen keys a
// section. The parser beneath recurses by level and takes time by the square of the
// keys of a section, so a hostile file of a few MiB could otherwise end the process
// with a full stack, or hold it for an hour.
const (
	maxDepth = 32
	maxKeys  = 64
)

// checkText finds bytes that no config has.
func checkText(data []byte) (where, *complaint) {
	at := where{line: 1, column: 1}
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size == 1:
			return at, &complaint{fmt.Sprintf("the byte 0x%02x is not UTF-8", data[0]), "save the file as UTF-8"}
		case r < ' ' && r != '\n' && r != '\r' && r != '\t', r == 0x7f, r == 0xfeff:
			return at, &complaint{fmt.Sprintf("the control character %U", r), "remove it"}
		}
		data = data[size:]
		at.column++
		if r == '\n' {
			at.line, at.column = at.line+1, 1
		}
	}
	return where{}, nil
}

// shape follows the nesting of a file by its tokens alone.
type shape struct {
	levels []level
	run    int // of tokens that open a level each and stand side by side
	last   *token.Token
}

// level is a section that is open: in a block its keys start in one column, between
// braces it has none.
type level struct {
	column int
	flow   bool
	keys   int
}

// checkShape finds nesting and sections beyond the bounds.
func checkShape(tokens token.Tokens) (where, *complaint) {
	var s shape
	for _, tk := range tokens {
		if tk == nil || tk.Position == nil {
			continue
		}
		at := where{line: tk.Position.Line, column: tk.Position.Column}
		s.follow(tk)
		if len(s.levels) > maxDepth || s.run > maxDepth {
			return at, &complaint{fmt.Sprintf("nested more than %d levels deep", maxDepth), "is it the right file?"}
		}
		if n := len(s.levels); n > 0 && s.levels[n-1].keys > maxKeys {
			return at, &complaint{fmt.Sprintf("a section of more than %d keys", maxKeys), "is it the right file?"}
		}
	}
	return where{}, nil
}

func (s *shape) follow(tk *token.Token) {
	switch tk.Type {
	case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
		s.run++
	default:
		s.run = 0
	}
	switch tk.Type {
	case token.MappingStartType, token.SequenceStartType:
		s.levels = append(s.levels, level{flow: true})
	case token.MappingEndType, token.SequenceEndType:
		s.closeFlow()
	case token.SequenceEntryType:
		s.closeBlocks(tk.Position.Column)
	case token.DocumentHeaderType, token.DocumentEndType:
		s.levels = s.levels[:0]
	case token.MappingValueType:
		s.key(tk)
	}
	s.last = tk
}

// key counts the key that stands before a colon.
func (s *shape) key(colon *token.Token) {
	if n := len(s.levels); n > 0 && s.levels[n-1].flow {
		s.levels[n-1].keys++
		return
	}
	column := colon.Position.Column
	if s.last != nil && s.last.Position.Line == colon.Position.Line {
		column = s.last.Position.Column
	}
	s.closeBlocks(column)
	if n := len(s.levels); n == 0 || s.levels[n-1].flow || s.levels[n-1].column < column {
		s.levels = append(s.levels, level{column: column})
	}
	s.levels[len(s.levels)-1].keys++
}

// closeBlocks ends the sections that start to the right of column.
func (s *shape) closeBlocks(column int) {
	for n := len(s.levels); n > 0 && !s.levels[n-1].flow && s.levels[n-1].column > column; n-- {
		s.levels = s.levels[:n-1]
	}
}

func (s *shape) closeFlow() {
	for n := len(s.levels); n > 0; n-- {
		flow := s.levels[n-1].flow
		s.levels = s.levels[:n-1]
		if flow {
			return
		}
	}
}
