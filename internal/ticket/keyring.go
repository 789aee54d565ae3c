package ticket

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fairlead/fairlead/internal/fleet"
)

const (
	// Rotation is how long a key signs.
	Rotation = time.Hour
	// Announce is how long a key is public before it signs, for verifiers to hear of it.
	Announce = 10 * time.Second
)

// Keyring signs tickets. It makes a new key each Rotation, and keeps an old one public
// until every ticket that it signed has expired. Keys live in memory alone: those of an
// earlier controller are gone with it, as are its tickets. Safe for concurrent use.
type Keyring struct {
	mu      sync.Mutex // guards what is below, and the fields of the keys
	current *signer
	next    *signer // public, and does not sign yet; nil: there is none
	old     []*signer
}

// signer is one key of a Keyring.
type signer struct {
	Key
	private ed25519.PrivateKey
	from    time.Time // when it begins to sign
	last    time.Time // when the last ticket that it signed expires; zero: it signed none
}

// NewKeyring makes a Keyring with one key, which signs at once.
func NewKeyring(now time.Time) *Keyring { return &Keyring{current: newSigner(now)} }

func newSigner(from time.Time) *signer {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed) // it never fails
	private := ed25519.NewKeyFromSeed(seed)
	public := private.Public().(ed25519.PublicKey)
	// A key is named after what it is; eight bytes tell apart as many as there will be.
	sum := sha256.Sum256(public)
	id := base64.RawURLEncoding.EncodeToString(sum[:8])
	return &signer{Key: Key{ID: id, Public: public}, private: private, from: from}
}

// Rotate makes a new key, has it sign, or drops an old one, whatever is due, and tells
// whether Public has changed. Its owner calls it about each second; called more rarely,
// keys only live longer. A new key signs at the first call that is Announce or more after
// the one that made it.
func (k *Keyring) Rotate(now time.Time) (changed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next != nil && !now.Before(k.next.from) {
		k.old = append(k.old, k.current)
		k.current, k.next = k.next, nil
	}
	if k.next == nil && !now.Before(k.current.from.Add(Rotation-Announce)) {
		k.next = newSigner(now.Add(Announce))
		changed = true
	}
	before := len(k.old)
	k.old = slices.DeleteFunc(k.old, func(s *signer) bool { return now.After(s.last.Add(Leeway)) })
	return changed || len(k.old) != before
}

// Public returns the keys that tickets are checked with: the one that signs first, then
// the one that is about to, then old ones.
func (k *Keyring) Public() []Key {
	k.mu.Lock()
	defer k.mu.Unlock()
	keys := []Key{k.current.Key}
	if k.next != nil {
		keys = append(keys, k.next.Key)
	}
	for _, s := range k.old {
		keys = append(keys, s.Key)
	}
	return keys
}

// JWKS returns Public as a JSON Web Key Set (RFC 7517, RFC 8037).
func (k *Keyring) JWKS() []byte { return marshalJWKS(k.Public()) }

// Sign makes a ticket for grant g, good from now for life, rounded up to a whole second.
// An error names what is wrong with the arguments.
func (k *Keyring) Sign(now time.Time, pool fleet.PoolName, b fleet.BackendName, g fleet.GrantID, life time.Duration) (string, error) {
	if pool == "" || b == "" {
		return "", errors.New("ticket: sign: the pool or the backend has no name; give both")
	}
	if life <= 0 {
		return "", fmt.Errorf("ticket: sign: a life of %v is none; give one above 0", life)
	}
	end := now.Add(life)
	expires := end.Unix()
	if end.Nanosecond() > 0 {
		expires++
	}
	s := k.signer(time.Unix(expires, 0))
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, &payload{
		Issuer: issuer, Audience: string(pool), Subject: string(b),
		ID: g.String(), Epoch: g.Epoch, Issued: now.Unix(), Expires: expires,
	})
	token.Header["kid"] = s.ID
	text, err := token.SignedString(s.private)
	if err != nil {
		return "", fmt.Errorf("ticket: sign: %w", err)
	}
	if len(text) > MaxLength {
		return "", fmt.Errorf("ticket: sign: %d bytes are more than the %d that are taken; give the pool a shorter name", len(text), MaxLength)
	}
	return text, nil
}

// signer returns the key that signs, and notes that a ticket of its expires then.
func (k *Keyring) signer(expires time.Time) *signer {
	k.mu.Lock()
	defer k.mu.Unlock()
	if expires.After(k.current.last) {
		k.current.last = expires
	}
	return k.current
}
