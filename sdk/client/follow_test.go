package client

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// leads answers 307 to a backend, with tickets T1, T2 and so on, and does not read bodies.
func leads(to string, grants *atomic.Int32) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ticket := fmt.Sprint("T", grants.Add(1))
		w.Header().Set(ticketField, ticket)
		w.Header().Set("Fairlead-Grant", "1.7")
		w.Header().Set("Location", to+r.URL.Path+"?"+r.URL.RawQuery+"&fairlead-ticket="+ticket)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

// ticketed answers with what it got, the ticket and the credentials among it.
func ticketed(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %s %s %s %s", r.Header.Get(ticketField), r.Method, r.Host, r.URL.RequestURI(),
		r.Header.Get("Authorization"), body)
}

func post(t *testing.T, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://shop/a%2Fb?c=d", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "secret")
	return req
}

func TestATicketIsFollowed(t *testing.T) {
	backend, _ := server(t, ticketed)
	var grants atomic.Int32
	proxy, _ := server(t, leads("http://"+backend, &grants))
	c, _ := newClient(t, Config{}, newLocator(t, HTTP, proxy))
	for i, body := range []io.Reader{
		strings.NewReader("text"),
		&tracked{Reader: strings.NewReader("text")}, // can be read only once
	} {
		want := fmt.Sprintf("200 T%d POST %s /a%%2Fb?c=d secret text", i+1, backend)
		if got, err := send(t, c.RoundTripper("web"), post(t, body)); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
		if once, ok := body.(*tracked); ok && once.closes.Load() != 1 {
			t.Errorf("the body was closed %d times", once.closes.Load())
		}
	}
}

func TestATicketForABackendWithTLS(t *testing.T) {
	backend := httptest.NewUnstartedServer(http.HandlerFunc(ticketed))
	backend.Config.ErrorLog = log.New(io.Discard, "", 0) // of the stranger's handshake
	backend.StartTLS()
	defer backend.Close()
	var grants atomic.Int32
	proxy, _ := server(t, leads(backend.URL, &grants))
	roots := x509.NewCertPool()
	roots.AddCert(backend.Certificate())
	c, _ := newClient(t, Config{TLS: &tls.Config{RootCAs: roots}}, newLocator(t, HTTP, proxy))
	got, err := send(t, c.RoundTripper("web"), post(t, strings.NewReader("text")))
	if err != nil || !strings.HasPrefix(got, "200 T1 POST") {
		t.Errorf("got %q, %v", got, err)
	}
	stranger, _ := newClient(t, Config{}, newLocator(t, HTTP, proxy))
	_, err = send(t, stranger.RoundTripper("web"), post(t, nil))
	wantError(t, err, "backend 127.0.0.1:", "to which p1 leads: ", "certificate")
}

func TestABackendThatCannotBeReachedIsAskedForAnewOnce(t *testing.T) {
	backend, _ := server(t, ticketed)
	var grants atomic.Int32
	dead, good := leads("http://"+closedAddress(t), &grants), leads("http://"+backend, &grants)
	var stay atomic.Bool
	proxy, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if grants.Load() == 0 || stay.Load() {
			dead(w, r)
			return
		}
		good(w, r)
	})
	c, _ := newClient(t, Config{}, newLocator(t, HTTP, proxy))
	for _, body := range []io.Reader{strings.NewReader("text"), &tracked{Reader: strings.NewReader("text")}} {
		grants.Store(0)
		got, err := send(t, c.RoundTripper("web"), post(t, body))
		if want := "200 T2 POST " + backend + " /a%2Fb?c=d secret text"; err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	stay.Store(true)
	grants.Store(0)
	_, err := send(t, c.RoundTripper("web"), post(t, nil))
	wantError(t, err, `client: listener "web": backend 127.0.0.1:`, "to which p1 leads", "connection refused")
	if grants.Load() != 2 || len(c.listeners["web"].failed) != 0 {
		t.Errorf("%d grants, failed proxies %v; want 2 and none", grants.Load(), c.listeners["web"].failed)
	}
}

func TestATicketThatTheBackendDoesNotKnow(t *testing.T) {
	for reason, want := range map[string]int32{"ticket_epoch": 2, "ticket_unknown_key": 2, "ticket_used": 1, "": 1} {
		for _, cured := range []bool{true, false} {
			var grants atomic.Int32
			backend, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
				if cured && r.Header.Get(ticketField) == "T2" {
					ticketed(w, r)
					return
				}
				w.Header().Set(reasonField, reason)
				w.WriteHeader(http.StatusForbidden)
			})
			proxy, _ := server(t, leads("http://"+backend, &grants))
			c, _ := newClient(t, Config{}, newLocator(t, HTTP, proxy))
			got, err := send(t, c.RoundTripper("web"), post(t, strings.NewReader("text")))
			ok := strings.HasPrefix(got, "200 T2")
			if err != nil || grants.Load() != want || ok != (cured && want == 2) || !ok && got != "403 " {
				t.Errorf("%q: got %q, %v after %d grants", reason, got, err, grants.Load())
			}
		}
	}
}

func TestWhereA307MayNotLead(t *testing.T) {
	for _, c := range []struct{ location, ticket, want string }{
		{"", "T", "its Location has scheme \"\""},
		{"/path", "T", "its Location has scheme \"\""},
		{"ftp://h/", "T", "its Location has scheme \"ftp\""},
		{"http:///path", "T", "its Location has no host"},
		{"http://u:p@h/", "T", "its Location has a user name"},
		{"http://h:99999/", "T", "its Location has no port from 1 to 65535"},
		{"http://[/", "T", "its Location is no URL"},
		{"http://h/", "", "the ticket is empty"},
		{"http://h/", "a b", "the ticket has characters"},
		{"http://h/", strings.Repeat("T", maxTicket+1), "the ticket has 2049 bytes"},
	} {
		proxy, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Location"] = []string{c.location}
			w.Header()[ticketField] = []string{c.ticket}
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
		client, _ := newClient(t, Config{}, newLocator(t, HTTP, proxy))
		_, err := send(t, client.RoundTripper("web"), post(t, strings.NewReader("text")))
		wantError(t, err, `listener "web": proxy p1 (127.0.0.1:`, c.want, "use the same version")
	}
}

// TestABodyThatWasWasted: the proxy has said that it takes the request itself, and then
// it does not.
func TestABodyThatWasWasted(t *testing.T) {
	backend, _ := server(t, ticketed)
	var grants atomic.Int32
	for _, read := range []bool{true, false} {
		proxy, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get(wantField) != "" {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			if read {
				_, _ = io.ReadAll(r.Body)
			}
			leads("http://"+backend, &grants)(w, r)
		})
		c, _ := newClient(t, Config{}, newLocator(t, HTTP, proxy))
		body := &tracked{Reader: strings.NewReader("text")}
		_, err := send(t, c.RoundTripper("web"), post(t, body))
		if read {
			wantError(t, err, "its body was read already and cannot be read again; set the request's GetBody")
		}
		if body.closes.Load() != 1 {
			t.Errorf("the body was closed %d times", body.closes.Load())
		}
	}
}
