package proxy

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/routetable"
)

// newCounted is a handler of routes /a and /b, in that order, whose upstreams answer by what the path asks for.
func newCounted(t *testing.T) *Handler {
	t.Helper()
	upstream := func(r *http.Request) io.ReadCloser {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		return ok(r)
	}
	h := NewHandler(always(upstreamFunc(upstream)), slog.New(slog.DiscardHandler), io.Discard, "web")
	swap(t, h, "/a", "/b")
	return h
}

func swap(t *testing.T, h *Handler, paths ...string) {
	t.Helper()
	var routes []routetable.Route
	for _, path := range paths {
		routes = append(routes, routetable.Route{Path: path, Upstream: "https://a.test", Auth: bearer()})
	}
	if err := h.Swap(load(t, routes...)); err != nil {
		t.Fatal(err)
	}
}

func send(h *Handler, n int, path, body string) {
	for range n {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	}
}

// counted are the counters of a route.
func counted(t *testing.T, h *Handler, route string) routetable.RouteCounters {
	t.Helper()
	all := h.counters()
	i := slices.IndexFunc(all, func(c routetable.RouteCounters) bool { return c.Route == route })
	if i < 0 {
		t.Fatalf("route %q is not counted: %+v", route, all)
	}
	return all[i]
}

func TestRequestsAreCountedByRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCounted(t)
		send(h, 3, "/a/x", "four")
		send(h, 2, "/none", "four")
		want := routetable.RouteCounters{Route: "/a", Injections: 3, RequestBytes: 12, ResponseBytes: 3 * int64(len("ok"))}
		want.Requests[routetable.CodeClass(200)] = 3
		want.Duration.Buckets[0], want.FirstByte.Buckets[0] = 3, 3
		if diff := cmp.Diff(want, counted(t, h, "/a")); diff != "" {
			t.Errorf("(-wanted +counted)\n%s", diff)
		}
		if diff := cmp.Diff(routetable.RouteCounters{Route: "/b"}, counted(t, h, "/b")); diff != "" {
			t.Errorf("(-wanted +counted)\n%s", diff)
		}
		none := counted(t, h, routetable.NoRoute)
		if none.Requests[routetable.CodeClass(404)] != 2 || none.Refusals[routetable.RefusalReason("no_route")] != 2 || none.Duration.Count() != 0 {
			t.Errorf("of no route: %+v", none)
		}
	})
}

func TestTimesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, in := io.Pipe()
		h := NewHandler(always(upstreamFunc(func(*http.Request) io.ReadCloser { <-time.After(20 * time.Millisecond); return out })), slog.New(slog.DiscardHandler), io.Discard, "web")
		swap(t, h, "/a")
		done := make(chan struct{})
		go func() {
			defer close(done)
			send(h, 1, "/a", "")
		}()
		<-time.After(2 * time.Second)
		if c := counted(t, h, "/a"); c.InFlight != 1 || c.Duration.Count() != 0 {
			t.Errorf("in flight it is counted as %+v", c)
		}
		_ = in.Close()
		<-done
		c := counted(t, h, "/a")
		if c.InFlight != 0 || c.FirstByte.Buckets[2] != 1 || c.FirstByte.Micros != 20_000 || c.Duration.Buckets[8] != 1 || c.Duration.Micros != 2_000_000 {
			t.Errorf("it is counted as %+v", c)
		}
	})
}

func TestCountsGoOnOverReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCounted(t)
		send(h, 3, "/a", "")
		swap(t, h, "/b")
		if all := h.counters(); len(all) != 2 || all[1].Route != "/b" {
			t.Errorf("without it, counted are %+v", all)
		}
		swap(t, h, "/a", "/c")
		send(h, 2, "/a", "")
		if c := counted(t, h, "/a"); c.Injections != 5 {
			t.Errorf("counted is %+v", c)
		}
	})
}

func TestRoutesThatAreCountedAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newCounted(t)
		send(h, 3, "/a", "")
		var many []string
		for i := range routetable.MaxCounted {
			many = append(many, fmt.Sprintf("/%d", i))
		}
		swap(t, h, many...)
		send(h, 1, "/7", "")
		if n := len(h.tallies.byPath); n != routetable.MaxCounted || len(h.counters()) != n+1 || counted(t, h, "/7").Injections != 1 {
			t.Errorf("%d tallies are kept, and %d told", n, len(h.counters()))
		}
		swap(t, h, append(many, "/more")...)
		send(h, 1, "/more", "")
		if c := counted(t, h, routetable.NoRoute); c.Injections != 1 || len(h.counters()) != routetable.MaxCounted+1 {
			t.Errorf("what is past the bound is counted as %+v", c)
		}
	})
}

// TestEveryCodeIsAReason keeps a code from counting as "other".
func TestEveryCodeIsAReason(t *testing.T) {
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := []string{"other"}
	for _, line := range regexp.MustCompile(`(?m)^//\t\d{3} (\w+)`).FindAllStringSubmatch(string(source), -1) {
		codes = append(codes, line[1])
	}
	reasons := routetable.RefusalReasons()
	slices.Sort(codes)
	slices.Sort(reasons[:])
	if diff := cmp.Diff(codes, reasons[:]); diff != "" {
		t.Errorf("codes that errors.go lists, and reasons of routetable, where they are added at the end (-codes +reasons)\n%s", diff)
	}
}

// TestEveryCodeIsListed looks at each code that is written down in this package.
func TestEveryCodeIsListed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	reasons := routetable.RefusalReasons()
	for _, file := range slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") }) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`\bcode: +"(\w+)"|\bcode\w* += "(\w+)"|tooMany\("(\w+)"`).FindAllStringSubmatch(string(source), -1) {
			if code := strings.Join(found[1:], ""); !slices.Contains(reasons[:], code) {
				t.Errorf("%s: code %q is not in the list of errors.go", file, code)
			}
		}
	}
}
