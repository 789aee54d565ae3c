package accesslog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
)

// output is where lines go.
type output struct {
	path string // empty: it is no file of ours

	mu   sync.Mutex // guards what is below, and is held while it is written
	w    io.Writer
	file *os.File // w, where it is ours to close; nil: it is not, or was closed
	torn bool     // the last line is not whole
}

// openFile opens a file to append to.
func openFile(path string) (*os.File, error) {
	// A pipe without a reader would be waited for.
	if i, err := os.Stat(path); err == nil && i.Mode()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDir) != 0 {
		return nil, fmt.Errorf("the access log %s is no file but %s; name a file, or write stdout or stderr", path, kind(i.Mode()))
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the access log %s cannot be opened: its directory is missing; make it", path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the access log %s cannot be opened: this process may not write there; give its user leave, or name another file", path)
	case err != nil:
		return nil, fmt.Errorf("the access log cannot be opened: %w", err)
	}
	return f, nil
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a pipe"
}

func (o *output) name() string {
	if o.path == "" {
		return "its output"
	}
	return o.path
}

// write writes whole lines, and returns how many are lost.
func (o *output) write(batch []byte) (lost int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.torn {
		if _, err := o.w.Write([]byte{'\n'}); err != nil {
			return bytes.Count(batch, []byte{'\n'}), err
		}
		o.torn = false
	}
	n, err := o.w.Write(batch)
	o.torn = n > 0 && batch[n-1] != '\n'
	return bytes.Count(batch[n:], []byte{'\n'}), err
}

// reopen opens the file anew.
func (o *output) reopen() error {
	if o.path == "" {
		return nil
	}
	f, err := openFile(o.path)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil { // closed meanwhile
		return f.Close()
	}
	old := o.file
	o.w, o.file, o.torn = f, f, false
	if err := old.Close(); err != nil {
		return fmt.Errorf("closing the access log that was %s: %w", o.path, err)
	}
	return nil
}

func (o *output) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil {
		return nil
	}
	err := o.file.Close()
	o.file = nil
	if err != nil {
		return fmt.Errorf("closing the access log: %w", err)
	}
	return nil
}
