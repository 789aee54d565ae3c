// Package strict reads YAML files for people who make mistakes: an unknown key, a value out
// of range or a name that leads nowhere is an error, and every error says the file, line,
// column and key, what is wrong, and how to mend it. All errors of a file are told at once.
//
// A file may come from anywhere. What the YAML parser beneath takes too long over, or
// breaks on, is turned away before it gets there (shape.go).
package strict
