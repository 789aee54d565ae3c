package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// used makes a data directory with some facts in it, of a controller that has stopped.
func used(t *testing.T, cfg Config) {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		if err := Put(within(t), s, Overrides, fmt.Sprintf("pool/10.0.0.%d:80", i), Override{Drain: true}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// refused opens a store that must not open, and wants words in what is said.
func refused(t *testing.T, cfg Config, words ...string) {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err == nil {
		t.Error("it opens")
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		return
	}
	t.Log(err)
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("it does not say %q: %v", word, err)
		}
	}
}

// intact opens a store that must have all that used has put there.
func intact(t *testing.T, cfg Config) {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Error(err)
		return
	}
	if known, err := Load(within(t), s, Overrides); err != nil || len(known) != 60 {
		t.Errorf("there are %d facts, %v", len(known), err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "store")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// within a data directory
var (
	logDir   = filepath.Join("member", "wal")
	database = filepath.Join("member", "snap", "db")
)

// logFile returns the file of the log, of which a small one has one.
func logFile(t *testing.T, dir string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, logDir, "*.wal"))
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return all[0]
}

// change has f change a file.
func change(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, f(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// written returns how many bytes of a log are written; the rest of the file is zero.
func written(log []byte) int { return len(bytes.TrimRight(log, "\x00")) }

// TestDamagedDirectory: each kind of damage is told, with the way out, and nothing is changed
// by looking; a log whose end was torn off by a power failure, and nothing else, is no damage.
func TestDamagedDirectory(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(t.TempDir(), "store")
	used(t, alone(t, whole))
	const out = "restore it from a backup"
	for _, c := range []struct {
		name, file string // empty: the log
		damage     func([]byte) []byte
		say        []string
	}{
		{"log cut in half", "", func(b []byte) []byte { return b[:written(b)/2] }, []string{"damaged", "its log ends at", out}},
		{"log zeroed from half", "", func(b []byte) []byte { clear(b[written(b)/2:]); return b }, []string{"damaged", out}},
		{"log empty", "", func([]byte) []byte { return nil }, []string{"damaged", out}},
		{"log cut to its first bytes", "", func(b []byte) []byte { return b[:7] }, []string{"damaged", out}},
		{"log with a byte changed", "", func(b []byte) []byte { b[bytes.Index(b, []byte("10.0.0.30:80"))] ^= 0x40; return b }, []string{"damaged", out}},
		{"log of garbage", "", func([]byte) []byte { return bytes.Repeat([]byte("fairlead"), 1000) }, []string{"damaged", out}},
		{"database cut in half", database, func(b []byte) []byte { return b[:len(b)/2/4096*4096] }, nil},
		{"database cut short", database, func(b []byte) []byte { return b[:5*4096+100] }, []string{"damaged", "its database", out}},
		{"database empty", database, func([]byte) []byte { return nil }, []string{"damaged", "its database", out}},
		{"database of garbage", database, func([]byte) []byte { return bytes.Repeat([]byte("fairlead"), 10000) }, []string{"damaged", out}},
		{"database with pages zeroed", database, func(b []byte) []byte { clear(b[2*4096 : 40*4096]); return b }, []string{"damaged", "its database", out}},
		{"whose it is", identityFile, func([]byte) []byte { return []byte("{") }, []string{"damaged", out}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := alone(t, copyDir(t, whole))
			path := filepath.Join(cfg.Dir, c.file)
			if c.file == "" {
				path = logFile(t, cfg.Dir)
			}
			var before []byte
			change(t, path, func(b []byte) []byte { before = bytes.Clone(b); return c.damage(b) })
			if c.say != nil {
				refused(t, cfg, c.say...)
				change(t, path, func([]byte) []byte { return before })
			}
			intact(t, cfg)
		})
	}
}

// TestLostParts: files and directories that are gone are told too.
func TestLostParts(t *testing.T) {
	t.Parallel()
	whole := filepath.Join(t.TempDir(), "store")
	used(t, alone(t, whole))
	for gone, say := range map[string]string{
		logDir: "its data are gone", database: "the database that belongs to it is gone",
		filepath.Join("member", "snap"): "the database that belongs to it is gone", "member": "its data are gone",
	} {
		t.Run(gone, func(t *testing.T) {
			t.Parallel()
			cfg := alone(t, copyDir(t, whole))
			if err := os.RemoveAll(filepath.Join(cfg.Dir, gone)); err != nil {
				t.Fatal(err)
			}
			refused(t, cfg, say, "restore it from a backup")
			refused(t, cfg, say) // also when asked again
		})
	}
}

// TestTornTail: a crash leaves the last entry half written, and a database that is behind.
func TestTornTail(t *testing.T) {
	t.Parallel()
	cfg := alone(t, filepath.Join(t.TempDir(), "store"))
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := Put(within(t), s, Overrides, "pool/10.0.0.1:80", Override{Drain: true}); err != nil {
		t.Fatal(err)
	}
	crashed := copyDir(t, cfg.Dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	change(t, logFile(t, crashed), func(b []byte) []byte {
		return append(b[:(written(b)+7)/8*8], 9, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3)
	})
	again := open(t, alone(t, crashed))
	if known, err := Load(within(t), again, Overrides); err != nil || len(known) != 1 {
		t.Errorf("there are %d facts, %v", len(known), err)
	}
}

// TestFlippedBytes changes one byte of a database at random, again and again. What pages and
// revisions say of one another is checked, what is in a fact is not; nothing panics.
func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	cfg := alone(t, filepath.Join(t.TempDir(), "store"))
	used(t, cfg)
	text, err := os.ReadFile(filepath.Join(cfg.Dir, database))
	if err != nil {
		t.Fatal(err)
	}
	inUse := written(text)
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 3000 {
		at, bit := random.IntN(inUse), byte(1)<<random.IntN(8)
		text[at] ^= bit
		if _, err := readApplied(bytes.NewReader(text), int64(len(text))); err != nil {
			if found++; found <= 3 {
				change(t, filepath.Join(cfg.Dir, database), func([]byte) []byte { return text })
				refused(t, cfg, "damaged", "its database", "restore it from a backup")
			}
		}
		text[at] ^= bit
	}
	if found < 50 {
		t.Errorf("only %d changes were found", found)
	}
	change(t, filepath.Join(cfg.Dir, database), func([]byte) []byte { return text })
	intact(t, cfg)
}

// boltFile makes a database of pages of 1 KiB: a good beginning, and then whatever is given.
func boltFile(body []byte) []byte {
	const size = 1 << 10
	file := make([]byte, 2*size, 2*size+len(body))
	order := binary.NativeEndian
	for txid, b := range [][]byte{file[pageHeader:], file[size+pageHeader:]} {
		order.PutUint32(b, boltMagic)
		order.PutUint32(b[4:], boltVersion)
		order.PutUint32(b[8:], size)
		order.PutUint64(b[16:], 2)
		order.PutUint64(b[40:], uint64(2+len(body)/size))
		order.PutUint64(b[48:], uint64(txid))
		sum := fnv.New64a()
		_, _ = sum.Write(b[:metaSize-8]) // never fails
		order.PutUint64(b[metaSize-8:], sum.Sum64())
	}
	return append(file, body...)
}

// leaf makes a page with one bucket in it, "b", that has "k" with the value "v".
func leaf() []byte {
	b, order := make([]byte, 1<<10), binary.NativeEndian
	order.PutUint64(b, 2)
	for at, entry := range map[int][]uint32{0: {bucketEntry, 16, 1, 16 + 2*pageHeader + 2}, 49: {0, 16, 1, 1}} {
		order.PutUint16(b[at+8:], leafPage)
		order.PutUint16(b[at+10:], 1)
		for i, x := range entry {
			order.PutUint32(b[at+pageHeader+4*i:], x)
		}
	}
	b[32] = 'b'
	b[49+32], b[49+33] = 'k', 'v'
	return b
}

// FuzzPages: no database that somebody could make has readPages panic, or read for ever.
func FuzzPages(f *testing.F) {
	f.Add(leaf())
	branch, order := append(make([]byte, 1<<10), leaf()...), binary.NativeEndian
	copy(branch, []byte{2, 0, 0, 0, 0, 0, 0, 0, branchPage, 0, 1})
	order.PutUint32(branch[16:], 16)
	order.PutUint64(branch[24:], 3)
	order.PutUint64(branch[1<<10:], 3)
	f.Add(branch)
	for _, body := range [][]byte{leaf(), branch} {
		var got string
		err := readPages(bytes.NewReader(boltFile(body)), int64(len(boltFile(body))), func(bucket string, key, value []byte) error {
			got += bucket + string(key) + string(value)
			return nil
		})
		if err != nil || got != "bkv" {
			f.Errorf("a good one reads %q, %v", got, err)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		file := boltFile(body)
		_ = readPages(bytes.NewReader(file), int64(len(file)), func(string, []byte, []byte) error { return nil }) // must not panic
	})
}

// FuzzIdentity: whatever is in an identity file, it is read or refused.
func FuzzIdentity(f *testing.F) {
	f.Add([]byte(`{"name":"a"}`))
	f.Add([]byte(`{"name":"../a"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if id, err := parseIdentity(text); err == nil && !names.MatchString(id.Name) {
			t.Errorf("%q is a name", id.Name)
		}
	})
}
