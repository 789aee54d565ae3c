package classify

import (
	"encoding/base64"
	"strings"
	"testing"
)

func encode(claims string) string { return base64.RawURLEncoding.EncodeToString([]byte(claims)) }

func TestClaim(t *testing.T) {
	for name, c := range map[string]struct {
		token, want string
		ok          bool
	}{
		"text":            {token(`{"a":1,"sub":"u\u00e9"}`), "ué", true},
		"number":          {token(`{"sub":12345678901234567890}`), "12345678901234567890", true},
		"true":            {token(`{"sub":true}`), "true", true},
		"padded":          {"h." + base64.URLEncoding.EncodeToString([]byte(`{"sub":"u12"}`)) + ".s", "u12", true},
		"unsigned":        {"h." + encode(`{"sub":"u"}`) + ".", "u", true},
		"the last counts": {token(`{"sub":"u1","sub":"u2"}`), "u2", true},
		"null":            {token(`{"sub":null}`), "", false},
		"empty":           {token(`{"sub":""}`), "", false},
		"list":            {token(`{"sub":["u"]}`), "", false},
		"section":         {token(`{"sub":{"a":1}}`), "", false},
		"another case":    {token(`{"SUB":"u"}`), "", false},
		"below":           {token(`{"x":{"sub":"u"}}`), "", false},
		"no object":       {token(`"sub"`), "", false},
		"broken":          {token(`{"sub":"u"`), "", false},
		"two parts":       {"h." + encode(`{"sub":"u"}`), "", false},
		"encrypted":       {token(`{"sub":"u"}`) + ".x.y", "", false},
		"no base64":       {"h.{}.s", "", false},
		"too long":        {token(`{"sub":"u","x":"` + strings.Repeat("x", maxToken) + `"}`), "", false},
		"nothing":         {"", "", false},
	} {
		if got, ok := claim(c.token, "sub"); got != c.want || ok != c.ok {
			t.Errorf("%s: got %q, %t; want %q, %t", name, got, ok, c.want, c.ok)
		}
	}
}

// FuzzClaim: whatever a client calls its token, a claim is one that the wire takes.
func FuzzClaim(f *testing.F) {
	for _, s := range []string{token(`{"sub":"u"}`), token(`{"sub":1e5}`), "a.b.c", "..", token(strings.Repeat("[", 5000)), "h.eyJzdWIiOiJcdWQ4MDAifQ.s"} {
		f.Add(s, "sub")
	}
	f.Fuzz(func(t *testing.T, token, name string) {
		got, ok := claim(token, name)
		if !ok && got != "" {
			t.Errorf("no claim is %q", got)
		}
		if ok && (got == "" || len(got) > len(token)) {
			t.Errorf("a token of %d bytes has the claim %q", len(token), got)
		}
		if text := Text(got); len(text) > maxKey || Text(text) != text {
			t.Errorf("the key of %q is %q", got, text)
		}
	})
}
