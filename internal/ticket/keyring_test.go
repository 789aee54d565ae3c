package ticket

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fairlead/fairlead/internal/fleet"
)

func ids(k *Keyring) string {
	var all []string
	for _, key := range k.Public() {
		all = append(all, key.ID)
	}
	return strings.Join(all, " ")
}

func kid(t *testing.T, text string) string {
	t.Helper()
	token, _, err := jwt.NewParser().ParseUnverified(text, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	return token.Header["kid"].(string)
}

func TestRotation(t *testing.T) {
	k, v := pair(t)
	first := k.current.ID
	early := start.Add(Rotation - Announce)
	if k.Rotate(early.Add(-time.Nanosecond)) || len(k.Public()) != 1 {
		t.Fatalf("rotated too early: %s", ids(k))
	}
	if !k.Rotate(early) || len(k.Public()) != 2 {
		t.Fatalf("the next key is not announced: %s", ids(k))
	}
	v.SetKeys(k.Public())
	if k.Rotate(start.Add(Rotation-time.Nanosecond)) || kid(t, k.must(t, early, grant)) != first {
		t.Error("the next key signs before verifiers had the time to hear of it")
	}
	late := k.must(t, start.Add(Rotation-time.Nanosecond), fleet.GrantID{Epoch: 7, Number: 1})
	now := start.Add(Rotation)
	if k.Rotate(now) {
		t.Error("a key that begins to sign was public before, and nothing has changed")
	}
	second := k.must(t, now, fleet.GrantID{Epoch: 7, Number: 2})
	if kid(t, second) == first || len(k.Public()) != 2 {
		t.Errorf("signed by %s, of %s", kid(t, second), ids(k))
	}
	for _, text := range []string{late, second} {
		if _, err := v.Check(now, text); err != nil {
			t.Errorf("by either key: %v", err)
		}
	}
	if k.Rotate(now.Add(life+Leeway)) || !k.Rotate(now.Add(life+Leeway+time.Nanosecond)) {
		t.Error("an old key is kept until what it signed has expired, and no longer")
	}
	if got := ids(k); got != kid(t, second) {
		t.Errorf("the keys are %s, want %s", got, kid(t, second))
	}
}

func TestRotationAfterASleep(t *testing.T) {
	k := NewKeyring(start)
	awake := start.Add(50 * time.Hour)
	if !k.Rotate(awake) || k.Rotate(awake.Add(Announce-1)) || len(k.Public()) != 2 {
		t.Errorf("after a long sleep: %s", ids(k))
	}
	if !k.Rotate(awake.Add(Announce)) || len(k.Public()) != 1 {
		t.Errorf("a key that signed nothing is dropped at once: %s", ids(k))
	}
}

func TestSignRefuses(t *testing.T) {
	k := NewKeyring(start)
	for name, c := range map[string]struct {
		pool, backend string
		life          time.Duration
		want          string
	}{
		"no pool":     {"", "b:1", life, "no name"},
		"no backend":  {"p", "", life, "no name"},
		"no life":     {"p", "b:1", 0, "above 0"},
		"a long name": {strings.Repeat("p", MaxLength), "b:1", life, "shorter name"},
	} {
		_, err := k.Sign(start, fleet.PoolName(c.pool), fleet.BackendName(c.backend), grant, c.life)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestJWKS checks a ticket with nothing but the key set, as another's program would.
func TestJWKS(t *testing.T) {
	k := NewKeyring(start)
	k.Rotate(start.Add(Rotation - Announce))
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(k.JWKS(), &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("%s: %v", k.JWKS(), err)
	}
	text := k.must(t, start, grant)
	token, err := jwt.Parse(text, func(token *jwt.Token) (any, error) {
		for _, key := range set.Keys {
			if key["kty"] != "OKP" || key["crv"] != "Ed25519" || key["use"] != "sig" || key["alg"] != "EdDSA" {
				t.Errorf("key %v", key)
			}
			if key["kid"] == token.Header["kid"] {
				x, err := base64.RawURLEncoding.DecodeString(key["x"])
				return ed25519.PublicKey(x), err
			}
		}
		return nil, jwt.ErrTokenUnverifiable
	}, jwt.WithIssuer(issuer), jwt.WithAudience(string(pool)), jwt.WithSubject(string(backend)),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(func() time.Time { return start }))
	if err != nil || !token.Valid || token.Claims.(jwt.MapClaims)["jti"] != "7.41" {
		t.Errorf("%+v: %v", token, err)
	}
}

func TestSignsWhileItRotates(t *testing.T) {
	k, v := pair(t)
	var all sync.WaitGroup
	for i := range uint64(4) {
		all.Go(func() {
			for n := range uint64(50) {
				now := start.Add(time.Duration(n) * 10 * time.Minute)
				k.Rotate(now)
				v.SetKeys(k.Public())
				if text, err := k.Sign(now, pool, backend, fleet.GrantID{Epoch: 7, Number: i<<32 | n}, life); err != nil {
					t.Error(err)
				} else if _, err := v.Check(now, text); err != nil && reasonOf(t, err) != UnknownKey && reasonOf(t, err) != Expired {
					t.Error(err) // the others' clocks run ahead
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkSign(b *testing.B) {
	k := NewKeyring(start)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Sign(start, pool, backend, grant, life); err != nil {
			b.Fatal(err)
		}
	}
}
