package dockerdriver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

func TestAnEngineThatCannotBeAsked(t *testing.T) {
	for name, c := range map[string]struct {
		host string
		on   func(*fakeEngine)
	}{
		"is not there":  {host: "tcp://127.0.0.1:1"},
		"has no socket": {host: "unix:///nonexistent/docker.sock"},
		"never answers": {host: unanswering(t)},
		"is not available": {on: func(f *fakeEngine) {
			f.answer("GET /containers/json", http.StatusServiceUnavailable, failure("starting"))
		}},
		"breaks off its answer": {on: func(f *fakeEngine) { f.on("GET /containers/json", hangUp) }},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeEngine(t)
			if c.on != nil {
				c.on(f)
			}
			d := f.driver(func(o *Options) {
				o.CallTimeout = 100 * time.Millisecond
				if c.host != "" {
					o.DockerHost = c.host
				}
			})
			if _, err := d.Observe(t.Context()); !errors.Is(err, reconcile.ErrEngineUnavailable) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// hangUp begins an answer and does not end it.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `[{"Id":`)
}

func TestACallerThatLeavesIsNotAFailureOfTheEngine(t *testing.T) {
	d := newFakeEngine(t).driver()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Observe(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, reconcile.ErrEngineUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestTheAPIVersionIsNegotiatedOnceTheEngineAnswers(t *testing.T) {
	f := newFakeEngine(t)
	f.answer("HEAD /_ping", http.StatusServiceUnavailable, nil)
	f.answer("GET /_ping", http.StatusServiceUnavailable, failure("starting"))
	d := f.driver()
	if err := d.Ping(t.Context()); !errors.Is(err, reconcile.ErrEngineUnavailable) {
		t.Fatalf("got %v", err)
	}
	f.answer("HEAD /_ping", http.StatusOK, nil)
	if err := d.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := d.docker.ClientVersion(); got != "1.41" {
		t.Errorf("got %s", got)
	}
}

func TestRefusalsHaveKinds(t *testing.T) {
	const id = "c1"
	create := func(d *Driver) error {
		_, err := d.Create(t.Context(), reconcile.CreateRequest{ContainerName: "cred-proxy-web", ImageID: "i1",
			Env: map[string]reconcile.Token{"CRED_PROXY_TOKEN_1": reconcile.NewToken("s3cret")}})
		return err
	}
	for name, c := range map[string]struct {
		request string
		status  int
		message string
		do      func(*Driver) error
		want    error
		words   []string
	}{
		"Docker: the name is taken": {"POST /containers/create", 409, `The container name "/cred-proxy-web" is already in use`, create,
			reconcile.ErrNameConflict, []string{"cred-proxy-web", "docker ps"}},
		"Podman: the name is taken": {"POST /containers/create", 500, `the container name "cred-proxy-web" is already in use by 12`, create,
			reconcile.ErrNameConflict, []string{"cred-proxy-web"}},
		"create: neither image nor network are missing by name": {"POST /containers/create", 404, "No such image: i1", create,
			reconcile.ErrImageUnavailable, []string{"No such image"}},
		"signal: it does not run": {"POST /containers/c1/kill", 409, "Container c1 is not running",
			func(d *Driver) error { return d.signal(t.Context(), id, "SIGHUP") }, reconcile.ErrNotRunning, []string{"SIGHUP"}},
		"Podman, signal: it does not run": {"POST /containers/c1/kill", 500, "can only kill running containers",
			func(d *Driver) error { return d.signal(t.Context(), id, "SIGHUP") }, reconcile.ErrNotRunning, nil},
		"remove: busy": {"DELETE /containers/c1", 500, "device or resource busy",
			func(d *Driver) error { return d.Remove(t.Context(), id) }, nil, []string{"busy", "docker rm -f c1"}},
		"update: too little": {"POST /containers/c1/update", 400, "Minimum memory limit allowed is 6MB",
			func(d *Driver) error { return d.Update(t.Context(), id, spec.Resources{}) }, nil, []string{"Minimum memory"}},
		"network: no address is left": {"POST /networks/create", 500, "could not find an available, non-overlapping IPv4 address pool",
			func(d *Driver) error {
				_, err := d.EnsureNetwork(t.Context(), reconcile.NetworkRequest{Name: "n"})
				return err
			}, nil, []string{"create network n", "address pool"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeEngine(t)
			f.answer("GET /networks", http.StatusOK, []fields{})
			f.answer(c.request, c.status, failure(c.message))
			err := c.do(f.driver())
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !mentions(err, c.words...) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWhatAnEngineDidNotFindIsSaidOnce(t *testing.T) {
	f := newFakeEngine(t)
	f.answer("POST /containers/c1/update", http.StatusNotFound, failure("container c1 not found"))
	err := f.driver().Update(t.Context(), "c1", spec.Resources{})
	if !errors.Is(err, reconcile.ErrNotFound) || strings.Count(err.Error(), "not found") != 1 {
		t.Errorf("got %v", err)
	}
}

func TestARemovalUnderWayIsWaitedFor(t *testing.T) {
	f := newFakeEngine(t)
	f.answer("DELETE /containers/c1", http.StatusConflict, failure("removal of container c1 is already in progress"))
	f.answer("GET /containers/c1/json", http.StatusOK, fields{"Id": "c1", "State": fields{"Status": "removing"}})
	gone := make(chan struct{})
	f.on("POST /containers/c1/wait", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("condition") != "removed" {
			t.Errorf("it waits for %q", r.URL.RawQuery)
		}
		<-gone
		reply(w, http.StatusOK, fields{"StatusCode": 137})
	})
	d := f.driver()
	done := make(chan error, 1)
	go func() { done <- d.Remove(t.Context(), "c1") }()
	soon(t, "it waits", func() bool { return f.was("POST /containers/c1/wait") })
	close(gone)
	if err := <-done; err != nil {
		t.Errorf("got %v", err)
	}
}

func TestAHostWithoutIPv6(t *testing.T) {
	f := newFakeEngine(t)
	f.attached(func(_, _ io.Writer) {})
	f.answer("POST /containers/c1/start", http.StatusBadRequest,
		failure("OCI runtime create failed: open /proc/sys/net/ipv6/conf/all/forwarding: no such file or directory"))
	d := f.driver()
	if sysctls := d.hostConfig(reconcile.CreateRequest{}, "").Sysctls; sysctls[sysctlForward6] != "0" {
		t.Errorf("got %v", sysctls)
	}
	if err := d.Start(t.Context(), "c1"); !mentions(err, "IPv6", "next attempt") {
		t.Errorf("got %v", err)
	}
	sysctls := d.hostConfig(reconcile.CreateRequest{}, "").Sysctls
	if _, still := sysctls[sysctlForward6]; still || sysctls[sysctlForward4] != "0" {
		t.Errorf("got %v", sysctls)
	}
}

func TestABuildThatFailsSaysWhy(t *testing.T) {
	f := newFakeEngine(t)
	f.answer("GET /version", http.StatusOK, fields{"Arch": "arm64"})
	f.on("POST /build", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"stream":"Step 1/5"}`+"\n"+`{"error":"no space left on device"}`+"\n")
	})
	var asked string
	d := f.driver(func(o *Options) {
		o.Image.Binary = func(arch string) ([]byte, error) { asked = arch; return []byte("program"), nil }
	})
	if _, err := d.EnsureImage(t.Context(), ""); !errors.Is(err, reconcile.ErrImageUnavailable) || !mentions(err, "no space left") {
		t.Errorf("got %v", err)
	}
	if asked != "arm64" {
		t.Errorf("it was built for %q", asked)
	}
}

func TestImagesThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		image Image
		ref   string
		words []string
	}{
		"carries none":         {Image{}, "", []string{"--image"}},
		"has no binary":        {Image{Binary: func(string) ([]byte, error) { return nil, errors.New("run make build") }}, "", []string{"make build"}},
		"is not on the engine": {Image{}, "example.org/own:1", []string{"docker pull example.org/own:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeEngine(t)
			f.answer("GET /version", http.StatusOK, fields{"Arch": "amd64"})
			d := f.driver(func(o *Options) { o.Image = c.image })
			if _, err := d.EnsureImage(t.Context(), c.ref); !errors.Is(err, reconcile.ErrImageUnavailable) || !mentions(err, c.words...) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Two controllers that begin at once on an engine without the image both build it, and the tag is the later one's.
func TestAnImageThatIsThereKeepsItsIDWhoeverTakesTheTag(t *testing.T) {
	f := newFakeEngine(t)
	f.answer("GET /version", http.StatusOK, fields{"Arch": "amd64"})
	d := f.driver()
	d.opts.Image = Image{Dockerfile: []byte("FROM scratch"), Binary: func(string) ([]byte, error) { return []byte("program"), nil }}
	tag := imageTag([]byte("FROM scratch"), []byte("program"))
	f.answer("GET /images/"+tag+"/json", http.StatusOK, fields{"Id": "sha256:mine"})
	f.answer("GET /images/sha256:mine/json", http.StatusOK, fields{"Id": "sha256:mine"})
	own := func(want string) {
		t.Helper()
		if id, err := d.EnsureImage(t.Context(), ""); err != nil || id != want {
			t.Errorf("got %s, %v, want %s", id, err, want)
		}
	}
	own("sha256:mine")
	f.answer("GET /images/"+tag+"/json", http.StatusOK, fields{"Id": "sha256:theirs"})
	own("sha256:mine")
	f.answer("GET /images/sha256:mine/json", http.StatusNotFound, failure("no such image"))
	own("sha256:theirs")
	for _, id := range []string{"sha256:mine", "sha256:theirs"} {
		if labels := d.config(reconcile.CreateRequest{ImageID: id}).Labels; labels[LabelImage] != tag {
			t.Errorf("a container of %s has the labels %v", id, labels)
		}
	}
	if labels := d.config(reconcile.CreateRequest{ImageID: "sha256:other"}).Labels; labels[LabelImage] != "" {
		t.Errorf("a container of another image has the labels %v", labels)
	}
}
