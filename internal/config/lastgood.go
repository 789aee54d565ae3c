package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// lastGoodFile is the name in the data directory of the config that was last taken.
const lastGoodFile = "last-good.yaml"

// KeepLastGood keeps the text of a config that was taken in a data directory, so that a
// start that finds a broken file has something to go by. Nobody else may read it.
func KeepLastGood(dir string, text []byte) error {
	if err := keepLastGood(dir, text); err != nil {
		return fmt.Errorf("keeping the last good config in %s: %w", dir, err)
	}
	return nil
}

func keepLastGood(dir string, text []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, lastGoodFile+"-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails when it was renamed, as it should be
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, lastGoodFile))
}

// LastGood reads what KeepLastGood kept.
func LastGood(dir string) (*Config, error) { return Load(filepath.Join(dir, lastGoodFile)) }

// LoadOrLastGood reads a file or, where it is missing or broken, the last good config in
// dir. The second value says what is wrong with the file then; nil: nothing is. The third
// is about both: there is no config to start with.
func LoadOrLastGood(path, dir string) (c *Config, broken, err error) {
	c, broken = Load(path)
	if broken == nil {
		return c, nil, nil
	}
	c, err = LastGood(dir)
	if err != nil {
		return nil, broken, errors.Join(broken, fmt.Errorf("and there is no last good config: %w", err))
	}
	return c, broken, nil
}
