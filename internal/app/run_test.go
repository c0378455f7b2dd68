package app

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"credproxy.dev/controller/internal/lock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const goodSpec = `apiVersion: credproxy.dev/v1alpha1
kind: CredProxy
metadata: {name: web}
spec:
  internalNetwork: web-internal
  egressNetwork: web-egress
  routes: [{path: /anthropic, upstream: "https://api.anthropic.com"}]
`

// write puts a file in its place as a whole: a scan sees the old content or the new, and none that is half written.
func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+".tmp", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, url string) (code int, body string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

// eventually asks until the page says the words.
func eventually(t *testing.T, url string, code int, words string) {
	t.Helper()
	defer http.DefaultClient.CloseIdleConnections()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		gotCode, got := get(t, url)
		if gotCode == code && strings.Contains(got, words) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s says %d, not %d with %q:\n%s", url, gotCode, code, words, got)
		}
	}
}

func TestAnEngineThatIsDownAtTheStartIsWaitedFor(t *testing.T) {
	s := newStack(t, t.TempDir())
	s.engine.set(true)
	base, _ := s.start(t)
	eventually(t, base+"/readyz", 503, "not ready: engine unavailable: no answer")
	eventually(t, base+"/healthz", 200, "ok")
	s.engine.set(false)
	eventually(t, base+"/readyz", 200, "ok")
	for _, words := range []string{"the engine does not answer; it is asked again", "the engine answers again"} {
		if strings.Count(s.log.String(), words) != 1 {
			t.Errorf("the log does not say %q once:\n%s", words, s.log.String())
		}
	}
}

func TestTheDirectorysStoryIsToldByPagesMetricsAndLog(t *testing.T) {
	dir := t.TempDir()
	s := newStack(t, dir)
	base, _ := s.start(t)
	eventually(t, base+"/readyz", 200, "ok")
	eventually(t, base+"/metrics", 200, `credproxy_specs{state="valid"} 0`)

	write(t, dir, "web.yaml", goodSpec)
	eventually(t, base+"/metrics", 200, `credproxy_specs{state="valid"} 1`)
	eventually(t, base+"/api/v1alpha1/credproxies/web", 200, `"internalNetwork": "web-internal"`)

	write(t, dir, "web.yaml", "kind: [")
	eventually(t, base+"/api/v1alpha1/sources", 200, `"lastGood": true`)
	eventually(t, base+"/metrics", 200, `credproxy_specs{state="invalid"} 1`)
	eventually(t, base+"/metrics", 200, `credproxy_specs{state="valid"} 1`)
	eventually(t, base+"/api/v1alpha1/credproxies/web", 200, "the last good version stays in force")
	eventually(t, base+"/api/v1alpha1/credproxies", 200, "the last good version stays in force")

	write(t, dir, "web.yaml", goodSpec)
	eventually(t, base+"/metrics", 200, `credproxy_specs{state="invalid"} 0`)
	for _, words := range []string{"controller started", "engine=unix:///a.sock", "bad spec file", "is good again"} {
		if strings.Count(s.log.String(), words) != 1 {
			t.Errorf("the log does not say %q once:\n%s", words, s.log.String())
		}
	}
}

func TestEveryMetricOfTheFilesIsThereFromTheStart(t *testing.T) {
	s := newStack(t, t.TempDir())
	base, _ := s.start(t)
	eventually(t, base+"/metrics", 200, "credproxy_watch_up 1")
	_, metrics := get(t, base+"/metrics")
	for _, series := range []string{
		`credproxy_specs{state="valid"}`, `credproxy_specs{state="invalid"}`, `credproxy_specs{state="duplicate"}`,
		`credproxy_specs{state="paused"}`, "credproxy_last_scan_success_timestamp_seconds", "credproxy_build_info{",
		"go_goroutines", "process_start_time_seconds",
	} {
		if !strings.Contains(metrics, "\n"+series) {
			t.Errorf("%s is missing", series)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestAnotherControllerOnTheEngineBehindAnotherAddressEndsThisOne(t *testing.T) {
	first := newStack(t, t.TempDir())
	base, _ := first.start(t)
	eventually(t, base+"/readyz", 200, "ok")

	second := newStack(t, t.TempDir())
	second.opts.StateDir, second.engine.host = first.opts.StateDir, "tcp://127.0.0.1:2375"
	_, ended := second.start(t)
	err := <-ended
	if !errors.Is(err, lock.ErrHeld) || !strings.Contains(err.Error(), `instance "default" on the engine at tcp://`) {
		t.Errorf("it ended with %v", err)
	}
	if second.engine.looks > 0 {
		t.Error("it looked at an engine that another controller holds")
	}
}

func TestWhatCannotWorkIsAnErrorAtTheStart(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", "")
	tests := map[string]struct {
		change func(*Options)
		says   string
	}{
		"no such directory":  {func(o *Options) { o.Specs = filepath.Join(dir, "nowhere") }, "nowhere"},
		"not a directory":    {func(o *Options) { o.Specs = filepath.Join(dir, "file") }, "file"},
		"no such address":    {func(o *Options) { o.Listen = "192.0.2.1:1" }, "--listen"},
		"no place for locks": {func(o *Options) { o.StateDir = filepath.Join(dir, "file", "locks") }, "--state-dir"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStack(t, dir)
			tt.change(&s.opts)
			if err := Run(t.Context(), s.opts, s.parts); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
}

func TestADirectoryThatVanishesIsToldOnceAndMakesUnready(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "specs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "web.yaml", goodSpec)
	s := newStack(t, dir)
	base, _ := s.start(t)
	eventually(t, base+"/readyz", 200, "ok")
	if err := os.Rename(dir, dir+".gone"); err != nil {
		t.Fatal(err)
	}
	eventually(t, base+"/readyz", 503, "directory of specs "+dir+" cannot be read: make the directory")
	eventually(t, base+"/api/v1alpha1/sources", 200, `"scanError": "directory of specs `+dir)
	eventually(t, base+"/api/v1alpha1/credproxies/web", 200, "web-internal")
	if err := os.Rename(dir+".gone", dir); err != nil {
		t.Fatal(err)
	}
	eventually(t, base+"/readyz", 200, "ok")
	if got := s.log.String(); strings.Count(got, "level=ERROR") != 1 || strings.Contains(got, "level=WARN") || !strings.Contains(got, dir+" cannot be read") {
		t.Errorf("not one line for one mistake:\n%s", got)
	}
}
