package ticket

import (
	"crypto/rand"
	"crypto/rsa"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fairlead/fairlead/internal/fleet"
)

func TestAGoodTicketIsTakenOnce(t *testing.T) {
	k, v := pair(t)
	text := k.must(t, start.Add(300*time.Millisecond), grant)
	want := Claims{Pool: pool, Backend: backend, Grant: grant, Expires: start.Add(life + time.Second)}
	got, err := v.Check(start, text)
	if err != nil || got.Pool != want.Pool || got.Backend != want.Backend || got.Grant != want.Grant || !got.Expires.Equal(want.Expires) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := v.Check(start, text); reasonOf(t, err) != Replayed {
		t.Errorf("the second time: %v", err)
	}
	again := k.must(t, start.Add(time.Second), grant) // another text, the same grant
	if _, err := v.Check(start, again); reasonOf(t, err) != Replayed {
		t.Errorf("another ticket of the same grant: %v", err)
	}
}

func TestBadTickets(t *testing.T) {
	k, v := pair(t)
	good := k.must(t, start, grant)
	private, kid := k.private()
	own := func(alter map[string]any) string { return forge(t, jwt.SigningMethodEdDSA, private, kid, alter) }
	public := []byte(k.current.Public)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other := NewKeyring(start).current.private
	parts := strings.Split(good, ".")
	for name, c := range map[string]struct {
		text string
		want Reason
	}{
		"none":                {"", Missing},
		"no JWT":              {"let me in", Malformed},
		"two parts":           {parts[0] + "." + parts[1], Malformed},
		"four parts":          {good + ".x", Malformed},
		"twice":               {good + good, Malformed},
		"twice, with a comma": {good + "," + good, Malformed},
		"huge":                {good + strings.Repeat("A", MaxLength), Malformed},
		"truncated":           {good[:len(good)-1], Malformed},
		"truncated more":      {good[:len(good)-2], Signature},
		"padded":              {good + "==", Malformed},
		"empty parts":         {"..", Malformed},
		"header null":         {"bnVsbA." + parts[1] + "." + parts[2], Malformed},
		"header no base64":    {"!." + parts[1] + "." + parts[2], Malformed},
		"alg none":            {forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, kid, nil), Algorithm},
		"alg None":            {forge(t, jwt.SigningMethodEdDSA, private, map[string]any{"alg": "None"}, nil), Algorithm},
		"alg missing":         {forge(t, jwt.SigningMethodEdDSA, private, map[string]any{"alg": nil}, nil), Algorithm},
		"alg by another case": {forge(t, jwt.SigningMethodEdDSA, private, map[string]any{"alg": "none", "ALG": "EdDSA"}, nil), Algorithm},
		"HS256 by the public": {forge(t, jwt.SigningMethodHS256, public, kid, nil), Algorithm},
		"RS256":               {forge(t, jwt.SigningMethodRS256, rsaKey, kid, nil), Algorithm},
		"none, and garbage":   {"eyJhbGciOiJub25lIn0.!.!", Algorithm},
		"crit":                {forge(t, jwt.SigningMethodEdDSA, private, map[string]any{"kid": k.current.ID, "crit": []string{"x"}}, nil), Malformed},
		"no kid":              {forge(t, jwt.SigningMethodEdDSA, private, nil, nil), UnknownKey},
		"a number as kid":     {forge(t, jwt.SigningMethodEdDSA, private, map[string]any{"kid": 1}, nil), UnknownKey},
		"another's kid":       {forge(t, jwt.SigningMethodEdDSA, other, map[string]any{"kid": "x"}, nil), UnknownKey},
		"another's key":       {forge(t, jwt.SigningMethodEdDSA, other, kid, nil), Signature},
		"other claims":        {parts[0] + "." + strings.Split(own(map[string]any{"sub": "x"}), ".")[1] + "." + parts[2], Signature},
		"no claims":           {forge(t, jwt.SigningMethodEdDSA, private, kid, map[string]any{"epoch": "seven"}), Malformed},
		"another issuer":      {own(map[string]any{"iss": "mallory"}), Malformed},
		"another pool":        {own(map[string]any{"aud": "thumbs"}), Pool},
		"another backend":     {own(map[string]any{"sub": "10.0.0.2:9101"}), Backend},
		"another epoch":       {own(map[string]any{"epoch": 6, "jti": "6.41"}), Epoch},
		"epochs that differ":  {own(map[string]any{"epoch": 8}), Malformed},
		"an odd jti":          {own(map[string]any{"jti": "7.041"}), Malformed},
		"no jti":              {own(map[string]any{"jti": ""}), Malformed},
		"expired":             {own(map[string]any{"exp": start.Add(-Leeway).Unix()}), Expired},
		"expired for ever":    {own(map[string]any{"exp": math.MinInt64}), Expired},
		"no expiry":           {own(map[string]any{"exp": 0}), Expired},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Check(start, c.text)
			if got := reasonOf(t, err); got != c.want {
				t.Fatalf("reason %q (%v), want %q", got, err, c.want)
			}
			if len(c.text) > 20 && strings.Contains(err.Error(), c.text[len(c.text)-20:]) {
				t.Errorf("the error gives the ticket away: %v", err)
			}
		})
	}
	if _, err := v.Check(start, good); err != nil {
		t.Errorf("the good one, after the bad: %v", err)
	}
}

func TestEveryReasonSaysWhatToDo(t *testing.T) {
	for _, r := range Reasons() {
		if advice[r] == "" {
			t.Errorf("%s: no advice", r)
		}
	}
	if len(advice) != len(Reasons()) {
		t.Errorf("%d pieces of advice for %d reasons", len(advice), len(Reasons()))
	}
}

func TestExpiryHasALeeway(t *testing.T) {
	k, v := pair(t)
	text := k.must(t, start, grant)
	if _, err := v.Check(start.Add(life+Leeway), text); reasonOf(t, err) != Expired {
		t.Errorf("at the end of the leeway: %v", err)
	}
	if _, err := v.Check(start.Add(life+Leeway-time.Nanosecond), text); err != nil {
		t.Errorf("within the leeway: %v", err)
	}
	if _, err := v.Check(start.Add(life+Leeway-time.Nanosecond), text); reasonOf(t, err) != Replayed {
		t.Errorf("again within the leeway: %v", err)
	}
	if _, err := v.Check(start.Add(-time.Hour), k.must(t, start, fleet.GrantID{Epoch: 7, Number: 42})); err != nil {
		t.Errorf("by a clock that is late: %v", err)
	}
}

func TestAClockThatIsSetBackForgivesNoReplay(t *testing.T) {
	k, v := pair(t)
	text := k.must(t, start, grant)
	if _, err := v.Check(start, text); err != nil {
		t.Fatal(err)
	}
	later := start.Add(time.Minute)
	if _, err := v.Check(later, k.must(t, later, fleet.GrantID{Epoch: 7, Number: 42})); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Check(start, text); reasonOf(t, err) != Expired {
		t.Errorf("a ticket that was forgotten, after the clock was set back: %v", err)
	}
	if _, err := v.Check(start, k.must(t, start.Add(time.Second), fleet.GrantID{Epoch: 7, Number: 43})); err != nil {
		t.Errorf("a new one: %v", err)
	}
}

func TestTheMemoryIsBounded(t *testing.T) {
	k, v := pair(t)
	v.seen.most = 3
	check := func(now time.Time, n uint64) Reason {
		_, err := v.Check(now, k.must(t, now, fleet.GrantID{Epoch: 7, Number: n}))
		return reasonOf(t, err)
	}
	for n := range uint64(3) {
		if got := check(start, n); got != "" {
			t.Fatalf("ticket %d: %s", n, got)
		}
	}
	if got := check(start, 3); got != Full {
		t.Errorf("one more: %q, want full", got)
	}
	if got := check(start, 1); got != Replayed {
		t.Errorf("a full one forgot: %q", got)
	}
	if got := check(start.Add(life+Leeway), 3); got != "" {
		t.Errorf("after the others expired: %q", got)
	}
	if len(v.seen.grants) != 1 || len(v.seen.ends) != 1 {
		t.Errorf("%d grants and %d ends are kept, want 1 and 1", len(v.seen.grants), len(v.seen.ends))
	}
}

func TestOneOfManyWins(t *testing.T) {
	k, v := pair(t)
	text := k.must(t, start, grant)
	var won atomic.Int32
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			if _, err := v.Check(start, text); err == nil {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 32 were let in, want 1", won.Load())
	}
}

func TestEpochAndKeysMayChange(t *testing.T) {
	k, v := pair(t)
	early := k.must(t, start, grant)
	if _, err := v.Check(start, k.must(t, start, fleet.GrantID{Epoch: 8, Number: 1})); err != nil {
		t.Errorf("of a later epoch than was told: %v", err)
	}
	v.SetEpoch(8)
	if _, err := v.Check(start, early); reasonOf(t, err) != Epoch {
		t.Errorf("of an earlier epoch: %v", err)
	}
	v.SetKeys([]Key{{ID: k.current.ID, Public: k.current.Public[:31]}})
	if _, err := v.Check(start, k.must(t, start, fleet.GrantID{Epoch: 8, Number: 2})); reasonOf(t, err) != UnknownKey {
		t.Errorf("with a key that is none: %v", err)
	}
}

func FuzzCheck(f *testing.F) {
	k, _ := pair(f)
	good := k.must(f, start, grant)
	parts := strings.Split(good, ".")
	for _, seed := range []string{"", ".", "..", "...", good, good + ".", parts[0] + "..", parts[0] + "." + parts[1] + ".",
		"eyJhbGciOiJub25lIn0.e30.", "bnVsbA.bnVsbA.bnVsbA", "W10.W10.W10", strings.Repeat("A", MaxLength+1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v := NewVerifier(pool, backend)
		v.SetKeys(k.Public())
		c, err := v.Check(start, text)
		if err == nil && (text != good || c.Grant != grant) {
			t.Fatalf("let %q in as %+v", text, c)
		}
		if err != nil && (text == good || advice[reasonOf(t, err)] == "") {
			t.Fatalf("refused %q: %v", text, err)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	k, _ := pair(b)
	const many = 4096
	var texts [many]string
	for i := range texts {
		texts[i] = k.must(b, start, fleet.GrantID{Epoch: 7, Number: uint64(i)})
	}
	b.ReportAllocs()
	var v *Verifier
	for i := 0; b.Loop(); i++ {
		if i%many == 0 {
			v = NewVerifier(pool, backend)
			v.SetKeys(k.Public())
		}
		if _, err := v.Check(start, texts[i%many]); err != nil {
			b.Fatal(err)
		}
	}
}
