package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// logEngine is an engine of which only logs are asked.
type logEngine struct {
	*engine
	reconcile.LogReader
}

// LogSources implements reconcile.LogReader, which both parts have.
func (l logEngine) LogSources(ctx context.Context, name string) ([]reconcile.LogSource, error) {
	return l.LogReader.LogSources(ctx, name)
}

// ReadLog implements reconcile.LogReader, which both parts have.
func (l logEngine) ReadLog(ctx context.Context, req reconcile.LogRequest, take func(reconcile.LogLine) error) error {
	return l.LogReader.ReadLog(ctx, req, take)
}

// desk is where logs of a fake engine are read. It belongs in a bubble of testing/synctest.
type desk struct {
	*testing.T
	engine *fakeengine.Engine
	driver *fakeengine.Driver
	// told is what was handed over: lines with the names of their containers, and which containers there are.
	told []string
}

func newDesk(t *testing.T) *desk {
	e := fakeengine.New(time.Millisecond)
	return &desk{T: t, engine: e, driver: e.Driver("default")}
}

// later moves the time of the bubble, which stands still until everyone waits.
func later(d time.Duration) {
	<-time.After(d)
}

// make makes a container of a spec that runs, and returns its ID.
func (d *desk) make(container, name string) string {
	d.Helper()
	ctx := d.Context()
	id, err := d.driver.Create(ctx, reconcile.CreateRequest{ContainerName: container, SpecName: name,
		ImageID: d.engine.AddImage("mute", fakeengine.Mute, nil), Network: d.engine.AddNetwork("net-of-"+container, true),
		Resources: spec.Resources{Memory: "64Mi", CPUs: "1", Pids: 64}})
	if err == nil {
		err = d.driver.Start(ctx, id)
	}
	if err != nil {
		d.Fatal(err)
	}
	return id
}

// writes has a container write lines, a second apart.
func (d *desk) writes(id string, lines ...string) {
	for _, line := range lines {
		d.engine.Writes(id, line)
		later(time.Second)
	}
}

// read reads until it ends, or ctx does.
func (d *desk) read(ctx context.Context, req LogsRequest) error {
	parts := Parts{Engine: func(Options, prometheus.Registerer) (Engine, error) {
		return logEngine{&engine{}, d.driver}, nil
	}}
	return Logs(ctx, Options{}, parts, req, LogsTaker{
		Sources: func(sources []reconcile.LogSource) {
			var names []string
			for _, s := range sources {
				names = append(names, s.ContainerName)
			}
			d.told = append(d.told, fmt.Sprint(names))
		},
		Line: func(s reconcile.LogSource, line reconcile.LogLine) error {
			if line.Text == "stop" {
				return errEnough
			}
			d.told = append(d.told, s.ContainerName+": "+line.Text)
			return nil
		},
		Lost: func(err error) { d.told = append(d.told, fmt.Sprintf("lost: %t", err != nil)) },
	})
}

var errEnough = errors.New("enough")

// follow reads on until stop is called.
func (d *desk) follow(req LogsRequest) (stop func() error) {
	ctx, cancel := context.WithCancel(d.Context())
	ended := make(chan error, 1)
	req.Follow = true
	go func() { ended <- d.read(ctx, req) }()
	later(logsInterval / 2) // each call takes a moment
	synctest.Wait()
	return func() error { cancel(); return <-ended }
}

// wants compares all that was handed over.
func (d *desk) wants(want ...string) {
	d.Helper()
	if !slices.Equal(d.told, want) {
		d.Errorf("told was\n%s\nwant\n%s", strings.Join(d.told, "\n"), strings.Join(want, "\n"))
	}
}

func TestLogsAreOfAllContainersInTheOrderOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		old := d.make("web-old", "web")
		fresh := d.make("web", "web")
		d.make("api", "api")
		d.writes(old, "1")
		d.writes(fresh, "2")
		began := time.Now()
		d.writes(old, "3")
		d.writes(fresh, "4", "5")
		for _, tt := range []struct {
			req  LogsRequest
			want []string
		}{
			{LogsRequest{Name: "web", Tail: -1}, []string{"web-old: 1", "web: 2", "web-old: 3", "web: 4", "web: 5"}},
			{LogsRequest{Name: "web", Tail: 2}, []string{"web: 4", "web: 5"}},
			{LogsRequest{Name: "web", Tail: 0}, nil},
			{LogsRequest{Name: "web", Tail: math.MaxInt}, []string{"web-old: 1", "web: 2", "web-old: 3", "web: 4", "web: 5"}},
			{LogsRequest{Name: "web", Tail: -1, Since: began}, []string{"web-old: 3", "web: 4", "web: 5"}},
			{LogsRequest{Name: "web", Tail: 1, Since: time.Now()}, nil},
		} {
			d.told = nil
			if err := d.read(t.Context(), tt.req); err != nil {
				t.Error(err)
			}
			d.wants(append([]string{"[web-old web]"}, tt.want...)...)
		}
		if err := d.read(t.Context(), LogsRequest{Name: "nobody"}); !errors.Is(err, ErrNoSidecar) {
			t.Errorf("of nobody: %v", err)
		}
	})
}

func TestALogIsFollowedOverAReplacement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		old := d.make("web", "web")
		d.writes(old, "1", "2", "3")
		stop := d.follow(LogsRequest{Name: "web", Tail: 1})
		d.writes(old, "4")
		fresh := d.make("web-ab12", "web")
		d.writes(fresh, "5")
		d.writes(old, "6")
		d.engine.RemoveContainer(old, true)
		later(2 * logsInterval)
		if err := d.driver.Rename(t.Context(), fresh, "web"); err != nil {
			t.Fatal(err)
		}
		later(2 * logsInterval)
		d.writes(fresh, "7")
		if err := stop(); err != nil {
			t.Error(err)
		}
		d.wants("[web]", "web: 3", "web: 4", "[web web-ab12]", "web-ab12: 5", "web: 6", "[web-ab12]", "[web]", "web: 7")
	})
}

func TestALogIsFollowedOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		id := d.make("web", "web")
		d.writes(id, "1")
		stop := d.follow(LogsRequest{Name: "web", Tail: -1})
		d.engine.StopContainer(id)
		d.writes(id, "last words")
		if err := d.driver.Start(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		d.writes(id, "2", "3")
		if err := stop(); err != nil {
			t.Error(err)
		}
		d.wants("[web]", "web: 1", "web: last words", "web: 2", "web: 3")
	})
}

// Lines of one moment are told once each.
func TestLinesOfOneMomentAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		id := d.make("web", "web")
		for _, line := range []string{"1", "2", "3"} {
			d.engine.Writes(id, line)
		}
		stop := d.follow(LogsRequest{Name: "web", Tail: 2})
		d.engine.Writes(id, "4")
		synctest.Wait()
		if err := stop(); err != nil {
			t.Error(err)
		}
		d.wants("[web]", "web: 2", "web: 3", "web: 4")
	})
}

func TestALogThatIsFollowedWaitsForTheEngineAndForASidecar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		id := d.make("web", "web")
		stop := d.follow(LogsRequest{Name: "web", Tail: -1})
		d.engine.SetDown(true)
		later(3 * logsInterval)
		d.engine.SetDown(false)
		later(2 * logsInterval)
		d.writes(id, "1")
		d.engine.RemoveContainer(id, true)
		later(2 * logsInterval)
		d.writes(d.make("web", "web"), "2")
		later(2 * logsInterval)
		if err := stop(); err != nil {
			t.Error(err)
		}
		d.wants("[web]", "lost: true", "lost: false", "web: 1", "[]", "[web]", "web: 2")
		d.engine.SetDown(true)
		if err := d.read(t.Context(), LogsRequest{Name: "web", Follow: true}); !errors.Is(err, reconcile.ErrEngineUnavailable) {
			t.Errorf("an engine that is away at the start: %v", err)
		}
	})
}

func TestWhoeverTakesALogMayStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		id := d.make("web", "web")
		stop := d.follow(LogsRequest{Name: "web", Tail: -1})
		d.writes(id, "1", "stop", "2")
		if err := stop(); !errors.Is(err, errEnough) {
			t.Error(err)
		}
		d.wants("[web]", "web: 1")
		if err := d.read(t.Context(), LogsRequest{Name: "web", Tail: -1}); !errors.Is(err, errEnough) {
			t.Error(err)
		}
	})
}
