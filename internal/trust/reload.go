package trust

import (
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// lookEach is how often the files are looked at, at most.
const lookEach = time.Second

// Credentials is what a process shows and whom it believes. It follows the files that it
// was loaded from. Its methods are safe for concurrent use.
type Credentials struct {
	files Files
	log   *slog.Logger
	now   func() time.Time
	ring  atomic.Pointer[keyring]

	looking   sync.Mutex // held by the one that looks at the files; guards what is below
	looked    time.Time
	stamps    [3]os.FileInfo // of the files as they were last read; nil: there was none
	complaint string         // what is wrong with the files; empty: nothing
}

// Load reads the files and checks them: all three are given, the key fits the certificate,
// which names an identity, is valid now, and is signed by a CA of the CA file. An error
// names the file, and what to do. A nil logger logs nothing.
func Load(f Files, log *slog.Logger) (*Credentials, error) {
	return load(f, log, time.Now)
}

func load(f Files, log *slog.Logger, now func() time.Time) (*Credentials, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if err := f.complete(); err != nil {
		return nil, err
	}
	c := &Credentials{files: f, log: log, now: now, looked: now(), stamps: f.stamps()}
	k, err := f.read(c.looked)
	if err != nil {
		return nil, err
	}
	f.warn(k, log)
	c.ring.Store(k)
	return c, nil
}

// Identity returns whom the own certificate names.
func (c *Credentials) Identity() Identity { return c.ring.Load().identity }

// current returns what the files hold, or held when they were last good. It does not wait
// for somebody else who is looking at them.
func (c *Credentials) current() *keyring {
	if c.looking.TryLock() {
		c.look()
		c.looking.Unlock()
	}
	return c.ring.Load()
}

// look reads the files again if they have changed. As long as they are not good it reads
// them each time: they may be half written, or valid from a moment that is yet to come.
// c.looking is held.
func (c *Credentials) look() {
	now := c.now()
	if now.Sub(c.looked) < lookEach {
		return
	}
	c.looked = now
	stamps := c.files.stamps() // before the files: what changes while they are read is seen next time
	if c.complaint == "" && same(stamps, c.stamps) {
		return
	}
	c.stamps = stamps
	k, err := c.files.read(now)
	if err != nil {
		c.complain(err.Error())
		return
	}
	if was := c.Identity(); k.identity.Role != was.Role {
		c.complain("the certificate is now of " + k.identity.String() + ", and this runs as " + was.String() +
			"; restart it to change its role")
		return
	}
	c.complaint = ""
	c.files.warn(k, c.log)
	c.ring.Store(k)
	c.log.Info("new certificates are in use", "identity", k.identity.String(), "expires", k.cert.Leaf.NotAfter)
}

// complain logs what is wrong with the files, unless that is known. c.looking is held.
func (c *Credentials) complain(why string) {
	if why != c.complaint {
		c.log.Warn("new certificates are not good; those from before stay in use", "error", why)
	}
	c.complaint = why
}

func (f Files) stamps() [3]os.FileInfo {
	var all [3]os.FileInfo
	for i, file := range f.all() {
		if info, err := os.Stat(file.path); err == nil {
			all[i] = info
		}
	}
	return all
}

// same tells whether the files are those from before, as far as one can see from outside.
func same(a, b [3]os.FileInfo) bool {
	for i := range a {
		if (a[i] == nil) != (b[i] == nil) {
			return false
		}
		if a[i] != nil && !(os.SameFile(a[i], b[i]) && a[i].Size() == b[i].Size() && a[i].ModTime().Equal(b[i].ModTime())) {
			return false
		}
	}
	return true
}
