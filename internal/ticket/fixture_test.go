package ticket

import (
	"crypto/ed25519"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"github.com/fairlead/fairlead/internal/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	pool    = fleet.PoolName("render")
	backend = fleet.BackendName("10.0.0.1:9101")
	life    = 10 * time.Second
)

var (
	start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	grant = fleet.GrantID{Epoch: 7, Number: 41}
)

// pair returns a Keyring, and a Verifier that knows it.
func pair(tb testing.TB) (*Keyring, *Verifier) {
	tb.Helper()
	k, v := NewKeyring(start), NewVerifier(pool, backend)
	v.SetKeys(k.Public())
	v.SetEpoch(grant.Epoch)
	return k, v
}

func (k *Keyring) must(tb testing.TB, now time.Time, g fleet.GrantID) string {
	tb.Helper()
	text, err := k.Sign(now, pool, backend, g, life)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// reasonOf returns why a check failed; "": it did not.
func reasonOf(tb testing.TB, err error) Reason {
	tb.Helper()
	if err == nil {
		return ""
	}
	var e *Error
	if !errors.As(err, &e) {
		tb.Fatalf("%T is no *Error: %v", err, err)
	}
	return e.Reason
}

// forge makes a token of any kind.
func forge(tb testing.TB, method jwt.SigningMethod, key any, header, alter map[string]any) string {
	tb.Helper()
	claims := jwt.MapClaims{
		"iss": issuer, "aud": string(pool), "sub": string(backend), "jti": grant.String(),
		"epoch": grant.Epoch, "iat": start.Unix(), "exp": start.Add(life).Unix(),
	}
	maps.Copy(claims, alter)
	token := jwt.NewWithClaims(method, claims)
	maps.Copy(token.Header, header)
	text, err := token.SignedString(key)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// private returns the key that signs, for forgeries by its owner.
func (k *Keyring) private() (ed25519.PrivateKey, map[string]any) {
	return k.current.private, map[string]any{"kid": k.current.ID}
}
