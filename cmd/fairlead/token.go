package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fairlead/fairlead/internal/config"
)

// tokenSource returns the token that changes on the admin address need, and where people
// find it.
type tokenSource func(*config.Config) (token, hint string, err error)

// withToken is for a process whose people are told.
func withToken(token string) tokenSource {
	return func(*config.Config) (string, string, error) {
		return token, "the token is in the link that the program printed when it started", nil
	}
}

const (
	minToken = 16   // characters
	maxToken = 1024 // likewise
)

// keptToken reads the token's file, and makes it where there is none.
func keptToken(c *config.Config) (token, hint string, err error) {
	file, key := c.Controller.AdminToken, "controller.admin_token"
	if file == "" {
		file, key = filepath.Join(c.Controller.Data, "admin-token"), "controller.data"
	}
	hint = fmt.Sprintf("the token is in the file %s on the controller's host", file)
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Controller.AdminToken == "":
		token, err = makeToken(file)
		if err != nil {
			return "", "", fmt.Errorf("keeping a token for the admin address: %w; let this user write there, or name another place with %s", err, key)
		}
		return token, hint, nil
	case err != nil:
		return "", "", fmt.Errorf("reading the token of the admin address (%s): %w", key, err)
	}
	token = strings.TrimSpace(string(text))
	if len(token) < minToken || len(token) > maxToken {
		return "", "", fmt.Errorf("the file %s has a token of %d characters; a token has %d to %d: delete the file, and a good one is made", file, len(token), minToken, maxToken)
	}
	return token, hint, nil
}

// makeToken writes a new token to a file that only this user can read.
func makeToken(file string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	token := rand.Text()
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(token + "\n")
	return token, errors.Join(err, f.Close())
}
