// Package pemfile reads files of certificates and keys.
package pemfile

import (
	"fmt"
	"io"
	"os"
)

// Max bounds what is read of a file, in bytes.
const Max = 1 << 20

// Read returns what a file holds. An error names it.
func Read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, Max+1))
	if err == nil && len(b) > Max {
		err = fmt.Errorf("%s is longer than %d bytes, so it is no certificate", path, Max)
	}
	return b, err
}
