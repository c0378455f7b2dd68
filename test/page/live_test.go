//go:build page

package page

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/internal/buildinfo"
	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/internal/pagetest"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// stay marks the document, so that stayed can tell whether it was loaded anew.
func (b *tab) stay() {
	b.t.Helper()
	eval[bool](b, `window.stayed = true`)
}

func (b *tab) stayed() {
	b.t.Helper()
	if !eval[bool](b, `window.stayed === true`) {
		b.t.Error("the page was loaded anew")
	}
}

func TestAChangeArrivesAndLeavesEverythingElseAsItWas(t *testing.T) {
	k := knowing(pagetest.Fleet(60))
	b := newTab(newBrowser(t), t, serve(t, k))
	b.open("/")
	b.live()
	b.stay()
	b.do("focus a link far below", chromedp.Evaluate[chromedp.Void](`document.querySelector("#e-search-3 a").focus()`))
	eval[bool](b, `window.before = [document.getElementById("e-search-3"), scrollY, document.getElementById("e-search-3").getBoundingClientRect().top], true`)
	k.Change(func(f *pagetest.Facts) {
		for i := range f.Environments {
			if f.Environments[i].Name == "api-2" {
				pagetest.LackToken(&f.Environments[i])
			}
		}
		f.Environments = append(f.Environments, pagetest.Environment("zebra"))
	})
	b.until(`document.getElementById("e-zebra")`)
	b.stayed()
	if got := eval[string](b, `document.querySelector("h1").textContent`); got != "1 of 61 environments needs attention." {
		t.Errorf("it says %q", got)
	}
	if got := eval[string](b, `document.querySelector("tbody tr").id`); got != "e-api-2" {
		t.Errorf("the first is %s", got)
	}
	if !strings.HasPrefix(eval[string](b, `document.title`), "1 in need of attention") || !eval[bool](b, `document.getElementById("icon").href.includes("icon-bad")`) {
		t.Error("title and icon are as before")
	}
	if !eval[bool](b, `document.activeElement.closest("tr") === before[0] && document.getElementById("e-search-3") === before[0]`) {
		t.Error("what had the focus has it no more")
	}
	if moved := eval[float64](b, `Math.abs(before[0].getBoundingClientRect().top - before[2])`); moved > 400 {
		t.Errorf("what was looked at has moved by %v px", moved)
	}
	k.Change(func(f *pagetest.Facts) { f.Environments = f.Environments[:3] })
	b.until(`document.querySelectorAll("tr[id^=e-]").length === 3`)
	b.stayed()
	if !eval[bool](b, `document.activeElement !== document.body`) {
		t.Error("with what had the focus, the focus is gone")
	}
}

func TestTheFilterIsKeptOverReloadsAndGoneBackTo(t *testing.T) {
	k := knowing(pagetest.Troubled(40))
	b := newTab(newBrowser(t), t, serve(t, k))
	b.open("/")
	b.live()
	b.stay()
	shown := func(n string, query string) {
		t.Helper()
		b.until(`document.getElementById("shown").textContent.startsWith("` + n + ` of 40") && location.search === "` + query + `"`)
	}
	b.do("search", chromedp.SendKeys("#q", "web"))
	shown("7", "?q=web")
	b.do("choose", chromedp.Evaluate[chromedp.Void](`(() => { const s = document.getElementById("state"); s.value = "ready"; s.dispatchEvent(new Event("change", { bubbles: true })); })()`))
	shown("5", "?q=web&state=ready")
	b.stayed()
	k.Change(func(f *pagetest.Facts) { f.Environments[0].Labels = map[string]string{"a": "b"} })
	shown("5", "?q=web&state=ready")

	b.do("reload", chromedp.Reload())
	shown("5", "?q=web&state=ready")
	if got := eval[string](b, `document.getElementById("q").value + " " + document.getElementById("state").value`); got != "web ready" {
		t.Errorf("after a reload the form has %q", got)
	}
	b.live()
	b.do("open one", chromedp.Click("tbody th a"))
	b.until(`location.pathname.startsWith("/environments/")`)
	b.do("go back", chromedp.NavigateBack())
	shown("5", "?q=web&state=ready")
	b.do("go back", chromedp.NavigateBack())
	shown("7", "?q=web")
	b.until(`document.getElementById("q").value === "web" && document.getElementById("state").value === ""`)
}

func TestAPageSaysThatItIsNotLiveAnyMore(t *testing.T) {
	k := knowing(pagetest.Fleet(2))
	ctx, end := context.WithCancel(t.Context())
	address, ended := serveUntil(ctx, t, k)
	b := newTab(newBrowser(t), t, "http://"+address)
	b.open("/")
	b.live()
	b.stay()
	end()
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
	b.until(`document.getElementById("live").classList.contains("lost")`)
	if got := eval[int](b, `document.querySelectorAll("tr[id^=e-]").length`); got != 2 {
		t.Errorf("%d environments are left on the page", got)
	}
	b.stayed()
	b.mu.Lock() // that there is no connection is what the browser says, too
	b.wrongs = nil
	b.mu.Unlock()
}

// engine is one in memory.
type engine struct{ *fakeengine.Driver }

func (engine) Close() error { return nil }

func (e engine) Examine(context.Context) reconcile.EngineFacts {
	return reconcile.EngineFacts{Host: e.Host()}
}

func (engine) Try(context.Context, reconcile.TryRequest) (routetable.Trial, error) {
	return routetable.Trial{}, nil
}

const aSpec = `apiVersion: credproxy.dev/v1alpha1
kind: CredProxy
metadata: {name: web}
spec:
  internalNetwork: web-internal
  egressNetwork: web-egress
  routes: [{path: /api, upstream: "https://api.example.org", auth: {scheme: Bearer, tokenRef: {env: TOKEN}}}]
`

func TestAFileThatIsDroppedAppearsOnThePageOfAController(t *testing.T) {
	dir := t.TempDir()
	fake := fakeengine.New(time.Millisecond)
	fake.AddNetwork("web-internal", true)
	fake.AddNetwork("web-egress", false)
	ctx, stop := context.WithCancel(t.Context())
	addresses, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- app.Run(ctx, app.Options{
			Specs: dir, Spec: spec.Options{}, Instance: "page", NamePrefix: "cred-proxy", StateDir: t.TempDir(), TokenEnv: []string{"TOKEN"},
			LookupEnv: func(name string) (string, bool) { return "not-a-real-token", name == "TOKEN" },
			Workers:   2, Resync: time.Minute, DeepResync: time.Hour, ReadyTimeout: time.Minute, Listen: "127.0.0.1:0", Build: buildinfo.Read(),
			Log: slog.New(slog.DiscardHandler), Listening: func(a net.Addr) { addresses <- a },
		}, app.Parts{Engine: func(app.Options, prometheus.Registerer) (app.Engine, error) { return engine{fake.Driver("page")}, nil }})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the controller ended with %v", err)
		}
	})
	write := func(text string) {
		t.Helper()
		path := filepath.Join(dir, "web.yaml")
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	b := newTab(newBrowser(t), t, "http://"+(<-addresses).String())
	b.open("/")
	b.live()
	b.stay()
	b.until(`document.querySelector("h1").textContent === "No environment is declared."`)
	write(aSpec)
	b.until(`document.querySelector("#e-web .mark")?.textContent === "Not isolated" || document.querySelector("#e-web .mark")?.textContent === "Ready"`)
	write(strings.Replace(aSpec, "https://", "http://", 1))
	b.until(`document.querySelector(".problems")?.textContent.includes("1 file has errors")`)
	b.stayed()
	b.do("see why", chromedp.Click(`a[href="/files?state=Invalid"]`))
	b.until(`document.querySelector(".errors")?.textContent.includes("insecureUpstream")`)
	b.live()
	b.stay()
	write(aSpec)
	b.until(`document.querySelector("main").textContent.includes("0 of 1 shown")`)
	b.stayed()
	b.open("/environments/web")
	b.until(`document.querySelector("#tokens + table")?.textContent.includes("env TOKEN")`)
	b.live()
	fake.KillContainer("cred-proxy-web")
	b.until(`document.querySelector("table.events")?.textContent.includes("started container cred-proxy-web") && document.querySelectorAll("table.events tbody tr").length > 3`)
}
