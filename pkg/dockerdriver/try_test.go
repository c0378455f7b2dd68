package dockerdriver

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// trialEngine is a fake on which throw-away containers can be made. They say what speak writes.
type trialEngine struct {
	*fakeEngine
	speak func(stdout, stderr io.Writer)

	mu      sync.Mutex
	name    string // of the container
	created createBody
	removed []string
}

type createBody struct {
	container.Config
	HostConfig       container.HostConfig
	NetworkingConfig struct{ EndpointsConfig map[string]any }
}

func newTrialEngine(t *testing.T) *trialEngine {
	e := &trialEngine{fakeEngine: newFakeEngine(t)}
	e.answer("GET /networks", http.StatusOK, []fields{{"Id": "n0", "Name": "web-internal-2"}, {"Id": "n1", "Name": "web-internal"}})
	e.answer("GET /containers/json", http.StatusOK, []fields{})
	e.on("POST /containers/create", func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.name = r.URL.Query().Get("name")
		if err := json.NewDecoder(r.Body).Decode(&e.created); err != nil {
			t.Error(err)
		}
		e.on("POST /containers/"+e.name+"/attach", e.attach)
		e.answer("POST /containers/"+e.name+"/start", http.StatusNoContent, nil)
		e.on("DELETE /containers/"+e.name, e.remove)
		reply(w, http.StatusCreated, fields{"Id": "c9"})
	})
	return e
}

func (e *trialEngine) attach(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		e.t.Error(err)
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	e.speak(stdcopy.NewStdWriter(conn, stdcopy.Stdout), stdcopy.NewStdWriter(conn, stdcopy.Stderr))
}

func (e *trialEngine) remove(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.removed = append(e.removed, r.URL.Query().Get("force")+r.URL.Query().Get("v"))
	reply(w, http.StatusNoContent, nil)
}

// gone fails the test unless the container was removed, and its volumes with it.
func (e *trialEngine) gone() {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Equal(e.removed, []string{"11"}) {
		e.t.Errorf("the container was removed %d times: %v", len(e.removed), e.removed)
	}
}

func tryRequest() reconcile.TryRequest {
	return reconcile.TryRequest{ImageID: "sha256:i", Network: "web-internal", Method: "HEAD", URL: "http://cred-proxy:9099/r", Timeout: 24 * time.Second}
}

func TestATrialIsShutInAndGoesAway(t *testing.T) {
	e := newTrialEngine(t)
	want := routetable.Trial{Status: 200, Route: "/r", Credential: "added", Length: 2}
	e.speak = func(stdout, _ io.Writer) { _, _ = stdout.Write(want.Line()) }
	key := reconcile.NewToken("the-callers-key")
	req := tryRequest()
	req.Key, req.KeyHeader = &key, "X-My-Key"
	got, err := e.driver().Try(t.Context(), req)
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	e.gone()
	c, host := e.created.Config, e.created.HostConfig
	if !slices.Equal(c.Cmd, []string{"try", "-X", "HEAD", "-timeout", "24s", "-key-header", "X-My-Key", "http://cred-proxy:9099/r"}) ||
		!slices.Equal(c.Env, []string{"CRED_PROXY_TRY_KEY=the-callers-key"}) || c.User != "65532:65532" || c.Image != "sha256:i" || len(c.Entrypoint) > 0 {
		t.Errorf("its process is %+v", c)
	}
	if len(c.Labels) != 1 || c.Labels[LabelTry] != "default" {
		t.Errorf("its labels are %v", c.Labels)
	}
	if !host.AutoRemove || !host.ReadonlyRootfs || !slices.Equal(host.CapDrop, []string{"ALL"}) || !slices.Contains(host.SecurityOpt, "no-new-privileges") ||
		host.Memory == 0 || host.PidsLimit == nil || len(host.Mounts)+len(host.Binds)+len(host.PortBindings) > 0 || host.RestartPolicy.Name != "" || host.LogConfig.Type != "none" {
		t.Errorf("its host configuration is %+v", host)
	}
	if host.NetworkMode != "n1" || len(e.created.NetworkingConfig.EndpointsConfig) != 1 {
		t.Errorf("its networks are %v, %v", host.NetworkMode, e.created.NetworkingConfig)
	}
}

// However a trial ends, its container goes.
func TestAFailedTrialLeavesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		speak  func(*trialEngine, context.CancelFunc) func(stdout, stderr io.Writer)
		change func(*trialEngine)
		words  string
	}{
		"it says nothing": {words: "did not say what came of the request"},
		"it says something else": {words: "flag provided but not defined", speak: func(*trialEngine, context.CancelFunc) func(_, _ io.Writer) {
			return func(stdout, stderr io.Writer) {
				_, _ = io.WriteString(stdout, `{"event":"ready"}`+"\n")
				_, _ = io.WriteString(stderr, "flag provided but not defined\x1b[2J\n")
			}
		}},
		"it floods": {words: "did not say what came", speak: func(*trialEngine, context.CancelFunc) func(_, _ io.Writer) {
			return func(stdout, _ io.Writer) {
				for range 1000 {
					if _, err := io.WriteString(stdout, strings.Repeat("x", 1<<10)); err != nil {
						return
					}
				}
			}
		}},
		"it is interrupted": {words: "context canceled", speak: func(e *trialEngine, interrupt context.CancelFunc) func(_, _ io.Writer) {
			return func(_, _ io.Writer) {
				interrupt()
				soon(e.t, "the container is removed", func() bool {
					e.mu.Lock()
					defer e.mu.Unlock()
					return len(e.removed) > 0
				})
			}
		}},
		"it does not start": {words: "broken", change: func(e *trialEngine) {
			create := e.routes["POST /containers/create"]
			e.on("POST /containers/create", func(w http.ResponseWriter, r *http.Request) {
				create(w, r)
				e.answer("POST /containers/"+r.URL.Query().Get("name")+"/start", http.StatusInternalServerError, failure("broken"))
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newTrialEngine(t)
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			e.speak = func(_, _ io.Writer) {}
			if tt.speak != nil {
				e.speak = tt.speak(e, interrupt)
			}
			if tt.change != nil {
				tt.change(e)
			}
			_, err := e.driver().Try(ctx, tryRequest())
			if err == nil || !strings.Contains(err.Error(), tt.words) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("the error is %v", err)
			}
			e.gone()
		})
	}
}

// A container that was made although the call failed goes too, and the engine's words do not repeat the key.
func TestATrialThatCannotBeMade(t *testing.T) {
	e := newTrialEngine(t)
	e.on("POST /containers/create", func(w http.ResponseWriter, r *http.Request) {
		e.on("DELETE /containers/"+r.URL.Query().Get("name"), e.remove)
		reply(w, http.StatusInternalServerError, failure("what is the-callers-key?"))
	})
	key := reconcile.NewToken("the-callers-key")
	req := tryRequest()
	req.Key = &key
	if _, err := e.driver().Try(t.Context(), req); err == nil || strings.Contains(err.Error(), "callers") {
		t.Errorf("the error is %v", err)
	}
	e.gone()
	req.Network = "nowhere"
	if _, err := e.driver().Try(t.Context(), req); !errors.Is(err, reconcile.ErrNetworkNotFound) || !strings.Contains(err.Error(), "--docker-host") {
		t.Errorf("the error is %v", err)
	}
}

func TestAHostWithoutIPv6IsTriedAgainWithout(t *testing.T) {
	e := newTrialEngine(t)
	e.speak = func(stdout, _ io.Writer) { _, _ = stdout.Write(routetable.Trial{Status: 200}.Line()) }
	create := e.routes["POST /containers/create"]
	e.on("POST /containers/create", func(w http.ResponseWriter, r *http.Request) {
		create(w, r)
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.created.HostConfig.Sysctls[sysctlForward6] != "" {
			e.answer("POST /containers/"+e.name+"/start", http.StatusInternalServerError, failure(sysctlForward6+": no such file"))
		}
		e.created = createBody{}
	})
	if got, err := e.driver().Try(t.Context(), tryRequest()); err != nil || got.Status != 200 {
		t.Errorf("%+v, %v", got, err)
	}
}

// What a killed process left is cleared away, and nothing else.
func TestWhatAKilledTrialLeftIsClearedAway(t *testing.T) {
	e := newTrialEngine(t)
	e.speak = func(stdout, _ io.Writer) { _, _ = stdout.Write(routetable.Trial{Status: 200}.Line()) }
	old, young := time.Now().Add(-time.Hour).Unix(), time.Now().Unix()
	left := func(id, name, state, instance string, created int64) fields {
		e.answer("DELETE /containers/"+id, http.StatusNoContent, nil)
		return fields{"Id": id, "Names": []string{"/" + name}, "State": state, "Created": created, "Labels": map[string]string{LabelTry: instance}}
	}
	e.answer("GET /containers/json", http.StatusOK, []fields{
		left("stale", "credproxy-try-a", "created", "default", old),
		left("young", "credproxy-try-b", "created", "default", young),
		left("running", "credproxy-try-c", "running", "default", old),
		left("theirs", "credproxy-try-d", "exited", "another", old),
		left("stranger", "postgres", "exited", "default", old), // with a label from its image
	})
	if _, err := e.driver().Try(t.Context(), tryRequest()); err != nil {
		t.Error(err)
	}
	for id, want := range map[string]bool{"stale": true, "young": false, "running": false, "theirs": false, "stranger": false} {
		if e.was("DELETE /containers/"+id) != want {
			t.Errorf("%s is removed: %v", id, !want)
		}
	}
}
