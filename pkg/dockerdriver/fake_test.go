package dockerdriver

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/pkg/stdcopy"
	"github.com/prometheus/client_golang/prometheus"
)

// fakeEngine answers single requests as an engine would. What a test does not say is 404.
type fakeEngine struct {
	t      *testing.T
	server *httptest.Server

	mu     sync.Mutex
	api    string                      // its newest version of the API
	routes map[string]http.HandlerFunc // by method and path without the API's version
	// forbidden is the status of everything but a ping, when it is set.
	forbidden int
	asked     []string
}

func newFakeEngine(t *testing.T) *fakeEngine {
	t.Helper()
	f := &fakeEngine{t: t, api: "1.41", routes: map[string]http.HandlerFunc{}}
	f.answer("HEAD /_ping", http.StatusOK, nil)
	f.answer("GET /version", http.StatusOK, fields{"Arch": "amd64"})
	f.answer("GET /volumes", http.StatusOK, fields{})
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	return f
}

// ServeHTTP implements http.Handler.
func (f *fakeEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request := r.Method + " " + regexp.MustCompile(`^/v1\.\d+`).ReplaceAllString(r.URL.Path, "")
	f.mu.Lock()
	handle, forbidden := f.routes[request], f.forbidden
	f.asked = append(f.asked, request)
	w.Header().Set("Api-Version", f.api)
	f.mu.Unlock()
	if forbidden != 0 && request != "HEAD /_ping" {
		reply(w, forbidden, nil)
		return
	}
	if handle == nil {
		reply(w, http.StatusNotFound, failure("no such thing"))
		return
	}
	handle(w, r)
}

// on says how a request is handled from now on.
func (f *fakeEngine) on(request string, handle http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.routes[request] = handle
}

// forbid makes everything but a ping be refused with a status, as a proxy before the engine does.
func (f *fakeEngine) forbid(status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forbidden = status
}

// answer says what a request gets from now on.
func (f *fakeEngine) answer(request string, status int, body any) {
	f.on(request, func(w http.ResponseWriter, _ *http.Request) { reply(w, status, body) })
}

// was reports whether a request was made.
func (f *fakeEngine) was(request string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.asked, request)
}

// times is how often a request was made.
func (f *fakeEngine) times(request string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, asked := range f.asked {
		if asked == request {
			n++
		}
	}
	return n
}

// hang leaves a request unanswered.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

type fields map[string]any

func failure(message string) fields { return fields{"message": message} }

// driver makes a driver of instance "default" on the fake.
func (f *fakeEngine) driver(change ...func(*Options)) *Driver {
	f.t.Helper()
	opts := Options{Instance: "default", DockerHost: "tcp://" + f.server.Listener.Addr().String(), Registerer: prometheus.NewRegistry()}
	for _, c := range change {
		c(&opts)
	}
	d, err := New(opts)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = d.Close() })
	return d
}

// attached answers an attachment to container c1, and hands the container's side of it to speak. The connection ends with speak.
func (f *fakeEngine) attached(speak func(stdout, stderr io.Writer)) {
	f.on("POST /containers/c1/attach", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			f.t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
		speak(stdcopy.NewStdWriter(conn, stdcopy.Stdout), stdcopy.NewStdWriter(conn, stdcopy.Stderr))
	})
}

// unanswering listens, accepts, and never answers.
func unanswering(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return "tcp://" + listener.Addr().String()
}

// sidecarOn makes the fake have one sidecar of spec "web", container c1, in a state.
func (f *fakeEngine) sidecarOn(state string) {
	const id = "c1"
	labels := map[string]string{LabelInstance: "default", LabelName: "web", LabelSpecHash: "v1:abc"}
	f.answer("GET /networks", http.StatusOK, []fields{})
	f.answer("GET /containers/json", http.StatusOK, []fields{{"Id": id, "Names": []string{"/cred-proxy-web"}, "State": state, "Labels": labels}})
	f.answer("GET /containers/"+id+"/json", http.StatusOK, fields{
		"Id": id, "Name": "/cred-proxy-web", "State": fields{"Status": state, "Running": state == "running", "StartedAt": "2020-01-01T00:00:00Z"},
		"Config": fields{"Labels": labels},
		"HostConfig": fields{"Mounts": []fields{{"Type": "volume", "Target": "/run/cred-proxy",
			"VolumeOptions": fields{"Labels": map[string]string{LabelInstance: "default", LabelName: "web"}}}}},
	})
}

// soon polls until something holds.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("still not so: %s", what)
		}
	}
}
