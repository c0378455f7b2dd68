package page_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/internal/page"
	"credproxy.dev/controller/internal/pagetest"
)

// listener is a browser that listens for changes, without a network: it counts what it is told.
type listener struct {
	header http.Header
	mu     sync.Mutex
	code   int
	told   strings.Builder
}

func (l *listener) Header() http.Header { return l.header }
func (l *listener) WriteHeader(code int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.code = code
}
func (l *listener) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.told.Write(p)
}
func (l *listener) Flush()                           {}
func (l *listener) SetReadDeadline(time.Time) error  { return nil }
func (l *listener) SetWriteDeadline(time.Time) error { return nil }

func (l *listener) changes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.told.String(), "event: changed\n")
}

func (l *listener) answered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.code
}

func handlerOf(t *testing.T, k *pagetest.Known) http.Handler {
	t.Helper()
	h, err := page.Handler(page.Options{Controller: k, Sources: k.Sources, Ready: k.Ready, Bell: &k.Bell})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// listen has somebody listen until the context ends.
func listen(ctx context.Context, all *sync.WaitGroup, h http.Handler, since string) *listener {
	l := &listener{header: http.Header{}}
	all.Go(func() {
		h.ServeHTTP(l, httptest.NewRequest(http.MethodGet, "/changes?since="+since, nil).WithContext(ctx))
	})
	synctest.Wait()
	return l
}

func TestChangesAreToldTogetherAndNoMoreThanOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := knowing(pagetest.Fleet(1))
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		l := listen(ctx, &all, handlerOf(t, k), "1")
		wait := func(d time.Duration, want int, why string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := l.changes(); got != want {
				t.Errorf("%s: %d changes are told, want %d", why, got, want)
			}
		}
		wait(0, 0, "since the page was made nothing has changed")
		wait(5*time.Second, 0, "nothing changes")
		k.Bell.Ring()
		wait(0, 1, "a change is told at once")
		for range 1000 {
			k.Bell.Ring()
		}
		wait(999*time.Millisecond, 1, "many right after it are waited for")
		wait(2*time.Millisecond, 2, "and told once")
		wait(10*time.Second, 2, "and no more")
		wait(10*time.Second, 3, "counts grow, and ages do")
		leave()
		all.Wait()
		if got := l.answered(); got != http.StatusOK || l.header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("%d %v", got, l.header)
		}
	})
}

func TestWhatChangedBeforeOneListensIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := knowing(pagetest.Fleet(1))
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		h := handlerOf(t, k)
		k.Bell.Ring()
		for _, since := range []string{"1", "", "x", "3"} {
			if l := listen(ctx, &all, h, since); l.changes() != 1 {
				t.Errorf("since %q: %q", since, l.told.String())
			}
		}
		leave()
		all.Wait()
	})
}

func TestListenersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handlerOf(t, knowing(pagetest.Fleet(1)))
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		refused := 0
		for range 70 {
			if l := listen(ctx, &all, h, ""); l.answered() == http.StatusServiceUnavailable {
				refused++
			}
		}
		if refused != 6 {
			t.Errorf("%d of 70 are refused", refused)
		}
		leave()
		all.Wait()
		ctx, leave = context.WithCancel(t.Context())
		if l := listen(ctx, &all, h, ""); l.answered() != http.StatusOK {
			t.Errorf("after they have left: %d", l.answered())
		}
		leave()
		all.Wait()
	})
}

func TestAStreamOutlivesTheServersLimits(t *testing.T) {
	k := knowing(pagetest.Fleet(1))
	server := httptest.NewUnstartedServer(handlerOf(t, k))
	server.Config.ReadTimeout, server.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	defer server.Close()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	for told := 0; told < 2; {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("after %d changes: %v", told, err)
		}
		if line == "event: changed\n" {
			told++
			k.Bell.Ring() // it is told a second later, when both limits are long past
		}
	}
}
