package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/fairlead/fairlead/internal/strict"
)

// MaxSize is the most bytes that a config file may have.
const MaxSize = 4 << 20

// Load reads a file. What is wrong with its text comes as Errors, all at once; what
// keeps it from being read comes as one plain error.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("config file %s: %w; create it, or name another file", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the config file: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the config file: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("config file %s is a directory; name a file in it", path)
	}
	if info.Size() > MaxSize {
		return nil, tooLarge(path)
	}
	// A pipe has no size, so what is read is bounded too.
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the config file: %w", err)
	}
	return Parse(path, data)
}

func tooLarge(path string) error {
	return fmt.Errorf("config file %s is larger than %d MiB, which no config needs; is it the right file?", path, MaxSize>>20)
}

// Parse reads the text of a file; file is its name for errors, which are Errors. The
// config is nil when there is one.
func Parse(file string, data []byte) (*Config, error) {
	if len(data) > MaxSize {
		return nil, tooLarge(file)
	}
	d := &decoder{&strict.Decoder{File: file}}
	body := d.Document(data)
	if len(d.Errs) > 0 {
		return nil, d.Errs
	}
	raw := d.draft(body)
	c := d.finish(raw)
	if len(d.Errs) > 0 {
		d.Errs.Sort()
		return nil, d.Errs
	}
	return c, nil
}
