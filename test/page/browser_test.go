//go:build page

package page

import (
	"context"
	_ "embed"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"credproxy.dev/controller/internal/pagetest"
	"credproxy.dev/controller/internal/web"
)

// patience bounds every wait for something that has to come.
const patience = 2 * time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newBrowser starts Chromium for one test.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	if path == "" {
		t.Fatal("CHROMIUM does not say where a browser is; run make test-page, or hack/chromium.sh go test -tags page ./test/page")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("lang", "en"))
	if os.Geteuid() == 0 {
		// Chromium's sandbox does not start for root, as whom tests run in most containers. The browser shows nothing but pages of
		// our own here.
		options = append(options, chromedp.NoSandbox)
	}
	allocator, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser did not start: %v", err)
	}
	return ctx
}

// tab is one page in a browser, and what is wrong with it.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu     sync.Mutex
	wrongs []string
}

// serve serves what is known as the controller does.
func serve(t *testing.T, k *pagetest.Known) string {
	t.Helper()
	handler, err := web.Handler(web.Options{
		Controller: k, Sources: k.Sources, Ready: k.Ready, Bell: &k.Bell, Instance: "default", Version: "v1.2.3", Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// newTab opens an empty page for the pages beneath a base. What no page of ours may do fails the test: run what is not its own, say
// anything on the console, be stopped by its policy, or load anything from elsewhere.
func newTab(browser context.Context, t *testing.T, base string) *tab {
	t.Helper()
	b := &tab{t: t, base: base}
	ctx, end := chromedp.NewContext(browser, chromedp.WithListener(b.hear))
	b.ctx = ctx
	t.Cleanup(func() {
		end()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, wrong := range b.wrongs {
			t.Error(wrong)
		}
	})
	if err := chromedp.Do(ctx); err != nil { // makes the tab, which lasts as long as its context
		t.Fatalf("open a tab: %v", err)
	}
	b.size(1280, 900)
	return b
}

// hear takes in what the browser tells. It must not wait.
func (b *tab) hear(event any) {
	switch e := event.(type) {
	case *cdpage.EventJavascriptDialogOpening:
		b.wrong("a dialog says %q", e.Message)
		go func() {
			_, _ = chromedp.Call(b.ctx, cdpage.HandleJavaScriptDialog, cdpage.HandleJavaScriptDialogParams{Accept: true})
		}()
	case *runtime.EventExceptionThrown:
		b.wrong("a script failed: %+v", e.ExceptionDetails)
	case *runtime.EventConsoleAPICalled:
		b.wrong("the console was called: %s", e.Type)
	case *log.EventEntryAdded:
		// That a page is 400 or 404 is what the browser says of it, too.
		if !strings.HasPrefix(e.Entry.Text, "Failed to load resource: the server responded with a status of 4") {
			b.wrong("the browser says: %s", e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		if url := e.Request.URL; !strings.HasPrefix(url, b.base+"/") && url != "about:blank" {
			b.wrong("it asks for %s", url)
		}
	}
}

func (b *tab) wrong(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrongs = append(b.wrongs, fmt.Sprintf(format, args...))
}

// do does something in the browser, or fails the test.
func (b *tab) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// call sends a command to the browser.
func call[P any](b *tab, command cdp.Command[P, cdp.Empty], params P) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, command, params); err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.do("open "+path, chromedp.Navigate(b.base+path))
}

func (b *tab) size(width, height int64) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600,
	})
}

// scheme has the browser prefer a colour scheme.
func (b *tab) scheme(name string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
}

// eval is the value of an expression.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// until waits for an expression to hold, over whatever pages come and go.
func (b *tab) until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")")); err == nil && holds {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			at, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText.slice(0, 1500)`))
			b.t.Fatalf("it did not come to %s:\n%s", expression, at)
		}
	}
}

// live waits until the page hears of changes.
func (b *tab) live() {
	b.t.Helper()
	b.until(`document.getElementById("live").textContent === "Live"`)
}

func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.do("press "+key, chromedp.KeyEvent(key))
	}
}

// tabTo presses Tab until what has the focus matches a selector, and returns how often.
func (b *tab) tabTo(selector string) (presses int) {
	b.t.Helper()
	for presses = 1; presses <= 80; presses++ {
		b.press(kb.Tab)
		if eval[bool](b, `document.activeElement.matches(`+quote(selector)+`)`) {
			return presses
		}
	}
	b.t.Fatalf("no number of tabs leads to %s", selector)
	return 0
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

//go:embed testdata/audit.js
var audit string

// audit says what a person would stumble over.
func (b *tab) audit(what string) {
	b.t.Helper()
	for _, wrong := range eval[[]string](b, audit) {
		b.t.Errorf("%s: %s", what, wrong)
	}
}

func knowing(f pagetest.Facts) *pagetest.Known {
	k := &pagetest.Known{}
	k.Change(func(facts *pagetest.Facts) { *facts = f })
	return k
}
