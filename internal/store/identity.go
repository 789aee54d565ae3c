package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.etcd.io/etcd/server/v3/storage/wal"
)

// identityFile says whose a data directory is. etcd itself would start with another's.
const (
	identityFile = "controller.json"
	mostIdentity = 4 << 10
)

type identity struct {
	Name string `json:"name"`
	Base uint64 `json:"base,omitempty"` // of the cluster; 0: it was never complete yet
}

// parseIdentity reads an identity file.
func parseIdentity(text []byte) (identity, error) {
	var id identity
	if len(text) > mostIdentity {
		return id, fmt.Errorf("it has more than %d bytes", mostIdentity)
	}
	if err := json.Unmarshal(text, &id); err != nil {
		return identity{}, err
	}
	if !names.MatchString(id.Name) {
		return identity{}, errors.New("it has no good name")
	}
	return id, nil
}

// checkIdentity refuses a directory that is another controller's, or damaged.
func checkIdentity(cfg Config) error {
	path := filepath.Join(cfg.Dir, identityFile)
	text, err := readCapped(path, mostIdentity)
	if errors.Is(err, fs.ErrNotExist) {
		return checkLeftovers(cfg)
	}
	if err != nil {
		return fmt.Errorf("reading whose data directory this is: %w", err)
	}
	id, err := parseIdentity(text)
	if err != nil {
		return fmt.Errorf("%s is damaged: %w; the data directory may be too: %s", path, err, wayOut(cfg))
	}
	if id.Name != cfg.Name {
		return fmt.Errorf("the data directory %s belongs to the controller %q, and this one is %q; "+
			"name this controller's own directory, or start it as %q", cfg.Dir, id.Name, cfg.Name, id.Name)
	}
	if !hasData(cfg.Dir) {
		return fmt.Errorf("the data directory %s was in use, and its data are gone; %s", cfg.Dir, wayOut(cfg))
	}
	return checkLeftovers(cfg)
}

func hasData(dir string) bool { return wal.Exist(filepath.Join(dir, "member", "wal")) }

// checkLeftovers refuses a directory that has a database without the log that it belongs
// to, or the log without the database; etcd would begin anew with half of what was there.
func checkLeftovers(cfg Config) error {
	_, err := os.Stat(filepath.Join(cfg.Dir, "member", "snap", "db"))
	switch db := err == nil; {
	case db && !hasData(cfg.Dir):
		return fmt.Errorf("the data directory %s has a database, and the log that belongs to it is gone; %s", cfg.Dir, wayOut(cfg))
	case !db && hasData(cfg.Dir) && identityKnown(cfg.Dir):
		return fmt.Errorf("the data directory %s has a log, and the database that belongs to it is gone; %s", cfg.Dir, wayOut(cfg))
	}
	return nil
}

func identityKnown(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, identityFile))
	return err == nil
}

func readCapped(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%s has %d bytes; at most %d make sense", path, info.Size(), most)
	}
	return os.ReadFile(path)
}

// readIdentity returns whose the directory is.
func readIdentity(cfg Config) (identity, error) {
	text, err := readCapped(filepath.Join(cfg.Dir, identityFile), mostIdentity)
	if err != nil {
		return identity{}, err
	}
	return parseIdentity(text)
}

// writeIdentity notes whose the directory is, and of which cluster. It is whole or not there.
func writeIdentity(cfg Config, base uint64) error {
	switch was, err := readIdentity(cfg); {
	case err == nil && was.Base != 0 && base != 0 && was.Base != base:
		return fmt.Errorf("the data directory %s is of another cluster than the other controllers; move it away, and %s", cfg.Dir, wayOut(cfg))
	case err == nil && (was.Base == base || base == 0):
		return nil
	}
	text, err := json.Marshal(identity{Name: cfg.Name, Base: base})
	if err != nil {
		return err
	}
	path := filepath.Join(cfg.Dir, identityFile)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("noting whose data directory this is: %w", err)
	}
	return os.Rename(path+".new", path)
}

// checkMembership holds the list of peers against what the data directory knows.
func (m *member) checkMembership() error {
	unknown, shared := maps.Clone(m.cfg.Peers), 0 // peers that are no members; other members that are peers
	var known, moved []string
	for _, other := range m.etcd.Server.Cluster().Members() {
		name := other.Name
		if other.ID == m.etcd.Server.MemberID() {
			if name != "" && name != m.cfg.Name {
				return fmt.Errorf("the data directory %s belongs to the controller %q, and this one is %q; "+
					"name this controller's own directory", m.cfg.Dir, name, m.cfg.Name)
			}
			name = m.cfg.Name
		} else if addr, ok := m.cfg.Peers[name]; ok {
			shared++
			if !slices.Contains(other.PeerURLs, "http://"+addr) && !slices.Contains(other.PeerURLs, "https://"+addr) {
				moved = append(moved, name+" at "+strings.Join(other.PeerURLs, ", "))
			}
		}
		known = append(known, name)
		delete(unknown, name)
	}
	slices.Sort(known)
	slices.Sort(moved)
	switch {
	case len(known) > 1 && shared == 0:
		return fmt.Errorf("the data directory %s is of a cluster of %s; the list of peers has nobody of them but this controller; "+
			"correct the list, or name another directory", m.cfg.Dir, strings.Join(known, ", "))
	case len(moved) > 1 && len(moved) == shared:
		return fmt.Errorf("the data directory %s is of another cluster than the list of peers: it has %s; "+
			"correct the list, or name another directory", m.cfg.Dir, strings.Join(moved, " and "))
	}
	m.tellMembership(known, moved, slices.Sorted(maps.Keys(unknown)))
	return nil
}

// tellMembership tells what may be as it should be, while a cluster changes.
func (m *member) tellMembership(known, moved, unknown []string) {
	log, members := m.cfg.Log, strings.Join(known, ", ")
	if len(unknown) > 0 {
		log.Warn("some peers are no members of the cluster yet; have one that runs add them, then start them to join",
			"peers", strings.Join(unknown, ", "), "members", members)
	}
	if len(moved) > 0 {
		log.Warn("some peers are not where the cluster has them, until they start at the addresses of the list", "members", strings.Join(moved, ", "))
	}
	if n := len(known); n > 1 && n%2 == 0 {
		log.Warn("a cluster with an even number of members survives no more failures than one with one less; have 3 or 5",
			"members", members)
	}
}
