//go:build prometheus

package prometheus

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
)

// misuse opens one environment, and claims the sidecar's name in another, once their networks are there.
func (f *fleet) misuse() {
	f.await("the networks of open and claimed", func() bool {
		return f.network("open-internal") != "" && f.network("claimed-internal") != ""
	})
	f.engine.AddContainer(fakeengine.Foreign{
		Name: "intruder", Networks: map[string][]string{f.network("open-internal"): nil}, Reach: reconcile.Reach{Privileged: true},
	})
	f.engine.AddContainer(fakeengine.Foreign{Name: "impostor", Networks: map[string][]string{f.network("claimed-internal"): {"cred-proxy"}}})
}

// live has requests made, tokens rejected and a sidecar stopped, again and again until ctx ends; and now and then another
// environment declared.
func (f *fleet) live(ctx context.Context) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for beat := 0; ; beat++ {
		if id := f.serving("web"); id != "" {
			f.engine.UpstreamAnswers(id, "/api", http.StatusOK)
			f.engine.UpstreamAnswers(id, "/api", http.StatusUnauthorized)
			f.engine.UpstreamAnswers(id, "/vault", http.StatusInternalServerError)
			f.engine.Refuse(id, "/vault", http.StatusForbidden, "denied")
			f.engine.Refuse(id, "", http.StatusNotFound, "no_route")
			f.engine.InFlight(id, "/api", int64(beat%3))
		}
		if id := f.serving("shaky"); id != "" && beat%10 == 0 {
			f.engine.StopContainer(id)
		}
		if beat%50 == 5 && beat < 500 {
			f.declare(fmt.Sprintf("late-%d", beat), environmentOf(fmt.Sprintf("late-%d", beat)))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// serving is the ID of an environment's sidecar while it serves; otherwise empty.
func (f *fleet) serving(name string) string {
	for _, c := range f.engine.Snapshot().Containers {
		if c.SpecName() == name && c.State == reconcile.StateRunning {
			return c.ID
		}
	}
	return ""
}

func (f *fleet) network(name string) string {
	for _, n := range f.engine.Snapshot().Networks {
		if n.Name == name {
			return n.ID
		}
	}
	return ""
}

// await polls until something is so.
func (f *fleet) await(what string, isSo func() bool) {
	f.t.Helper()
	await(f.t, what, isSo)
}
