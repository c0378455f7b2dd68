package reconcile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/spec"
)

// The story of each case: an environment that is open, or was, and the plan as it prints itself.
func TestPlanWithABreach(t *testing.T) {
	for _, tc := range []struct {
		name string
		give func(*world)
		want string
	}{
		{"a breach is only told of unless isolation is required", func(w *world) {
			w.running("a")
			w.opened()
		}, ``},
		{"a breach takes the sidecar off its internal network", func(w *world) {
			w.running("a")
			w.opened()
			w.spec.Spec.RequireIsolation = true
		}, `
web
  disconnect     web-internal  (container "bad" is privileged; make it anew without --privileged)
`},
		{"the operator can require it of every spec", func(w *world) {
			w.running("a")
			w.opened()
			w.opts.RequireIsolation = true
		}, `
web
  disconnect     web-internal  (container "bad" is privileged; make it anew without --privileged)
`},
		{"a sidecar that was taken off stays off", func(w *world) {
			w.running("a").Endpoints = []Endpoint{{NetworkID: "n2"}}
			w.opened()
			w.opts.RequireIsolation = true
		}, `
web
  blocked: NotIsolated: the sidecar is kept off its internal network until this ends: container "bad" is privileged; make it anew without --privileged
`},
		{"its routes and limits are kept as declared", func(w *world) {
			w.running("a").Endpoints = []Endpoint{{NetworkID: "n2"}}
			w.opened()
			w.opts.RequireIsolation = true
			w.spec.Spec.Routes[0].Path, w.spec.Spec.Resources.Memory = "/other", "128Mi"
		}, `
web
  update         cred-proxy-web  (its limits differ from the declared ones)
  resolve_tokens env TOKEN  (the routes, who may call, or the addresses of its internal network changed)
  copy_routes    cred-proxy-web  (the routes, who may call, or the addresses of its internal network changed)
  reload         cred-proxy-web  (the routes, who may call, or the addresses of its internal network changed)
`},
		{"it is not replaced, nor put back on egress", func(w *world) {
			w.running("a").Endpoints = nil
			w.opened()
			w.opts.RequireIsolation = true
			w.spec.Spec.Hostname = "proxy"
		}, `
web
  blocked: NotIsolated: the sidecar is kept off its internal network until this ends: container "bad" is privileged; make it anew without --privileged
`},
		{"all of a name's containers are taken off, and none is started", func(w *world) {
			w.running("a").State = StateExited
			w.running("b").Name = "cred-proxy-web-x7q2"
			w.opened()
			w.opts.RequireIsolation = true
		}, `
web
  container "bad" is privileged; make it anew without --privileged
  disconnect     web-internal
  disconnect     web-internal
`},
		{"where there is none, none is made", func(w *world) {
			w.opened()
			w.opts.RequireIsolation = true
		}, `
web
  blocked: NotIsolated: no sidecar is made until this ends: container "bad" is privileged; make it anew without --privileged
`},
		{"it is taken off although its egress network is missing", func(w *world) {
			w.running("a")
			w.opened()
			w.opts.RequireIsolation = true
			w.networks = w.networks[:1]
		}, `
web
  disconnect     web-internal  (container "bad" is privileged; make it anew without --privileged)
`},
		{"a second network of the name hides nothing", func(w *world) {
			w.running("a")
			w.opened()
			w.opts.RequireIsolation = true
			w.networks = append(w.networks, Network{ID: "n9", Name: "web-internal", Driver: "bridge", Internal: true})
		}, `
web
  disconnect     web-internal  (container "bad" is privileged; make it anew without --privileged)
`},
		{"no step at all is taken for what is paused", func(w *world) {
			w.running("a")
			w.opened()
			w.opts.RequireIsolation = true
			w.spec.Annotations = map[string]string{spec.AnnotationPaused: "true"}
		}, `
web
  blocked: Paused: annotation credproxy.dev/paused is "true"
`},
		{"a warning takes nothing off", func(w *world) {
			w.running("a")
			w.opened()
			w.others[0].Reach = nil
			w.opts.RequireIsolation = true
		}, ``},
		{"when the breach has ended it is put back", func(w *world) {
			w.running("a").Endpoints = []Endpoint{{NetworkID: "n2"}}
			w.opts.RequireIsolation, w.withdrawn = true, true
		}, `
web
  reconnect      web-internal  (the breach has ended on account of which it was taken off)
`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			tc.give(w)
			want := strings.TrimPrefix(tc.want, "\n")
			if diff := cmp.Diff(want, w.plan().String()); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}
