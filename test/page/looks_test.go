//go:build page

package page

import (
	"fmt"
	"testing"

	"credproxy.dev/controller/internal/pagetest"
)

// look is how somebody looks at a page.
type look struct {
	width  int64
	scheme string
}

// everyLook is a wide screen, a narrow one and a phone, by day and by night; twoLooks are enough for what only differs in how much
// there is.
func everyLook() []look {
	return []look{{1280, "light"}, {1280, "dark"}, {768, "light"}, {768, "dark"}, {360, "light"}, {360, "dark"}}
}

func twoLooks() []look { return []look{{1280, "light"}, {360, "dark"}} }

func TestPagesOfFleetsOfAnySizeAreInOrder(t *testing.T) {
	browser := newBrowser(t)
	for n, fleet := range map[int]struct {
		facts pagetest.Facts
		paths []string
		looks []look
	}{
		0:   {pagetest.Fleet(0), []string{"/", "/files", "/events"}, twoLooks()},
		1:   {pagetest.Fleet(1), []string{"/", "/files", "/events", "/environments/web"}, twoLooks()},
		9:   {pagetest.Troubled(9), []string{"/", "/files", "/events", "/environments/api", "/environments/docs", "/environments/wbe", "/?state=nothing"}, everyLook()},
		500: {pagetest.Troubled(500), []string{"/", "/files", "/events"}, twoLooks()},
	} {
		b := newTab(browser, t, serve(t, knowing(fleet.facts)))
		for _, path := range fleet.paths {
			b.open(path)
			for _, l := range fleet.looks {
				b.size(l.width, 800)
				b.scheme(l.scheme)
				b.audit(fmt.Sprintf("%s of %d environments, %d px, %s", path, n, l.width, l.scheme))
			}
			b.size(1280, 800)
		}
		b.open("/")
		if got := eval[int](b, `document.querySelectorAll("tr[id^=e-]").length`); got != n {
			t.Errorf("%d of %d environments are there", got, n)
		}
	}
}

func TestLightAndDarkAreDifferent(t *testing.T) {
	b := newTab(newBrowser(t), t, serve(t, knowing(pagetest.Fleet(1))))
	b.open("/")
	paper := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		paper[scheme] = eval[string](b, `getComputedStyle(document.documentElement).backgroundColor`)
	}
	if paper["light"] != "rgb(250, 249, 247)" || paper["dark"] != "rgb(19, 21, 25)" {
		t.Errorf("the paper is %v", paper)
	}
}

func TestWhatOthersWriteRunsNothingAndBreaksNothing(t *testing.T) {
	k := knowing(pagetest.Hostile())
	b := newTab(newBrowser(t), t, serve(t, k))
	paths := []string{"/", "/files", "/events", "/?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/?state=%22%3E%3Csvg%20onload%3Dalert(1)%3E", "/nothing%3Cscript%3E"}
	for i := range pagetest.Texts() {
		paths = append(paths, fmt.Sprintf("/environments/victim-%d", i))
	}
	for _, path := range paths {
		b.open(path)
		for _, width := range []int64{1280, 360} {
			b.size(width, 800)
			b.audit(fmt.Sprintf("%s, %d px", path, width))
		}
		b.onlyItself(path)
	}
	// What a script takes over goes the same way.
	b.open("/")
	b.live()
	k.Change(func(f *pagetest.Facts) {
		more := pagetest.Hostile()
		for i := range more.Environments {
			more.Environments[i].Name = fmt.Sprintf("later-%d", i)
		}
		f.Environments = append(f.Environments, more.Environments...)
	})
	b.until(`document.getElementById("e-later-3")`)
	b.onlyItself("what came later")
}

// onlyItself checks that a page has no part but its own.
func (b *tab) onlyItself(what string) {
	b.t.Helper()
	const foreign = `[...document.querySelectorAll("script, style, link, img, svg, iframe, object, embed, base, meta, form, template, video, audio")]
		.filter((e) => !e.matches("head > script[src^='/assets/'], head > link[href^='/assets/'], head > meta[charset], head > meta[name], main form#filter"))
		.concat([...document.querySelectorAll("*")].filter((e) => [...e.attributes].some((a) => a.name.startsWith("on") || a.name === "style" || a.name === "srcdoc")))
		.concat([...document.links].filter((a) => a.origin !== location.origin))
		.map((e) => e.outerHTML.slice(0, 120))`
	for _, element := range eval[[]string](b, foreign) {
		b.t.Errorf("%s has %s", what, element)
	}
	const hidden = `[...document.documentElement.textContent].filter((c) => /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2028\u2066-\u2069\ufeff]/.test(c)).length`
	if n := eval[int](b, hidden); n > 0 {
		b.t.Errorf("%s has %d characters that nobody sees", what, n)
	}
}
