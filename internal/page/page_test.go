package page_test

import (
	"errors"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/page"
	"credproxy.dev/controller/internal/pagetest"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

func knowing(f pagetest.Facts) *pagetest.Known {
	k := &pagetest.Known{}
	k.Change(func(facts *pagetest.Facts) { *facts = f })
	return k
}

// heading is the one h1 of a page, without markup.
func heading(t *testing.T, html string) string {
	t.Helper()
	found := regexp.MustCompile(`(?s)<h1[^>]*>(.*?)</h1>`).FindAllStringSubmatch(html, -1)
	if len(found) != 1 {
		t.Fatalf("%d headings of the first level in:\n%s", len(found), html)
	}
	return regexp.MustCompile(`<[^>]*>`).ReplaceAllString(found[0][1], "")
}

// listed are the names of the environments in the list, in order.
func listed(html string) (names []string) {
	for _, m := range regexp.MustCompile(`<tr role="row" id="e-([^"]+)"`).FindAllStringSubmatch(html, -1) {
		names = append(names, m[1])
	}
	return names
}

func TestTheFirstThingSaidIsWhetherEverythingIsAllRight(t *testing.T) {
	change := func(n int, changes ...func(*spec.CredProxy)) pagetest.Facts {
		f := pagetest.Fleet(n)
		for i, c := range changes {
			c(&f.Environments[i])
		}
		return f
	}
	down := change(2)
	for i := range down.Environments {
		pagetest.Set(&down.Environments[i], spec.ConditionReady, metav1.ConditionUnknown, reconcile.ReasonEngineUnavailable, "no answer", 0)
	}
	down.NotReady = errors.New("engine unavailable: no answer")
	badFile := change(2)
	badFile.Files = pagetest.Troubled(6).Files
	unread := change(2)
	unread.ScanErr = errors.New("permission denied")
	tests := map[string]struct {
		facts   pagetest.Facts
		says    string
		level   string
		further []string
	}{
		"nothing":               {pagetest.Facts{}, "No environment is declared.", "ok", []string{"directory of --specs"}},
		"one":                   {change(1), "Everything is all right.", "ok", []string{"nothing to do"}},
		"many":                  {change(30), "Everything is all right.", "ok", []string{"30 of 30 shown", "Nothing has changed for", ">3 h</time>"}},
		"the only one is bad":   {change(1, pagetest.LackToken), "The environment needs attention.", "bad", []string{"12 min ago", ">12 min</time>"}},
		"one is bad":            {change(3, pagetest.LackToken), "1 of 3 environments needs attention.", "bad", []string{"TokenMissing", "To do:", "4 steps to take"}},
		"several are bad":       {change(4, pagetest.LackToken, pagetest.LackToken), "2 of 4 environments need attention.", "bad", []string{"2 environments not ready"}},
		"one is open":           {change(2, pagetest.Open), "1 of 2 environments needs attention.", "bad", []string{"Not isolated", "Privileged"}},
		"one has a warning":     {change(2, pagetest.Warn), "Everything serves. 1 of 2 environments deserves a look.", "warn", []string{"DNSForwarded"}},
		"one is being made":     {change(2, pagetest.Progress), "1 of 2 environments is on the way.", "wait", []string{"In progress"}},
		"one is paused":         {change(2, pagetest.Pause), "Everything is as it is meant to be. 1 of 2 environments is paused or without tokens.", "ok", []string{"Paused"}},
		"the engine is away":    {down, "All 2 environments are in a state that nobody can tell.", "unknown", []string{"engine unavailable: no answer"}},
		"a file is bad":         {badFile, "Not everything is all right.", "bad", []string{"show all<span class=\"hidden\">: 1 file has errors", "teams/new.yaml"}},
		"a file cannot be read": {unread, "Not everything is all right.", "bad", []string{"permission denied", "Nothing is removed"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			html := ask(t, knowing(tt.facts), "/").Body.String()
			if got := heading(t, html); got != tt.says {
				t.Errorf("it says %q, want %q", got, tt.says)
			}
			if !strings.Contains(html, `<section class="verdict `+tt.level+`"`) {
				t.Errorf("the verdict is not %s", tt.level)
			}
			for _, words := range tt.further {
				if !strings.Contains(html, words) {
					t.Errorf("it does not say %q:\n%s", words, html)
				}
			}
		})
	}
}

func TestWhatIsWorstComesFirst(t *testing.T) {
	names := listed(ask(t, knowing(pagetest.Troubled(8)), "/").Body.String())
	if got, want := strings.Join(names, " "), "api billing docs ops mobile infra search web"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAnEnvironmentsPageHasAllThatIsKnown(t *testing.T) {
	k := knowing(pagetest.Troubled(8))
	for name, wants := range map[string][]string{
		"search": {
			"https://api.anthropic.com", "Bearer from env CLAUDE_CODE_OAUTH_TOKEN", "only git: fetch, push to acme/search", "60 requests a minute",
			"never the paths /v1/organizations/**", "<b>1,204</b> 2xx", "<b>5</b> rate limited", "19 of 20 within 6,400 ms", "91.2 MB received",
			"provider vault key teams/search", "15 min ago", "in 45 min", "in 35 min", "its source does not say", "as the controller began with it",
			"InternalNetwork", "search-internal", "cred-proxy-search", "4f1c0e8b7a6d", "Nothing: what runs is what is in force.",
			"teams/search.yaml", "ready: cred-proxy-search", "cause: no sidecar runs",
		},
		"api":  {"resolve_tokens", "cause: no sidecar runs", "It is tried again", "ended with exit status 2", "the sidecar has told of none yet", "To do:"},
		"docs": {"Breach", "docs-agent", "is privileged"}, "infra": {"Nothing, while it is paused."},
	} {
		html := ask(t, k, "/environments/"+name).Body.String()
		for _, want := range wants {
			if !strings.Contains(html, want) {
				t.Errorf("the page of %s does not have %q:\n%s", name, want, html)
			}
		}
		for _, kind := range []string{"Ready", "Current", "TokensResolved", "NetworksReady", "Isolated", "Permitted"} {
			if !strings.Contains(html, `id="c-`+kind+`"`) {
				t.Errorf("the page of %s does not have the condition %s", name, kind)
			}
		}
	}
}

// The age beside a state is that of what the state comes from: it is open for four minutes, however long it has been ready.
func TestAStateIsAsOldAsWhatIsWorst(t *testing.T) {
	f := pagetest.Fleet(1)
	pagetest.Open(&f.Environments[0])
	k := knowing(f)
	if html := ask(t, k, "/").Body.String(); !regexp.MustCompile(`<td role="cell"><time [^>]*>4 min ago</time></td></tr>`).MatchString(html) {
		t.Errorf("the list does not say 4 min ago:\n%s", html)
	}
	if html := ask(t, k, "/environments/web").Body.String(); !regexp.MustCompile(`<p class="since">for <time [^>]*>4 min</time></p>`).MatchString(html) {
		t.Errorf("the page of the environment does not say for 4 min:\n%s", html)
	}
}

func TestWhatAPlanChangesHasASignAndAWord(t *testing.T) {
	f := pagetest.Fleet(1)
	pagetest.LackToken(&f.Environments[0])
	f.Environments[0].Status.PlannedChanges = []spec.PlannedChange{
		{Change: spec.ChangeAdd, Object: spec.ChangedSidecar, Name: "cred-proxy-web"},
		{Change: spec.ChangeRemove, Object: spec.ChangedRoute, Name: "/old", Before: "https://old.example"},
		{Change: spec.ChangeModify, Object: spec.ChangedRoute, Name: "/git", Field: "upstream", Before: "https://a.example", After: "https://b.example"},
	}
	html := ask(t, knowing(f), "/environments/web").Body.String()
	for _, want := range []string{
		`<li class="added"><span class="sign" aria-hidden="true">&#43;</span><span class="hidden">added: </span><bdi>sidecar cred-proxy-web</bdi>`,
		`<li class="removed"><span class="sign" aria-hidden="true">-</span><span class="hidden">removed: </span><bdi>route /old: https://old.example</bdi>`,
		`<li class="changed"><span class="sign" aria-hidden="true">~</span><span class="hidden">changed: </span><bdi>route /git upstream: https://a.example → https://b.example</bdi>`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("it does not have %s:\n%s", want, html)
		}
	}
}

func TestFilters(t *testing.T) {
	k := knowing(pagetest.Troubled(40))
	tests := map[string]struct {
		query string
		shown int
		code  int
		says  string
	}{
		"none":                      {"", 40, 200, "40 of 40 shown."},
		"a name":                    {"q=web-2", 1, 200, `value="web-2"`},
		"two words":                 {"q=WEB+anthropic", 7, 200, ""},
		"a reason":                  {"q=TokenMissing", 2, 200, ""},
		"a name that is mistyped":   {"q=searhc-3", 0, 200, `Do you mean <a href="/environments/search-3"><bdi>search-3</bdi></a>?`},
		"a name of none like it":    {"q=web-3&state=attention", 0, 200, "No environment is as the filter asks.</p>"},
		"nothing like it":           {"q=nonsense", 0, 200, "No environment is as the filter asks."},
		"a state":                   {"state=attention", 3, 200, ""},
		"a state in capitals":       {"state=Held", 1, 200, ""},
		"a condition that is false": {"condition=Isolated&status=False", 2, 200, ""},
		"a condition that is not":   {"condition=Isolated", 2, 200, ""},
		"a status alone is Ready's": {"status=False", 3, 200, ""},
		"all of them":               {"q=api&state=attention&condition=Ready&status=False", 2, 200, ""},
		"with steps to take":        {"plan=steps", 2, 200, ""},
		"an unknown state":          {"state=redy", 40, 400, "do you mean ready?"},
		"an unknown condition":      {"condition=Isolatd&status=False", 40, 400, "do you mean Isolated?"},
		"an unknown status":         {"condition=Ready&status=Maybe", 3, 400, "There is no status"},
		"an unknown parameter":      {"colour=red", 40, 200, ""},
		"one that is too long":      {"q=" + strings.Repeat("x", 10_000), 0, 200, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			answer := ask(t, k, "/?"+tt.query)
			html := answer.Body.String()
			if got := len(listed(html)); answer.Code != tt.code || got != tt.shown || !strings.Contains(html, tt.says) {
				t.Errorf("%d with %d environments, want %d with %d and %q", answer.Code, got, tt.code, tt.shown, tt.says)
			}
			if len(html) > 100_000 {
				t.Errorf("it has %d bytes", len(html))
			}
		})
	}
}

func TestFilesAndEventsAreFiltered(t *testing.T) {
	k := knowing(pagetest.Troubled(8))
	for url, want := range map[string]struct {
		code  int
		items int
		says  string
	}{
		"/files":                    {200, 9, `teams/new.yaml:9`},
		"/files?state=Invalid":      {200, 1, "spec.routes[0].upstream"},
		"/files?q=nonsense":         {200, 0, "No file is as the filter asks."},
		"/files?q=insecureUpstream": {200, 1, "teams/new.yaml"},
		"/files?state=Broken":       {400, 9, "It can be: Valid, Invalid, Empty."},
		"/events":                   {200, 10, "TokenMissing"},
		"/events?type=Warning":      {200, 2, "TokenMissing"},
		"/events?name=wbe":          {200, 0, `Do you mean <a href="/events?name=web"><bdi>web</bdi></a>?`},
		"/events?name=web":          {200, 1, "ready: cred-proxy-web"},
		"/events?q=privileged":      {200, 1, "docs"},
		"/events?type=Warnin":       {400, 10, "do you mean Warning?"},
	} {
		answer := ask(t, k, url)
		html := answer.Body.String()
		items := len(regexp.MustCompile(`<tr role="row" id="n|<li><h2>`).FindAllString(html, -1))
		if answer.Code != want.code || items != want.items || !strings.Contains(html, want.says) {
			t.Errorf("%s: %d with %d items, want %d with %d and %q:\n%s", url, answer.Code, items, want.code, want.items, want.says, html)
		}
		heading(t, html)
	}
}

// Each address of the table in docs/page.md is one, with each of the words that its row names.
func TestAddressesOfTheDocumentAreAnswered(t *testing.T) {
	text, err := os.ReadFile("../../docs/page.md")
	if err != nil {
		t.Fatal(err)
	}
	k, n := knowing(pagetest.Troubled(8)), 0
	for _, row := range regexp.MustCompile("(?m)^\\| `(/[^`]*)` \\| (.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		urls := []string{row[1]}
		for _, word := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(row[2], -1) {
			urls = append(urls, row[1][:strings.LastIndex(row[1], "=")+1]+word[1])
		}
		for _, url := range urls {
			n++
			if answer := ask(t, k, url); answer.Code != http.StatusOK {
				t.Errorf("docs/page.md has %s, and it is answered with %d", url, answer.Code)
			}
		}
	}
	if n < 15 {
		t.Errorf("the table is not understood: %d addresses", n)
	}
}

func TestWhatIsNotThereIsSaid(t *testing.T) {
	k := knowing(pagetest.Fleet(3))
	for url, says := range map[string]string{
		"/environments/wbe":       `<a href="/environments/web">`,
		"/environments/nothing":   "There is no environment",
		"/nothing":                "There is no page",
		"/assets/page.000000.css": "There is no page",
		"/environments/":          "There is no page",
		"/environments/%3Cb%3E":   "&lt;b&gt;",
	} {
		answer := ask(t, k, url)
		if answer.Code != http.StatusNotFound || !strings.Contains(answer.Body.String(), says) {
			t.Errorf("%s: %d, without %q:\n%s", url, answer.Code, says, answer.Body)
		}
	}
}

func TestWhatOthersWroteIsTextAndNothingElse(t *testing.T) {
	k := knowing(pagetest.Hostile())
	urls := []string{"/", "/files", "/events", "/?q=" + `%3Cscript%3Ealert(1)%3C/script%3E%22%27%E2%80%AE`, "/events?name=%22%3E%3Cscript%3E", "/environments/%22%3E%3Csvg%20onload=alert(1)%3E"}
	for _, cp := range k.List() {
		urls = append(urls, "/environments/"+cp.Name)
	}
	clean := regexp.MustCompile(`(?s)<(script|link|style|svg|img|iframe|object|embed|base|meta|form|input)\b[^>]*>`)
	allowed := regexp.MustCompile(`^<(script defer src="/assets/page\.\w+\.js"|link (rel="icon" id="icon" type="image/svg\+xml" |rel="stylesheet" )href="/assets/[\w.-]+"|` +
		`meta (charset="utf-8"|name="(viewport|color-scheme)" content="[\w =,.-]+")|form class="filter"[^<>]*|input (type="(search|checkbox)"|id="name") [^<>]*)>$`)
	for _, url := range urls {
		html := ask(t, k, url).Body.String()
		for _, element := range clean.FindAllString(html, -1) {
			if !allowed.MatchString(element) {
				t.Errorf("%s has %s", url, element)
			}
		}
		if handler := regexp.MustCompile(`<[^>]*\son\w+\s*=`).FindString(html); handler != "" && !strings.Contains(handler, `value="`) {
			t.Errorf("%s has a handler: %s", url, handler)
		}
		if strings.Contains(html, "javascript:") && regexp.MustCompile(`(?i)href="javascript:`).MatchString(html) {
			t.Errorf("%s has a link that is a script", url)
		}
		for _, r := range html {
			if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || strings.ContainsRune("\u2800\u3164\u115f\u1160\uffa0\u034f", r) || r == 0xfeff || r == 0x200b {
				t.Errorf("%s has the character %U", url, r)
			}
		}
	}
}

func TestEveryPageIsHeldToItsOwnFiles(t *testing.T) {
	k := knowing(pagetest.Troubled(8))
	for _, url := range []string{"/", "/environments/web", "/environments/nobody", "/files", "/events", "/nothing"} {
		answer := ask(t, k, url)
		csp := answer.Header().Get("Content-Security-Policy")
		for _, want := range []string{
			"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'", "form-action 'self'",
			"base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
		} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy does not say %s: %s", url, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || strings.Contains(csp, "data:") {
			t.Errorf("%s: the policy is %s", url, csp)
		}
		if answer.Header().Get("Cross-Origin-Opener-Policy") != "same-origin" || answer.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %v", url, answer.Header())
		}
		html := answer.Body.String()
		if found := regexp.MustCompile(`<style|\sstyle=|<script>|(src|href|action)="(https?:)?//`).FindString(html); found != "" {
			t.Errorf("%s has %s", url, found)
		}
	}
}

func TestAssetsAreKeptForGood(t *testing.T) {
	k := knowing(pagetest.Fleet(1))
	html := ask(t, k, "/").Body.String()
	found := regexp.MustCompile(`"(/assets/[^"]+)"`).FindAllStringSubmatch(html, -1)
	if len(found) != 3 {
		t.Fatalf("the page has the assets %v", found)
	}
	for _, m := range found {
		answer := ask(t, k, m[1])
		if answer.Code != http.StatusOK || !strings.Contains(answer.Header().Get("Cache-Control"), "immutable") || answer.Body.Len() == 0 {
			t.Errorf("%s: %d %v", m[1], answer.Code, answer.Header())
		}
	}
}

func TestAPageAsksForEverythingOnce(t *testing.T) {
	k := knowing(pagetest.Troubled(2000))
	html := ask(t, k, "/").Body
	if k.Lists() != 1 {
		t.Errorf("everything was asked for %d times", k.Lists())
	}
	if most := 2000*1400 + 20_000; html.Len() > most {
		t.Errorf("2,000 environments make %d bytes, want at most %d", html.Len(), most)
	}
}

func TestEveryReasonHasAdviceOrNeedsNone(t *testing.T) {
	text, err := os.ReadFile("../../pkg/reconcile/reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	needsNone := map[string]bool{}
	for _, reason := range []string{"Running", "Progressing", "Outdated", "Resolved", "NotChecked", "Found", "InternalNetwork", "InForce", "Permitted", "NoPolicy"} {
		needsNone[reason] = true
	}
	for _, m := range regexp.MustCompile(`(?m)^\tReason\w+\s+= "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
		f := pagetest.Fleet(1)
		pagetest.Set(&f.Environments[0], spec.ConditionReady, metav1.ConditionFalse, m[1], "so it is", 0)
		html := ask(t, knowing(f), "/environments/web").Body.String()
		if got := strings.Contains(html, "To do:"); got == needsNone[m[1]] {
			t.Errorf("the reason %s has advice: %v", m[1], got)
		}
	}
}

func BenchmarkPage2000(b *testing.B) {
	f := pagetest.Troubled(2000)
	k := &pagetest.Known{}
	k.Change(func(facts *pagetest.Facts) { *facts = f })
	handler, err := page.Handler(page.Options{Controller: k, Sources: k.Sources, Ready: k.Ready})
	if err != nil {
		b.Fatal(err)
	}
	for name, url := range map[string]string{"all": "/", "search": "/?q=web-1", "one": "/environments/web"} {
		b.Run(name, func(b *testing.B) {
			size := 0
			for b.Loop() {
				size = serve(handler, url).Body.Len()
			}
			b.ReportMetric(float64(size), "bytes")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/page")
		})
	}
}
