package dockerdriver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/pkg/stdcopy"

	"credproxy.dev/controller/pkg/reconcile"
)

// logged has the fake answer with a log of container c1, of which write writes both streams, and returns what it was asked.
func (f *fakeEngine) logged(write func(stdout, stderr io.Writer, r *http.Request)) (asked func() string) {
	queries := make(chan string, 10)
	f.on("GET /containers/c1/logs", func(w http.ResponseWriter, r *http.Request) {
		queries <- r.URL.RawQuery
		w.WriteHeader(http.StatusOK)
		write(stdcopy.NewStdWriter(w, stdcopy.Stdout), stdcopy.NewStdWriter(w, stdcopy.Stderr), r)
	})
	return func() string { return <-queries }
}

// readAll reads a log.
func readAll(ctx context.Context, d *Driver, req reconcile.LogRequest) (lines []reconcile.LogLine, err error) {
	req.ContainerID = "c1"
	err = d.ReadLog(ctx, req, func(line reconcile.LogLine) error {
		lines = append(lines, line)
		return nil
	})
	return lines, err
}

func TestALogIsCutIntoLinesWithTheirTimes(t *testing.T) {
	f := newFakeEngine(t)
	long := strings.Repeat("x", 20<<10)
	asked := f.logged(func(stdout, stderr io.Writer, _ *http.Request) {
		fmt.Fprint(stdout, "2026-01-02T03:04:05.000000001Z {\"event\":\"ready\"}\n")
		fmt.Fprint(stderr, "2026-01-02T03:04:05.000000002Z {\"msg\":")
		fmt.Fprint(stderr, "1}\n2026-01-02T03:04:06Z \nno time\n2026-01-02T03:04:07Z "+long+"\n2026-01-02T03:04:08Z its end is missing")
	})
	lines, err := readAll(t.Context(), f.driver(), reconcile.LogRequest{Since: time.Unix(1700000000, 123456789)})
	if err != nil {
		t.Fatal(err)
	}
	if query := asked(); !strings.Contains(query, "since=1700000000.123456") || strings.Contains(query, "stdout=1") || strings.Contains(query, "follow=1") ||
		!strings.Contains(query, "stderr=1") || strings.Contains(query, "tail=") && !strings.Contains(query, "tail=&") {
		t.Errorf("asked was %q", query)
	}
	at := func(i int) string { return lines[i].Time.UTC().Format(time.RFC3339Nano) + " " + lines[i].Text }
	if len(lines) != 5 || at(0) != `2026-01-02T03:04:05.000000002Z {"msg":1}` || at(1) != "2026-01-02T03:04:06Z " || lines[2].Text != "no time" ||
		!lines[2].Time.IsZero() || at(4) != "2026-01-02T03:04:08Z its end is missing" {
		t.Fatalf("%+v", lines)
	}
	if cut := lines[3]; !cut.Cut || len(cut.Text) > reconcile.MaxLogLine || !strings.HasPrefix(long, cut.Text) || len(cut.Text) < 1000 {
		t.Errorf("a long line has %d bytes, cut: %v", len(cut.Text), cut.Cut)
	}
}

func TestALogThatIsFollowedHasNoEndOfItsOwn(t *testing.T) {
	f := newFakeEngine(t)
	asked := f.logged(func(_, stderr io.Writer, r *http.Request) {
		fmt.Fprintln(stderr, "one")
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := readAll(ctx, f.driver(func(o *Options) { o.CallTimeout = time.Second }), reconcile.LogRequest{Follow: true})
		ended <- err
	}()
	if query := asked(); !strings.Contains(query, "follow=1") {
		t.Errorf("asked was %q", query)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestALogThatDoesNotEndIsGivenUp(t *testing.T) {
	f := newFakeEngine(t)
	f.logged(func(_, _ io.Writer, r *http.Request) { <-r.Context().Done() })
	_, err := readAll(t.Context(), f.driver(func(o *Options) { o.CallTimeout = 20 * time.Millisecond }), reconcile.LogRequest{})
	if !errors.Is(err, reconcile.ErrEngineUnavailable) {
		t.Error(err)
	}
}

func TestTheLogOfAContainerThatIsGoneIsNotFound(t *testing.T) {
	if _, err := readAll(t.Context(), newFakeEngine(t).driver(), reconcile.LogRequest{}); !errors.Is(err, reconcile.ErrNotFound) {
		t.Error(err)
	}
}

func TestLogSourcesAreAskedForByTheirLabels(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("running")
	sources, err := f.driver().LogSources(t.Context(), "web")
	if err != nil || len(sources) != 1 || sources[0].ContainerID != "c1" || sources[0].ContainerName != "cred-proxy-web" ||
		sources[0].SpecName != "web" || sources[0].State != reconcile.StateRunning {
		t.Errorf("%+v, %v", sources, err)
	}
	// One that goes between the list and its inspection is none.
	f.answer("GET /containers/c1/json", http.StatusNotFound, failure("no such container"))
	if sources, err := f.driver().LogSources(t.Context(), "web"); err != nil || len(sources) != 0 {
		t.Errorf("%+v, %v", sources, err)
	}
	f.answer("GET /containers/c1/json", http.StatusInternalServerError, failure("broken"))
	if _, err := f.driver().LogSources(t.Context(), "web"); err == nil {
		t.Error("what could not be inspected is no error")
	}
}
