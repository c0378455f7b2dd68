//go:build page

package page

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"credproxy.dev/controller/internal/pagetest"
)

// words is the text of the page as the browser shows it. The page's own scripts may be off: the browser's are not.
func (b *tab) words() string {
	b.t.Helper()
	return eval[string](b, `document.body.innerText`)
}

func TestWithoutJavaScriptEverythingIsThere(t *testing.T) {
	b := newTab(newBrowser(t), t, serve(t, knowing(pagetest.Troubled(12))))
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.open("/")
	says := func(texts ...string) {
		t.Helper()
		words := b.words()
		for _, text := range texts {
			if !strings.Contains(words, text) {
				t.Errorf("the page does not say %q:\n%s", text, words)
			}
		}
	}
	says("3 of 12 environments need attention.", "12 min ago", "TokenMissing", "To do:", "12 of 12 shown.", "8 steps to take", "Not isolated", "in 45 min")
	if live := eval[string](b, `document.getElementById("live").textContent`); live != "" {
		t.Errorf("it says that it is %q", live)
	}
	b.do("search", chromedp.SendKeys("#q", "privileged"+kb.Enter))
	b.until(`location.search.includes("q=privileged") && document.readyState === "complete"`)
	says("1 of 12 shown.", "Open")
	b.do("follow a link", chromedp.Click(`tbody th a`))
	b.until(`location.pathname.startsWith("/environments/") && document.readyState === "complete"`)
	says("Breach", "What the next plan would do", "Bearer from env CLAUDE_CODE_OAUTH_TOKEN", "19 of 20 within 6,400 ms", "ends in 45 min", "Last events")
	b.do("see the files", chromedp.Click(`nav a[href="/files"]`))
	b.until(`location.pathname === "/files" && document.readyState === "complete"`)
	says("teams/new.yaml:9", "spec.routes[0].upstream", "insecureUpstream: true")
	b.do("see the events", chromedp.Click(`nav a[href="/events"]`))
	b.until(`location.pathname === "/events" && document.readyState === "complete"`)
	says("token provider vault: token missing", "cause: no sidecar runs")
}

func TestEverythingCanBeDoneByKeyboard(t *testing.T) {
	b := newTab(newBrowser(t), t, serve(t, knowing(pagetest.Troubled(12))))
	b.open("/")
	b.live()
	if n := b.tabTo(".skip"); n != 1 {
		t.Errorf("the way to the content is the %d. stop", n)
	}
	if top := eval[float64](b, `document.activeElement.getBoundingClientRect().top`); top < 0 {
		t.Errorf("it is not seen: %v px above", -top)
	}
	b.press(kb.Enter)
	b.until(`document.activeElement.id === "main"`)
	b.tabTo("#q")
	if outline := eval[string](b, `getComputedStyle(document.activeElement).outlineStyle`); outline != "solid" {
		t.Errorf("what has the focus is outlined %q", outline)
	}
	b.do("type", chromedp.KeyEvent("privileged"))
	b.until(`document.querySelectorAll("tr[id^=e-]").length === 1`)
	if !eval[bool](b, `document.activeElement.id === "q" && document.activeElement.value === "privileged"`) {
		t.Error("the focus is lost by the search")
	}
	b.tabTo("#state")
	b.do("choose", chromedp.KeyEvent("n")) // needs attention
	b.until(`location.search.includes("state=attention")`)
	b.tabTo("tbody th a")
	b.press(kb.Enter)
	b.until(`location.pathname.startsWith("/environments/") && document.readyState === "complete"`)
	b.tabTo(".crumb a")
	b.press(kb.Enter)
	b.until(`location.pathname === "/" && document.readyState === "complete"`)
	for range 8 { // whatever comes: it is seen that it has the focus
		b.press(kb.Tab)
		if !eval[bool](b, `getComputedStyle(document.activeElement).outlineStyle === "solid"`) {
			t.Errorf("it is not seen that it has the focus: %s", eval[string](b, `document.activeElement.outerHTML.slice(0, 100)`))
		}
	}
}
