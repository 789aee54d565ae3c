package ticket

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fairlead/fairlead/internal/fleet"
)

// Verifier checks tickets for one backend, and takes each once. It has no keys and takes
// no ticket until SetKeys. Safe for concurrent use; no call waits for anything but the
// arithmetic.
type Verifier struct {
	pool    fleet.PoolName
	backend fleet.BackendName
	parser  *jwt.Parser

	mu    sync.Mutex // guards what is below
	keys  map[string]ed25519.PublicKey
	epoch uint64
	seen  seen
}

// NewVerifier makes a Verifier of tickets for backend b in a pool.
func NewVerifier(pool fleet.PoolName, b fleet.BackendName) *Verifier {
	return &Verifier{
		pool: pool, backend: b,
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
			jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation()),
		seen: newSeen(maxSeen),
	}
}

// SetKeys replaces the keys. One that is not an Ed25519 key is left out.
func (v *Verifier) SetKeys(keys []Key) {
	byID := make(map[string]ed25519.PublicKey, len(keys))
	for _, k := range keys {
		if len(k.Public) == ed25519.PublicKeySize {
			byID[k.ID] = slices.Clone(k.Public)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys = byID
}

// SetEpoch has tickets of grants of an earlier epoch refused from now on. Later ones are
// taken: their controller may be newer than the one last heard.
func (v *Verifier) SetEpoch(epoch uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.epoch = epoch
}

// Check returns what a ticket says, if it is good here and was not taken before. The
// error is an *Error. A ticket that is refused is not used up.
func (v *Verifier) Check(now time.Time, token string) (Claims, error) {
	p, err := v.parse(token)
	if err != nil {
		return Claims{}, err
	}
	c, err := v.match(p)
	if err != nil {
		return Claims{}, err
	}
	if late := now.Sub(c.Expires); late >= Leeway {
		return Claims{}, refuse(Expired, "it expired %v ago", late.Round(time.Millisecond))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if c.Grant.Epoch < v.epoch {
		return Claims{}, refuse(Epoch, "its grant is of epoch %d, and epoch %d has begun", c.Grant.Epoch, v.epoch)
	}
	if err := v.seen.add(now, c.Grant, c.Expires.Add(Leeway)); err != nil {
		return Claims{}, err
	}
	return c, nil
}

// parse reads a ticket and checks its signature.
func (v *Verifier) parse(token string) (*payload, error) {
	if token == "" {
		return nil, refuse(Missing, "there is none")
	}
	if len(token) > MaxLength {
		return nil, refuse(Malformed, "it has %d bytes, and at most %d are read", len(token), MaxLength)
	}
	if err := checkHeader(token); err != nil {
		return nil, err
	}
	p := &payload{}
	_, err := v.parser.ParseWithClaims(token, p, v.key)
	var known *Error
	switch {
	case err == nil:
		return p, nil
	case errors.As(err, &known):
		return nil, known
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return nil, refuse(Signature, "its signature is not that of its key")
	}
	return nil, refuse(Malformed, "it is no JWT that can be read")
}

// checkHeader refuses another algorithm before anything else of a ticket is looked at.
func checkHeader(token string) error {
	first, rest, ok := strings.Cut(token, ".")
	if !ok || strings.Count(rest, ".") != 1 {
		return refuse(Malformed, "it has not the three parts of a JWT")
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(first)
	if err != nil {
		return refuse(Malformed, "its header is not in base64url")
	}
	var header map[string]any // by exact name, unlike the fields of a struct
	if err := json.Unmarshal(text, &header); err != nil || header == nil {
		return refuse(Malformed, "its header is no JSON object")
	}
	if header["alg"] != jwt.SigningMethodEdDSA.Alg() {
		return refuse(Algorithm, "it is not signed with EdDSA")
	}
	if header["crit"] != nil {
		return refuse(Malformed, "its header demands an extension (crit), and none is known")
	}
	return nil
}

// key finds the key that a ticket names.
func (v *Verifier) key(t *jwt.Token) (any, error) {
	id, _ := t.Header["kid"].(string)
	if id == "" {
		return nil, refuse(UnknownKey, "it names no key")
	}
	v.mu.Lock()
	key, ok := v.keys[id]
	v.mu.Unlock()
	if !ok {
		return nil, refuse(UnknownKey, "its key is not among those that the controller told of")
	}
	return key, nil
}

// match holds what the controller signed against who we are.
func (v *Verifier) match(p *payload) (Claims, error) {
	if p.Issuer != issuer {
		return Claims{}, refuse(Malformed, "its issuer is not %s", issuer)
	}
	if p.Audience != string(v.pool) {
		return Claims{}, refuse(Pool, "it is for pool %.100q, and this backend is in %q", p.Audience, v.pool)
	}
	if p.Subject != string(v.backend) {
		return Claims{}, refuse(Backend, "it is for backend %.100q, and this is %q", p.Subject, v.backend)
	}
	g, ok := parseGrant(p.ID)
	if !ok || g.Epoch != p.Epoch {
		return Claims{}, refuse(Malformed, "its jti does not name a grant of its epoch")
	}
	return Claims{Pool: v.pool, Backend: v.backend, Grant: g, Expires: time.Unix(p.Expires, 0)}, nil
}

// parseGrant reads what GrantID.String writes, and no other way to write the same.
func parseGrant(text string) (g fleet.GrantID, ok bool) {
	epoch, number, _ := strings.Cut(text, ".")
	var err1, err2 error
	g.Epoch, err1 = strconv.ParseUint(epoch, 10, 64)
	g.Number, err2 = strconv.ParseUint(number, 10, 64)
	return g, err1 == nil && err2 == nil && g.String() == text
}
