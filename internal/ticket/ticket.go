// Package ticket makes and checks the tickets with which a backend knows that a request
// was granted: JSON Web Tokens (RFC 7519) signed with EdDSA over Ed25519 (RFC 8037).
//
// The controller has a Keyring, and signs. A backend has a Verifier with the public keys,
// and lets each ticket in once. What a ticket says stands in the head comment of
// fairlead.proto. Of the three times that a JWT may carry, iat is for people, nbf is not
// set, and exp counts, in whole seconds, rounded up: a ticket is good for up to a second
// longer than asked for, and not less.
package ticket

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fairlead/fairlead/internal/fleet"
)

const (
	// MaxLength is how long a ticket may be, in bytes.
	MaxLength = 2 << 10
	// Leeway is how long after its expiry a ticket is still taken: the controller's
	// clock wrote the expiry, and another host's reads it.
	Leeway = 2 * time.Second

	issuer = "fairlead"
)

// Key is one public key, with which tickets are checked. It is a value; whoever gets one
// may keep it, and must not change the bytes.
type Key struct {
	ID     string // as in a ticket's header, kid
	Public ed25519.PublicKey
}

// Claims are what a valid ticket says.
type Claims struct {
	Pool    fleet.PoolName
	Backend fleet.BackendName
	Grant   fleet.GrantID
	Expires time.Time // in whole seconds; it is taken Leeway longer
}

// payload is the second part of a ticket, as it is written. It implements jwt.Claims for
// the sake of the library's types; Verifier checks what it says.
type payload struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	ID       string `json:"jti"`
	Epoch    uint64 `json:"epoch"`
	Issued   int64  `json:"iat"` // seconds since 1970
	Expires  int64  `json:"exp"` // likewise
}

func (p *payload) GetExpirationTime() (*jwt.NumericDate, error) {
	return jwt.NewNumericDate(time.Unix(p.Expires, 0)), nil
}

func (p *payload) GetIssuedAt() (*jwt.NumericDate, error) {
	return jwt.NewNumericDate(time.Unix(p.Issued, 0)), nil
}

func (p *payload) GetNotBefore() (*jwt.NumericDate, error) { return nil, nil }
func (p *payload) GetIssuer() (string, error)              { return p.Issuer, nil }
func (p *payload) GetSubject() (string, error)             { return p.Subject, nil }
func (p *payload) GetAudience() (jwt.ClaimStrings, error)  { return jwt.ClaimStrings{p.Audience}, nil }

// jwks is a JSON Web Key Set (RFC 7517) with keys as RFC 8037 writes them.
type jwks struct {
	Keys []jwk `json:"keys"`
}

type jwk struct {
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	Use   string `json:"use"`
	Alg   string `json:"alg"`
	ID    string `json:"kid"`
	X     string `json:"x"`
}

func marshalJWKS(keys []Key) []byte {
	set := jwks{Keys: []jwk{}}
	for _, k := range keys {
		set.Keys = append(set.Keys, jwk{
			Type: "OKP", Curve: "Ed25519", Use: "sig", Alg: jwt.SigningMethodEdDSA.Alg(),
			ID: k.ID, X: base64.RawURLEncoding.EncodeToString(k.Public),
		})
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err) // strings always marshal
	}
	return text
}
