package dash

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	cookieName = "fairlead_token"
	loginLasts = 12 * time.Hour

	// Wrong tokens of one address in one minute that are told so. A token cannot be
	// guessed; this keeps the log and the metrics of who tries readable. The right one
	// always opens, so nobody can lock others out.
	maxWrong   = 10
	wrongWhile = time.Minute
	maxWatched = 1024 // addresses whose wrong tokens are counted
)

// keeper knows the token, and who has shown it. It is safe for concurrent use.
type keeper struct {
	token   string
	hint    string
	key     []byte // of cookies; of this run of the server
	log     *slog.Logger
	refused *prometheus.CounterVec
	now     func() time.Time

	mu     sync.Mutex // guards what is below
	wrong  map[string]*wrongs
	told   time.Time
	silent int // refusals that were not told of
}

// wrongs are the wrong tokens of one address.
type wrongs struct {
	since time.Time
	n     int
}

func newKeeper(c Config, log *slog.Logger) *keeper {
	k := &keeper{
		token: c.Token, hint: c.TokenHint, key: make([]byte, sha256.Size), log: log, now: time.Now,
		wrong: map[string]*wrongs{},
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_admin_refused_total", Help: "Admin requests that were refused, by reason.",
		}, []string{"reason"}),
	}
	_, _ = rand.Read(k.key) // never fails, by its documentation
	for _, reason := range []string{noToken, wrongToken, tooMany} {
		k.refused.WithLabelValues(reason)
	}
	if c.Registerer != nil {
		c.Registerer.MustRegister(k.refused)
	}
	return k
}

// Reasons of refusals.
const (
	noToken    = "no_token"
	wrongToken = "wrong_token"
	tooMany    = "too_many"
)

// same compares in a time that tells nothing. An empty token opens nothing.
func (k *keeper) same(token string) bool {
	a, b := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(k.token))
	return k.token != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// shown tells whether a request shows the token or the cookie that it was changed for; if
// not, why not.
func (k *keeper) shown(r *http.Request) (ok bool, why string) {
	if c, err := r.Cookie(cookieName); err == nil && k.signed(c.Value) {
		return true, ""
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		return false, noToken
	case k.same(strings.TrimSpace(token)):
		return true, ""
	}
	return false, wrongToken
}

// need lets only those through who have shown the token.
func (k *keeper) need(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if ok, why := k.shown(r); !ok {
			k.refuse(w, r, why)
			return
		}
		h(w, r)
	}
}

// refuse answers who has not shown the token.
func (k *keeper) refuse(w http.ResponseWriter, r *http.Request, why string) {
	if why == wrongToken && k.tooManyWrong(r) {
		why = tooMany
	}
	k.refused.WithLabelValues(why).Inc()
	k.tell(r, why)
	if why == tooMany {
		w.Header().Set("Retry-After", strconv.Itoa(int(wrongWhile.Seconds())))
		fail(w, http.StatusTooManyRequests, "There were too many wrong tokens from here; wait a minute.")
		return
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	sentence := "This needs the token, as Authorization: Bearer TOKEN"
	if why == wrongToken {
		sentence = "That is not the token"
	}
	if k.hint != "" {
		sentence += "; " + k.hint
	}
	fail(w, http.StatusUnauthorized, sentence+".")
}

// tooManyWrong counts a wrong token.
func (k *keeper) tooManyWrong(r *http.Request) bool {
	from, now := hostOf(r), k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	x := k.wrong[from]
	if x == nil || now.Sub(x.since) > wrongWhile {
		if x == nil && len(k.wrong) >= maxWatched {
			clear(k.wrong) // a flood from many addresses: begin again
		}
		x = &wrongs{since: now}
		k.wrong[from] = x
	}
	x.n++
	return x.n > maxWrong
}

// tell logs a refusal, of a flood no more than a line a second.
func (k *keeper) tell(r *http.Request, why string) {
	now := k.now()
	k.mu.Lock()
	silent := k.silent
	tell := now.Sub(k.told) >= time.Second
	if tell {
		k.told, k.silent = now, 0
	} else {
		k.silent++
	}
	k.mu.Unlock()
	if tell {
		k.log.Warn("an admin request was refused", "from", r.RemoteAddr, "method", r.Method, "path", r.URL.Path,
			"reason", why, "not_told_of", silent)
	}
}

func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// login changes the token for a cookie.
func (k *keeper) login(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Token string `json:"token"`
	}
	if !readJSON(w, r, &body, `{"token": "TOKEN"}`) {
		return
	}
	if !k.same(body.Token) {
		k.refuse(w, r, wrongToken)
		return
	}
	k.log.Info("somebody logged in to the admin server", "from", r.RemoteAddr)
	k.setCookie(w, r, k.sign(k.now().Add(loginLasts)), int(loginLasts.Seconds()))
	say(w, "ok\n")
}

func (k *keeper) logout(w http.ResponseWriter, r *http.Request) {
	k.setCookie(w, r, "", -1)
	say(w, "ok\n")
}

func (k *keeper) setCookie(w http.ResponseWriter, r *http.Request, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: seconds,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
}

// sign makes a cookie's value: until when it is good, and this server's word on that.
func (k *keeper) sign(until time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(until.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, k.mac(b)...))
}

func (k *keeper) mac(b []byte) []byte {
	m := hmac.New(sha256.New, k.key)
	m.Write(b)
	m.Write([]byte(k.token))
	return m.Sum(nil)
}

func (k *keeper) signed(value string) bool {
	b, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || len(b) != 8+sha256.Size || !hmac.Equal(b[8:], k.mac(b[:8])) {
		return false
	}
	return uint64(k.now().Unix()) < binary.BigEndian.Uint64(b[:8])
}

// session tells the page what it may do.
func (s *Server) session(w http.ResponseWriter, r *http.Request) {
	can, _ := s.keeper.shown(r)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(struct { // a client that left needs no answer
		CanChange      bool   `json:"canChange"`
		ReadNeedsToken bool   `json:"readNeedsToken"`
		TokenHint      string `json:"tokenHint"`
	}{can, s.config.ReadNeedsToken, s.config.TokenHint})
}

// reading guards what is read, where that needs the token too.
func (s *Server) reading(h http.HandlerFunc) http.HandlerFunc {
	if s.config.ReadNeedsToken {
		return s.keeper.need(h)
	}
	return h
}
