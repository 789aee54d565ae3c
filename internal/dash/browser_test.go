package dash

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var screenshot = flag.String("screenshot", "", "write pictures of the page to this `file`.png, each with its theme and width in its name")

// browser is a page in a headless Chromium.
type browser struct {
	ctx context.Context

	mu       sync.Mutex // guards what follows
	problems []string   // what the browser's console says, and what its policies refused
}

// chromium says how to start one that talks to nobody, or skips the test when there is
// none.
func chromium(t *testing.T) []chromedp.ExecAllocatorOption {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no chromium, chromium-browser or google-chrome in PATH: install one to test the page")
	}
	flags := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless}
	for _, name := range []string{
		"no-sandbox", "disable-gpu", "no-first-run", "no-default-browser-check", "disable-background-networking",
		"disable-component-update", "disable-sync", "disable-quic", "disable-extensions", "disable-dev-shm-usage",
	} {
		flags = append(flags, chromedp.Flag(name, true))
	}
	return flags
}

// open starts a Chromium on the URL.
func open(t *testing.T, url string) *browser {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	ctx, stopAll := chromedp.NewExecAllocator(ctx, chromium(t)...)
	ctx, stopOne := chromedp.NewContext(ctx)
	b := &browser{ctx: ctx}
	heard := make(chan struct{})
	messages := chromedp.Console(ctx)
	go func() {
		defer close(heard)
		for m, err := range messages {
			if err != nil {
				return // the browser has ended
			}
			b.mu.Lock()
			b.problems = append(b.problems, fmt.Sprintf("%s (%s, %s)", m, m.Source, m.URL))
			b.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // ends Chromium, and waits until it has
		stopOne()
		stopAll()
		stop()
		<-heard
	})
	b.do(t, chromedp.EmulateViewport(1600, 1000), chromedp.Navigate(url))
	return b
}

func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// await waits until the JavaScript condition holds, looking whenever the page changes.
// (chromedp's own Poll compiles its condition in the page, which the page's policy
// rightly refuses.)
func (b *browser) await(t *testing.T, condition string) {
	t.Helper()
	script := fmt.Sprintf(`new Promise((done, failed) => {
		const holds = () => (%s);
		const look = () => { if (holds()) { watch.disconnect(); clearTimeout(limit); done(true); } };
		const watch = new MutationObserver(look);
		const limit = setTimeout(() => failed(new Error('it does not come true')), 20000);
		watch.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
		look();
	})`, condition)
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatalf("waiting for %s: %v; the page says: %.2000s", condition, err, b.text(t, `document.body.innerText`))
	}
}

// text evaluates a script that returns a string.
func (b *browser) text(t *testing.T, script string) string {
	t.Helper()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](script))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// picture writes a screenshot, when the test was told to.
func (b *browser) picture(t *testing.T, name, theme string, width int64) {
	t.Helper()
	if *screenshot == "" {
		return
	}
	if name == "fleet" { // with some history to draw
		b.await(t, `(document.querySelector('#spark .line').getAttribute('d') || '').length > 200`)
	}
	b.do(t, chromedp.EmulateViewport(width, 1000), chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
		})
		return err
	}))
	shot := chromedp.FullScreenshot(100)
	if name == "login" { // the backdrop is as large as the window
		shot = chromedp.CaptureScreenshot()
	}
	if name == "crowd" { // what is out of sight is not drawn
		b.do(t, chromedp.ScrollIntoView(chromedp.CSS(`.table[data-many] .row:nth-child(30)`)))
		shot = chromedp.CaptureScreenshot()
	}
	png, err := chromedp.Run(b.ctx, shot)
	if err != nil {
		t.Fatal(err)
	}
	file := fmt.Sprintf("%s-%s-%s-%d.png", strings.TrimSuffix(*screenshot, filepath.Ext(*screenshot)), name, theme, width)
	if err := os.WriteFile(file, png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// clean fails the test when anything went wrong in the page.
func (b *browser) clean(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		if strings.Contains(p, "401") && strings.Contains(p, "/api/v1/login") {
			continue // the test's wrong token
		}
		t.Errorf("the browser complains: %s", p)
	}
}

const firstRow = `document.querySelector('.pool .rows .row')`

func TestPage(t *testing.T) {
	f := &fakeFleet{}
	server := httptest.NewServer(newTestServer(f).Handler())
	t.Cleanup(server.Close)
	b := open(t, server.URL)

	b.await(t, `document.getElementById('link').textContent === 'live' && document.querySelectorAll('.pool').length === 3`)
	b.await(t, `document.querySelectorAll('.proxies .rows .row').length === 3`)
	label := b.text(t, firstRow+`.querySelector('.slots').getAttribute('aria-label')`)
	if !strings.HasSuffix(label, "of 4 slots in flight") {
		t.Errorf("the slots say %q", label)
	}
	if n := b.text(t, `String(`+firstRow+`.querySelectorAll('.squares i').length)`); n != "4" {
		t.Errorf("%s squares for 4 slots", n)
	}
	if n := b.text(t, `String(document.querySelectorAll('[aria-label*=" of 256 slots"] .squares i').length)`); n != "0" {
		t.Errorf("%s squares for 256 slots, which want a bar", n)
	}

	// What is not as in most pools is said, and how proxies stand with clients.
	said := b.text(t, `document.body.innerText`)
	for _, words := range []string{
		"3 backends: 3 up · direct links · assign: confirm · prefer: zone", "clients at https://speech-1.example.org:443",
		"15,000 assigned, 12 rejected, 3 unanswered", "of 20,000", "load 322.7", "no clients are led here: it is full",
	} {
		if !strings.Contains(said, words) {
			t.Errorf("the page does not say %q", words)
		}
	}

	// What is a name stays a name.
	if got := b.text(t, `[...document.querySelectorAll('h2')].map((h) => h.textContent).find((s) => s.includes('onerror'))`); got != hostile {
		t.Errorf("the hostile pool is called %q", got)
	}
	if n := b.text(t, `String(document.querySelectorAll('main img').length) + document.title`); strings.Contains(n, "harmed") || n[0] != '0' {
		t.Errorf("the hostile name was read as markup: %s", n)
	}

	// It moves, in place.
	b.do(t, chromedp.Evaluate[chromedp.Void](firstRow+`.marked = true; document.body.dataset.before = document.getElementById('rate').textContent`))
	b.await(t, `document.getElementById('rate').textContent !== document.body.dataset.before && `+firstRow+`.marked`)
	b.clean(t)
}

func TestPageDrains(t *testing.T) {
	f := &fakeFleet{}
	server := httptest.NewServer(newTestServer(f).Handler())
	t.Cleanup(server.Close)
	b := open(t, server.URL)

	const button = `button[aria-label="Drain 10.0.0.1:9100"]`
	b.await(t, `document.querySelector('`+button+`') !== null`)
	b.do(t, chromedp.Click(chromedp.CSS(button)))
	logIn(t, b)
	b.await(t, firstRow+`.querySelector('.pill').textContent === 'draining' && document.getElementById('toast').textContent.includes('3 requests run on')`)
	b.do(t, chromedp.Click(chromedp.CSS(`button[aria-label="Undrain 10.0.0.1:9100"]`)))
	b.await(t, firstRow+`.querySelector('.pill').textContent === 'up' && document.querySelector('`+button+`') !== null`)
	if got, want := f.called(), []string{"drain render 10.0.0.1:9100", "undrain render 10.0.0.1:9100"}; !slices.Equal(got, want) {
		t.Errorf("the controller was told %q, want %q", got, want)
	}

	b.do(t, chromedp.Click(chromedp.CSS(`.explain summary`)))
	b.await(t, `document.querySelector('.verdict').textContent.startsWith('granted: 10.0.0.1:9100')
		&& document.querySelectorAll('.explain tbody tr').length === 3 && document.querySelectorAll('.decisions li').length === 2`)
	const zone = `.pool:nth-of-type(2) .explain`
	b.do(t, chromedp.Click(chromedp.CSS(zone+` summary`)))
	b.await(t, `document.querySelector('`+zone+` .filter:not([hidden]) input') !== null`)
	b.do(t, chromedp.SendKeys(chromedp.CSS(zone+` .filter input`), "b\r"))
	f.await(t, "for zone b")
	said := b.text(t, `document.querySelector('`+zone+`').innerText`)
	for _, words := range []string{"zone b", "0.75", "for zone a, which cost 0.21"} {
		if !strings.Contains(said, words) {
			t.Errorf("the explanation does not say %q: %s", words, said)
		}
	}
	b.clean(t)
	b.do(t, chromedp.Evaluate[chromedp.Void](`window.scrollTo(0, 0)`))
	b.picture(t, "fleet", "light", 1600)
	b.picture(t, "fleet", "dark", 1600)
	b.picture(t, "fleet", "light", 800)
	b.picture(t, "fleet", "light", 400)
	b.picture(t, "fleet", "dark", 400)
}

// logIn shows the dialog the token, after a wrong one.
func logIn(t *testing.T, b *browser) {
	t.Helper()
	const input = `dialog.token[open] input`
	b.await(t, `document.querySelector('`+input+`') !== null && document.querySelector('dialog.token').textContent.includes('is in the test')`)
	b.do(t, chromedp.SendKeys(chromedp.CSS(input), "not-the-token"), chromedp.Click(chromedp.CSS(`dialog.token button.main`)))
	b.await(t, `document.querySelector('.token .wrong').textContent.startsWith('That is not the token')`)
	b.picture(t, "login", "light", 1000)
	b.picture(t, "login", "dark", 400)
	b.do(t, chromedp.EmulateViewport(1600, 1000))
	b.do(t, chromedp.SendKeys(chromedp.CSS(input), testToken+"\r"))
	b.await(t, `document.querySelector('dialog.token[open]') === null`)
}

// TestPageByLink: a link with the token logs in, and the token is gone from the address.
func TestPageByLink(t *testing.T) {
	f := &fakeFleet{}
	s := newTestServer(f)
	s.config.ReadNeedsToken = true
	s.handler = guard(s.routes())
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	b := open(t, server.URL+"/#token="+testToken)
	b.await(t, `document.getElementById('link').textContent === 'live' && !location.href.includes('#')`)
	b.do(t, chromedp.Click(chromedp.CSS(`button[aria-label="Drain 10.0.0.1:9100"]`)))
	b.await(t, firstRow+`.querySelector('.pill').textContent === 'draining'`)
	b.clean(t)
}

// TestPageNeedsToken: where reading needs the token, the page asks for it first.
func TestPageNeedsToken(t *testing.T) {
	s := newTestServer(&fakeFleet{})
	s.config.ReadNeedsToken = true
	s.handler = guard(s.routes())
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	b := open(t, server.URL)
	b.await(t, `document.querySelector('dialog.token[open]') !== null && document.querySelectorAll('.pool').length === 0`)
	b.await(t, `document.querySelector('dialog.token .quiet').hidden`)
	b.do(t, chromedp.SendKeys(chromedp.CSS(`dialog.token input`), "\x1b\x1b"), // escape does not help
		chromedp.SendKeys(chromedp.CSS(`dialog.token input`), testToken+"\r"))
	b.await(t, `document.getElementById('link').textContent === 'live' && document.querySelector('dialog.token input').value === ''`)
	b.clean(t)
}

// TestPageAsksAgain: a page whose login has ended asks for the token, and a link in its
// address is as good as typing it.
func TestPageAsksAgain(t *testing.T) {
	s := newTestServer(&fakeFleet{})
	s.config.ReadNeedsToken = true
	s.handler = guard(s.routes())
	var later atomic.Int64
	s.keeper.now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	b := open(t, server.URL+"/#token="+testToken)
	b.await(t, `document.getElementById('link').textContent === 'live'`)
	later.Store(int64(loginLasts + time.Minute))
	server.CloseClientConnections()
	b.await(t, `document.querySelector('dialog.token[open]') !== null && document.getElementById('link').textContent === 'logged out'`)
	b.do(t, chromedp.Evaluate[chromedp.Void](`location.hash = 'token=`+testToken+`'`))
	b.await(t, `document.querySelector('dialog.token[open]') === null && document.getElementById('link').textContent === 'live'
		&& !location.href.includes('#')`)
}

// TestPageCanBeLeftAlone: who closes the dialog has changed nothing, and may try again.
func TestPageCanBeLeftAlone(t *testing.T) {
	f := &fakeFleet{}
	server := httptest.NewServer(newTestServer(f).Handler())
	t.Cleanup(server.Close)
	b := open(t, server.URL)
	const button, input = `button[aria-label="Drain 10.0.0.1:9100"]`, `dialog.token[open] input`
	for range 3 {
		b.await(t, `document.querySelector('`+button+`:enabled') !== null`)
		b.do(t, chromedp.Click(chromedp.CSS(button)))
		b.await(t, `document.querySelector('`+input+`') !== null`)
		b.do(t, chromedp.SendKeys(chromedp.CSS(input), "\x1b"))
		b.await(t, `document.querySelector('dialog.token[open]') === null && document.activeElement.tagName === 'BUTTON'`)
	}
	if got := f.called(); len(got) > 0 {
		t.Errorf("the controller was told %q", got)
	}
	b.clean(t)
}

func TestPageOfManyBackends(t *testing.T) {
	f := &fakeFleet{crowd: 100}
	server := httptest.NewServer(newTestServer(f).Handler())
	t.Cleanup(server.Close)
	b := open(t, server.URL)

	const rows = `[...document.querySelectorAll('.pool')].find((p) => p.querySelector('h2').textContent === 'ci-runners')?.querySelectorAll('.rows .row')`
	b.await(t, rows+`.length === 100`)
	if said := b.text(t, `document.body.innerText`); !strings.Contains(said, "proxies decide · decide: auto") {
		t.Error("the page does not say who decides")
	}
	b.picture(t, "crowd", "light", 1600)
	b.do(t, chromedp.SendKeys(chromedp.CSS(`.filter:not([hidden]) input[type=search]`), "10.9.1.7:"))
	b.await(t, rows+`.length === 1`)
	for _, width := range []int64{400, 800, 1600} {
		b.do(t, chromedp.EmulateViewport(width, 1000))
		if over := b.text(t, `String(document.documentElement.scrollWidth - document.documentElement.clientWidth)`); over != "0" {
			t.Errorf("%s pixels of a page %d wide stick out", over, width)
		}
	}
	b.clean(t)
}

func TestPageWithoutAFleet(t *testing.T) {
	f := &fakeFleet{empty: true, notYet: errBroken}
	server := httptest.NewServer(newTestServer(f).Handler())
	t.Cleanup(server.Close)
	b := open(t, server.URL)

	b.await(t, `document.body.innerText.includes('There are no pools yet') && document.body.innerText.includes('fairlead proxy --controller')`)
	b.await(t, `document.getElementById('ready').textContent === 'not ready: the disk is on fire'`)
	b.picture(t, "empty", "light", 1000)

	f.set(func() { f.err = errBroken })
	b.await(t, `document.getElementById('link').textContent === 'no snapshot' && !document.getElementById('notice').hidden`)
	f.set(func() { f.err = nil })
	b.await(t, `document.getElementById('link').textContent === 'live' && document.getElementById('notice').hidden`)
	b.clean(t)

	server.CloseClientConnections()
	server.Listener.Close()
	b.await(t, `document.getElementById('link').textContent === 'lost' && !document.getElementById('notice').hidden`)
	b.picture(t, "lost", "dark", 1000)
}
