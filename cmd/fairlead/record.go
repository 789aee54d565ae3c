package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
)

func addRecordFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("record", "", "log every decision into this file, up to 1 GiB, for 'fairlead sim' to replay; a file that is there is kept as FILE.1")
}

// openRecord begins a decision log, which nobody else may read, as it says who asked for
// what. Without a name there is none: nil.
func openRecord(name string) (*os.File, error) {
	if name == "" {
		return nil, nil
	}
	if info, err := os.Lstat(name); err == nil {
		keep := func() error { return os.Rename(name, name+".1") }
		switch {
		case !info.Mode().IsRegular():
			return nil, fmt.Errorf("--record %s is no plain file; name another", name)
		case info.Size() == 0: // of a start that failed; what was kept before is worth more
			keep = func() error { return os.Remove(name) }
		}
		if err := keep(); err != nil {
			return nil, fmt.Errorf("--record: keeping the last log: %w", err)
		}
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--record %s: its folder does not exist; make it, or name another file", name)
	}
	if err != nil {
		return nil, fmt.Errorf("--record: %w", err)
	}
	return f, nil
}

// recording runs f with a decision log, and closes that.
func recording(name string, f func(io.Writer) error) error {
	log, err := openRecord(name)
	switch {
	case err != nil:
		return err
	case log == nil:
		return f(nil)
	}
	err = f(log)
	if e := log.Close(); e != nil {
		err = errors.Join(err, fmt.Errorf("--record: %w", e))
	}
	return err
}
