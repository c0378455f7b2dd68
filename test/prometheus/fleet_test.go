//go:build prometheus

package prometheus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/internal/buildinfo"
	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/dockerdriver"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// fleet is a real controller on an engine in memory, with environments of which some are as they should be, and some are not.
type fleet struct {
	t       *testing.T
	engine  *fakeengine.Engine
	specs   string
	address string
}

// startFleet runs one until the test ends.
func startFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{t: t, engine: fakeengine.New(time.Millisecond), specs: t.TempDir()}
	for name, text := range map[string]string{
		"web": environmentOf("web"), "open": environmentOf("open"), "claimed": environmentOf("claimed"), "shaky": environmentOf("shaky"),
		"waiting": strings.ReplaceAll(environmentOf("waiting"), "env: TOKEN", "env: MISSING"),
		"bad":     "kind: [", "twice": environmentOf("twice"), "twice-too": environmentOf("twice"),
	} {
		f.declare(name, text)
	}
	f.run()
	return f
}

func environmentOf(name string) string {
	return fmt.Sprintf(`apiVersion: credproxy.dev/v1alpha1
kind: CredProxy
metadata: {name: %[1]s}
spec:
  internalNetwork: %[1]s-internal
  egressNetwork: %[1]s-egress
  createNetworks: true
  routes:
  - {path: /api, upstream: "https://api.example.org", auth: {scheme: Bearer, tokenRef: {env: TOKEN}}}
  - {path: /vault, upstream: "https://vault.example.org", auth: {scheme: Bearer, tokenRef: {provider: brief, key: any}}}
`, name)
}

// plugin gives tokens that last for some seconds.
const plugin = `#!/bin/sh
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"any-token-of-%s","expirationTimestamp":"%s"}}' \
  "$(date +%s)" "$(date -u -d "@$(($(date +%s) + 6))" +%Y-%m-%dT%H:%M:%SZ)"
`

func (f *fleet) declare(name, text string) {
	f.t.Helper()
	write(f.t, filepath.Join(f.specs, name+".yaml"), text, 0o600)
}

func (f *fleet) run() {
	f.t.Helper()
	dir := f.t.TempDir()
	write(f.t, filepath.Join(dir, "plugin"), plugin, 0o700)
	providers := filepath.Join(dir, "providers.yaml")
	write(f.t, providers, fmt.Sprintf(`apiVersion: credproxy.dev/v1alpha1
kind: TokenProviders
providers: [{name: brief, refreshBefore: 2s, exec: {command: %s}}]
`, filepath.Join(dir, "plugin")), 0o600)
	ctx, stop := context.WithCancel(f.t.Context())
	addresses, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- app.Run(ctx, app.Options{
			Specs: f.specs, Instance: "fleet", NamePrefix: "cred-proxy", StateDir: f.t.TempDir(), Workers: 2,
			TokenEnv: []string{"TOKEN", "MISSING"}, TokenProviders: providers,
			LookupEnv: func(name string) (string, bool) {
				if name == "TOKEN" {
					return "any-token-of-a-variable", true
				}
				return os.LookupEnv(name)
			},
			Resync: time.Second, DeepResync: time.Minute, ReadyTimeout: time.Minute, Listen: "127.0.0.1:0", Build: buildinfo.Read(),
			Log: slog.New(slog.DiscardHandler), Listening: func(a net.Addr) { addresses <- a },
		}, app.Parts{Engine: f.makeEngine})
	}()
	f.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			f.t.Errorf("the controller did not end as it should: %v", err)
		}
	})
	select {
	case address := <-addresses:
		f.address = address.String()
	case err := <-ended:
		ended <- nil
		f.t.Fatalf("the controller did not start: %v", err)
	}
}

// engine is the one in memory, of which the real driver's calls are counted, too: they are made of a server that knows nothing.
type engine struct {
	*fakeengine.Driver
	docker *dockerdriver.Driver
}

func (f *fleet) makeEngine(o app.Options, reg prometheus.Registerer) (app.Engine, error) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Api-Version", "1.47")
		_, _ = io.WriteString(w, "{}")
	}))
	f.t.Cleanup(server.Close)
	docker, err := dockerdriver.New(dockerdriver.Options{
		Instance: o.Instance, DockerHost: "tcp://" + server.Listener.Addr().String(), CallTimeout: time.Minute, Registerer: reg,
	})
	return engine{f.engine.Driver(o.Instance), docker}, err
}

func (e engine) Observe(ctx context.Context) (*reconcile.Observation, error) {
	if err := e.docker.Ping(ctx); err != nil {
		return nil, err
	}
	return e.Driver.Observe(ctx)
}

func (e engine) Close() error { return e.docker.Close() }

func (engine) Examine(context.Context) reconcile.EngineFacts { return reconcile.EngineFacts{} }

func (engine) Try(context.Context, reconcile.TryRequest) (routetable.Trial, error) {
	return routetable.Trial{}, errors.New("nobody tries")
}

// write writes a file. It does not end the test, so that any goroutine may.
func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Error(err)
	}
}
