//go:build unix

package claims

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	fairleadv1 "github.com/fairlead/fairlead/api/fairlead/v1"
	"github.com/fairlead/fairlead/internal/testproc"
	"github.com/fairlead/fairlead/sdk/client"
)

// domain is what DNS answers for.
const domain = "claims.test."

// doors are where clients ask which proxy to use.
type doors struct {
	http, dns string // addresses of the controller
	port      string // of every proxy: A records tell none
	locator   fairleadv1.LocatorClient

	mu   sync.Mutex // guards sdks
	sdks []*client.Client
}

// led is what a client was answered, and how it gets there.
type led struct {
	to     []string // addresses, best first
	client *http.Client
	url    string // to be sent for, to be held
}

// door is one way to ask.
type door struct {
	name string
	ask  func(*doors, context.Context) (led, error)
}

var everyDoor = []door{
	{"HTTP", (*doors).overHTTP},
	{"HTTP, redirect", (*doors).byRedirect},
	{"DNS, A over UDP", func(d *doors, ctx context.Context) (led, error) { return d.byAddress(ctx, "udp") }},
	{"DNS, SRV over UDP", func(d *doors, ctx context.Context) (led, error) { return d.byService(ctx, "udp") }},
	{"DNS, A over TCP", func(d *doors, ctx context.Context) (led, error) { return d.byAddress(ctx, "tcp") }},
	{"DNS, SRV over TCP", func(d *doors, ctx context.Context) (led, error) { return d.byService(ctx, "tcp") }},
	{"gRPC", (*doors).overGRPC},
	{"sdk/client", (*doors).bySDK},
}

// ask asks at one of the doors.
func (d *doors) ask(ctx context.Context, at door) (led, error) {
	l, err := at.ask(d, ctx)
	if err != nil {
		err = fmt.Errorf("%s: %w", at.name, err)
	}
	return l, err
}

// plan adds the doors to a fleet's plan.
func (d *doors) plan(t *testing.T, p plan, ttl time.Duration) plan {
	t.Helper()
	d.http, d.dns = testproc.FreeAddr(t), testproc.FreeAddr(t)
	p.more += fmt.Sprintf("locate: {http: %q, dns: %q, domain: %s, ttl: %s}\n", d.http, d.dns, strings.TrimSuffix(domain, "."), ttl)
	return p
}

// open makes the doors of a fleet ready to be asked.
func (d *doors) open(t *testing.T, f *fleet) {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+f.listen, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	d.locator = fairleadv1.NewLocatorClient(conn)
	t.Cleanup(func() {
		conn.Close()
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, c := range d.sdks {
			c.CloseIdleConnections()
		}
	})
}

func (d *doors) overHTTP(ctx context.Context) (led, error) {
	resp, err := fetch(ctx, direct, "http://"+d.http+"/v1/proxies/choose?listener=web")
	if err != nil {
		return led{}, err
	}
	defer resp.Body.Close()
	var said struct {
		Proxies []struct{ Address string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil || resp.StatusCode != http.StatusOK {
		return led{}, fmt.Errorf("status %s, %w", resp.Status, err)
	}
	var to []string
	for _, p := range said.Proxies {
		to = append(to, p.Address)
	}
	return plainly(to)
}

func fetch(ctx context.Context, client *http.Client, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return client.Do(req)
}

// plainly leads a client that knows nothing of Fairlead.
func plainly(to []string) (led, error) {
	if len(to) == 0 {
		return led{}, errors.New("no proxy is named")
	}
	return led{to, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "http://" + to[0] + "/hold"}, nil
}

// stay is a client that follows no redirect.
var stay = &http.Client{
	Transport:     direct.Transport,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (d *doors) byRedirect(ctx context.Context) (led, error) {
	resp, err := fetch(ctx, stay, "http://"+d.http+"/v1/proxies/choose?listener=web&redirect=1&path=/hold")
	if err != nil {
		return led{}, err
	}
	defer resp.Body.Close()
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode != http.StatusTemporaryRedirect {
		return led{}, fmt.Errorf("status %s, location %w", resp.Status, err)
	}
	l, err := plainly([]string{to.Host})
	l.url = to.String()
	return l, err
}

// question asks the name server.
func (d *doors) question(ctx context.Context, network, name string, kind uint16) (*dns.Msg, error) {
	m := new(dns.Msg)
	m.SetQuestion(name, kind)
	c := &dns.Client{Net: network}
	in, _, err := c.ExchangeContext(ctx, m, d.dns)
	if err == nil && (in.Truncated || in.Rcode != dns.RcodeSuccess) {
		err = fmt.Errorf("rcode %d, truncated: %v", in.Rcode, in.Truncated)
	}
	return in, err
}

func (d *doors) byAddress(ctx context.Context, network string) (led, error) {
	in, err := d.question(ctx, network, "web."+domain, dns.TypeA)
	if err != nil {
		return led{}, err
	}
	var to []string
	for _, rr := range in.Answer {
		if a, ok := rr.(*dns.A); ok {
			to = append(to, net.JoinHostPort(a.A.String(), d.port))
		}
	}
	return plainly(to)
}

func (d *doors) byService(ctx context.Context, network string) (led, error) {
	in, err := d.question(ctx, network, "_web._tcp."+domain, dns.TypeSRV)
	if err != nil {
		return led{}, err
	}
	hosts := map[string]string{}
	for _, rr := range in.Extra {
		if a, ok := rr.(*dns.A); ok {
			hosts[a.Hdr.Name] = a.A.String()
		}
	}
	var srvs []*dns.SRV
	for _, rr := range in.Answer {
		if srv, ok := rr.(*dns.SRV); ok {
			srvs = append(srvs, srv)
		}
	}
	slices.SortFunc(srvs, func(a, b *dns.SRV) int { return int(a.Priority) - int(b.Priority) })
	var to []string
	for _, srv := range srvs {
		to = append(to, net.JoinHostPort(hosts[srv.Target], fmt.Sprint(srv.Port)))
	}
	return plainly(to)
}

func (d *doors) overGRPC(ctx context.Context) (led, error) {
	r, err := d.locator.Choose(ctx, &fairleadv1.ChooseRequest{Listener: "web"})
	if err != nil {
		return led{}, err
	}
	var to []string
	for _, p := range r.GetProxies() {
		to = append(to, p.GetAddress())
	}
	return plainly(to)
}

func (d *doors) bySDK(ctx context.Context) (led, error) {
	c, err := d.sdk()
	if err != nil {
		return led{}, err
	}
	choice, err := c.Choose(ctx, "web")
	if err != nil {
		return led{}, err
	}
	var to []string
	for _, p := range choice.Proxies {
		to = append(to, p.Address)
	}
	return led{to, &http.Client{Transport: c.RoundTripper("web")}, "http://" + strings.TrimSuffix(domain, ".") + "/hold"}, nil
}

// sdk makes a client of sdk/client.
func (d *doors) sdk() (*client.Client, error) {
	c, err := client.New(client.Config{Locators: []string{"http://" + d.http}})
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sdks = append(d.sdks, c)
	return c, nil
}
