package dockerdriver

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"credproxy.dev/controller/pkg/reconcile"
)

// logged is what a driver writes to its log.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) warnings() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), "level=WARN")
}

// brief is an option for tests in which something hangs, and one for those that read the log.
func brief(o *Options) { o.CallTimeout = 100 * time.Millisecond }

func (l *logged) take(o *Options) { o.Logger = slog.New(slog.NewTextHandler(l, nil)) }

func answers(status int, body any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, status, body) }
}

func look(t *testing.T, d *Driver) *reconcile.Observation {
	t.Helper()
	o, err := d.Observe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestWhatClaimsToBeOursAndCannotBeInspectedIsUnclear(t *testing.T) {
	broken := answers(http.StatusInternalServerError, failure("layer is damaged"))
	for name, spoil := range map[string]func(*fakeEngine){
		"it fails":      func(f *fakeEngine) { f.on("GET /containers/c1/json", broken) },
		"it hangs":      func(f *fakeEngine) { f.on("GET /containers/c1/json", hang) },
		"it breaks off": func(f *fakeEngine) { f.on("GET /containers/c1/json", hangUp) },
		"its image cannot be inspected": func(f *fakeEngine) {
			f.answer("GET /containers/c1/json", http.StatusOK, fields{"Id": "c1", "Image": "i1", "Config": fields{"Labels": map[string]string{
				LabelInstance: "default", LabelName: "web"}}})
			f.on("GET /images/i1/json", broken)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeEngine(t)
			f.sidecarOn("exited")
			spoil(f)
			d := f.driver(brief)
			o := look(t, d)
			if len(o.Sidecars)+len(o.Others) != 0 || !mentions(o.Unclear["web"], "cred-proxy-web", "docker inspect") {
				t.Fatalf("got %+v", o)
			}
			d.records["c1"].failed.until = time.Now().Add(time.Hour)
			asked := f.times("GET /containers/c1/json")
			if o := look(t, d); o.Unclear["web"] == nil || f.times("GET /containers/c1/json") != asked {
				t.Errorf("it is asked about again at once: %+v", o)
			}
			f.sidecarOn("exited")
			d.records["c1"].failed.until = time.Now()
			if o := look(t, d); len(o.Sidecars) != 1 || o.Unclear != nil {
				t.Errorf("mended, it is seen as %+v", o)
			}
		})
	}
}

func TestAChangeIsReasonToInspectAgainWhatCouldNotBe(t *testing.T) {
	for name, change := range map[string]func(*fakeEngine, *Driver){
		"in the list":   func(f *fakeEngine, _ *Driver) { f.sidecarOn("dead") },
		"by an event":   func(_ *fakeEngine, d *Driver) { d.marks.put("c1") },
		"all forgotten": func(_ *fakeEngine, d *Driver) { d.Forget() },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeEngine(t)
			f.sidecarOn("exited")
			f.on("GET /containers/c1/json", answers(http.StatusInternalServerError, failure("damaged")))
			d := f.driver()
			look(t, d)
			d.records["c1"].failed.until = time.Now().Add(time.Hour)
			f.sidecarOn("exited")
			change(f, d)
			if o := look(t, d); len(o.Sidecars) != 1 {
				t.Errorf("got %+v", o)
			}
		})
	}
}

// stranger makes the fake have one more container, f1, on a network.
func (f *fakeEngine) stranger(network string, inspect http.HandlerFunc) {
	f.answer("GET /networks", http.StatusOK, []fields{{"Id": "n1", "Name": network}})
	f.answer("GET /containers/json", http.StatusOK, []fields{{"Id": "f1", "Names": []string{"/agent"}, "State": "running",
		"NetworkSettings": fields{"Networks": fields{network: fields{"NetworkID": "n1", "EndpointID": "e1"}}}}})
	f.on("GET /containers/f1/json", inspect)
}

func TestAForeignContainerThatCannotBeInspectedStopsNothing(t *testing.T) {
	for name, inspect := range map[string]http.HandlerFunc{
		"it fails": answers(http.StatusInternalServerError, failure("damaged")), "it hangs": hang,
	} {
		t.Run(name, func(t *testing.T) {
			f, log := newFakeEngine(t), &logged{}
			f.stranger("theirs", inspect)
			d := f.driver(brief, log.take)
			for range 2 {
				o := look(t, d)
				if len(o.Others) != 1 || o.Others[0].Name != "agent" || len(o.Others[0].Endpoints) != 1 || o.Unclear != nil {
					t.Fatalf("got %+v", o)
				}
				d.records["f1"].failed.until = time.Now()
			}
			if n := log.warnings(); n != 1 {
				t.Errorf("%d warnings", n)
			}
			f.stranger("theirs", answers(http.StatusOK, fields{"Id": "f1", "NetworkSettings": fields{"Networks": fields{
				"theirs": fields{"Aliases": []string{"cred-proxy"}}}}}))
			if o := look(t, d); !slices.Equal(o.Others[0].Endpoints[0].Aliases, []string{"cred-proxy"}) {
				t.Errorf("mended, it is seen as %+v", o.Others[0])
			}
			asked := f.times("GET /containers/f1/json")
			if look(t, d); f.times("GET /containers/f1/json") != asked {
				t.Error("settled, it is inspected again")
			}
		})
	}
}

func TestManyInspectionsThatHangAreAllGivenUp(t *testing.T) {
	f := newFakeEngine(t)
	f.answer("GET /networks", http.StatusOK, []fields{})
	var listed []fields
	for i := range 5 * inspectAtOnce {
		id := fmt.Sprint("c", i)
		listed = append(listed, fields{"Id": id, "Names": []string{"/" + id}, "State": "exited",
			"Labels": map[string]string{LabelInstance: "default", LabelName: id}})
		f.on("GET /containers/"+id+"/json", hang)
	}
	f.answer("GET /containers/json", http.StatusOK, listed)
	if o := look(t, f.driver(brief)); len(o.Unclear) != len(listed) || len(o.Sidecars)+len(o.Others) != 0 {
		t.Errorf("got %+v", o)
	}
}

func TestAnEngineThatGoesWhileItIsLookedAtLeavesNoObservation(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("exited")
	gone := answers(http.StatusServiceUnavailable, failure("stopping"))
	f.on("GET /containers/c1/json", func(w http.ResponseWriter, r *http.Request) {
		f.on("HEAD /_ping", gone)
		f.on("GET /_ping", gone)
		gone(w, r)
	})
	if o, err := f.driver().Observe(t.Context()); o != nil || !errors.Is(err, reconcile.ErrEngineUnavailable) {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestPausesBetweenAttemptsToInspectGrow(t *testing.T) {
	p := &pass{Driver: newFakeEngine(t).driver()}
	for name, c := range map[string]struct {
		took time.Duration
		want []time.Duration
	}{
		"a refusal":   {time.Millisecond, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}},
		"no answer":   {5 * time.Second, []time.Duration{20 * time.Second, 40 * time.Second, time.Minute, time.Minute}},
		"a slow host": {time.Hour, []time.Duration{time.Minute, time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			var old *record
			for _, want := range c.want {
				r := &record{}
				p.fail(r, old, container.Summary{ID: "c1"}, c.took, errors.New("damaged"))
				if r.failed.pause != want {
					t.Errorf("got %v, want %v", r.failed.pause, want)
				}
				old = r
			}
		})
	}
}

func TestWhereNamesResolve(t *testing.T) {
	d := newFakeEngine(t).driver()
	p := &pass{Driver: d, networks: d.newNetworkTable([]network.Summary{
		{ID: "n0", Name: "bridge"}, {ID: "n1", Name: "theirs"}, {ID: "n2", Name: "inside", Internal: true},
	})}
	for name, c := range map[string]struct {
		key, id string
		want    bool
	}{
		"the default bridge":              {"bridge", "n0", false},
		"the default bridge, never run":   {"default", "", false},
		"the host's":                      {"host", "h1", false},
		"none":                            {"none", "", false},
		"Podman's default":                {"podman", "podman", false},
		"one that somebody made":          {"theirs", "n1", true},
		"an internal one":                 {"inside", "n2", true},
		"one called by its ID, never run": {"n1", "", true},
		"one that is gone":                {"gone", "n9", true},
	} {
		t.Run(name, func(t *testing.T) {
			listed := container.Summary{NetworkSettings: &container.NetworkSettingsSummary{
				Networks: map[string]*network.EndpointSettings{c.key: {NetworkID: c.id}}}}
			if got := p.mayHaveAliases(listed); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
	if p.mayHaveAliases(container.Summary{}) {
		t.Error("one on no network has no names")
	}
}

func TestOnlyASidecarThatStillRunsIsMissedWhenItIsNotHeard(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(*fakeEngine)
		want      int
	}{
		"it was removed": {func(f *fakeEngine) { f.answer("GET /containers/c1/json", http.StatusNotFound, failure("gone")) }, 0},
		"it ended":       {func(f *fakeEngine) { f.sidecarOn("exited") }, 0},
		"it runs":        {func(*fakeEngine) {}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f, log := newFakeEngine(t), &logged{}
			f.sidecarOn("running")
			f.on("POST /containers/c1/attach", func(w http.ResponseWriter, _ *http.Request) {
				c.meanwhile(f)
				reply(w, http.StatusNotFound, failure("no such container"))
			})
			look(t, f.driver(log.take))
			if n := log.warnings(); n != c.want {
				t.Errorf("%d warnings: %s", n, log.text.String())
			}
		})
	}
}

func TestAnAttachmentThatHangsIsGivenUp(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("running")
	hold := make(chan struct{})
	defer close(hold)
	f.on("POST /containers/c1/attach", func(http.ResponseWriter, *http.Request) { <-hold })
	if o := look(t, f.driver(brief)); len(o.Sidecars) != 1 || o.Sidecars[0].Report != nil {
		t.Errorf("got %+v", o)
	}
}

func TestASidecarThatTheEngineKeepsRestartingIsNotRunning(t *testing.T) {
	f := newFakeEngine(t)
	f.answer("POST /containers/c1/attach", http.StatusConflict, failure("container c1 is restarting"))
	f.answer("GET /containers/c1/json", http.StatusOK, fields{"Id": "c1", "RestartCount": 2, "State": fields{"Status": "running", "Running": true}})
	if _, err := f.driver().WaitReady(t.Context(), "c1", 1); !errors.Is(err, reconcile.ErrNotRunning) {
		t.Errorf("got %v", err)
	}
}
