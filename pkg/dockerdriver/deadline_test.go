package dockerdriver

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// Each call of an engine that takes a request and never answers ends by itself: the caller's context has no end.
func TestEveryCallHasADeadline(t *testing.T) {
	const c1 = "/containers/c1"
	for request, call := range map[string]func(context.Context, *Driver) error{
		"GET /containers/json":         func(ctx context.Context, d *Driver) error { _, err := d.Observe(ctx); return err },
		"GET /networks":                ensureNetwork,
		"POST /networks/create":        ensureNetwork,
		"GET /networks/n1":             func(ctx context.Context, d *Driver) error { return d.RemoveNetwork(ctx, "n1") },
		"POST /networks/n1/connect":    func(ctx context.Context, d *Driver) error { return d.Connect(ctx, "c1", "n1") },
		"POST /networks/n1/disconnect": func(ctx context.Context, d *Driver) error { return d.Disconnect(ctx, "c1", "n1") },
		"GET /images/custom:1/json":    func(ctx context.Context, d *Driver) error { _, err := d.EnsureImage(ctx, "custom:1"); return err },
		"POST /build":                  func(ctx context.Context, d *Driver) error { _, err := d.EnsureImage(ctx, ""); return err },
		"POST /containers/create": func(ctx context.Context, d *Driver) error {
			_, err := d.Create(ctx, reconcile.CreateRequest{})
			return err
		},
		"POST " + c1 + "/attach": func(ctx context.Context, d *Driver) error { return d.Start(ctx, "c1") },
		"PUT " + c1 + "/archive": copyRoutes,
		"POST " + c1 + "/update": func(ctx context.Context, d *Driver) error { return d.Update(ctx, "c1", spec.Resources{}) },
		"POST " + c1 + "/rename": func(ctx context.Context, d *Driver) error { return d.Rename(ctx, "c1", "web") },
		"DELETE " + c1:           func(ctx context.Context, d *Driver) error { return d.Remove(ctx, "c1") },
		"DELETE /volumes/v1":     func(ctx context.Context, d *Driver) error { return d.RemoveVolume(ctx, "v1") },
		"GET /events":            func(ctx context.Context, d *Driver) error { return d.Watch(ctx, func(reconcile.Change) {}) },
		"HEAD /_ping":            func(ctx context.Context, d *Driver) error { return d.Ping(ctx) },
		"GET /info":              func(ctx context.Context, d *Driver) error { _, err := d.EngineID(ctx); return err },
	} {
		t.Run(request, func(t *testing.T) {
			f, over := newFakeEngine(t), make(chan struct{})
			t.Cleanup(func() { close(over) }) // before the engine's own end, which waits for its handlers
			f.answer("GET /networks", http.StatusOK, []any{})
			if request == "POST "+c1+"/attach" { // whether it is there decides what is said
				f.answer("GET "+c1+"/json", http.StatusOK, fields{"Id": "c1"})
			}
			f.on(request, func(http.ResponseWriter, *http.Request) { <-over })
			d := f.driver(brief, func(o *Options) {
				o.Image.Binary = func(string) ([]byte, error) { return []byte("binary"), nil }
			})
			ended := make(chan error, 1)
			go func() { ended <- call(context.WithoutCancel(t.Context()), d) }()
			select {
			case err := <-ended:
				if !errors.Is(err, reconcile.ErrEngineUnavailable) {
					t.Errorf("got %v", err)
				}
			case <-time.After(time.Minute):
				t.Error("the call is still waited for")
			}
			if !f.was(request) {
				t.Error("the engine was not asked")
			}
		})
	}
}

func ensureNetwork(ctx context.Context, d *Driver) error {
	_, err := d.EnsureNetwork(ctx, reconcile.NetworkRequest{Name: "web", SpecName: "web"})
	return err
}

func copyRoutes(ctx context.Context, d *Driver) error {
	return d.CopyRoutes(ctx, "c1", []routetable.File{{Name: "routes.json", Mode: 0o600, Data: []byte("{}")}})
}
