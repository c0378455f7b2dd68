package reconcile

import (
	"testing"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// A volume in memory takes files only while its container runs.
func TestPlanWithTokensInMemory(t *testing.T) {
	inMemory := func(w *world) { w.spec.Spec.TokenDelivery = spec.DeliverMemory }
	tellPlans(t, []planStory{
		{"a new sidecar is delivered to once it runs", inMemory, `
web
  resolve_tokens env TOKEN  (declared, and there is no sidecar)
  ensure_image   the controller's own  (declared, and there is no sidecar)
  create         cred-proxy-web  (declared, and there is no sidecar)
  connect_egress web-egress  (declared, and there is no sidecar)
  start          cred-proxy-web  (declared, and there is no sidecar)
  copy_routes    cred-proxy-web  (declared, and there is no sidecar)
  wait_ready     cred-proxy-web  (declared, and there is no sidecar)
`},
		{"a replacement is delivered to before it has the alias", func(w *world) {
			w.running("a")
			inMemory(w)
		}, `
web
  resolve_tokens env TOKEN  (the declaration changed in a way that needs another container)
  ensure_image   the controller's own  (the declaration changed in a way that needs another container)
  create         cred-proxy-web-x7q2  (the declaration changed in a way that needs another container)
  start          cred-proxy-web-x7q2  (the declaration changed in a way that needs another container)
  copy_routes    cred-proxy-web-x7q2  (the declaration changed in a way that needs another container)
  wait_ready     cred-proxy-web-x7q2  (the declaration changed in a way that needs another container)
  reconnect      web-internal  (the declaration changed in a way that needs another container)
  wait_ready     cred-proxy-web-x7q2  (the declaration changed in a way that needs another container)
  drain          cred-proxy-web  (the declaration changed in a way that needs another container)
  remove         cred-proxy-web  (the declaration changed in a way that needs another container)
  rename         cred-proxy-web  (the declaration changed in a way that needs another container)
`},
		{"a stopped sidecar is delivered to once it runs", func(w *world) {
			inMemory(w)
			w.running("a").State = StateExited
		}, `
web
  resolve_tokens env TOKEN  (it was stopped (exit code 0))
  start          cred-proxy-web  (it was stopped (exit code 0))
  copy_routes    cred-proxy-web  (it was stopped (exit code 0))
  wait_ready     cred-proxy-web  (it was stopped (exit code 0))
`},
		{"one that the engine restarted is delivered to again", func(w *world) {
			inMemory(w)
			w.running("a").Report = &routetable.Report{Event: routetable.EventState, Error: "nothing was delivered"}
		}, `
web
  resolve_tokens env TOKEN  (it serves no routes yet)
  copy_routes    cred-proxy-web  (it serves no routes yet)
  reload         cred-proxy-web  (it serves no routes yet)
`},
		{"a settled one needs nothing", func(w *world) {
			inMemory(w)
			w.running("a")
		}, ``},
		{"after a restart of the controller tokens are delivered anew", func(w *world) {
			inMemory(w)
			w.running("a")
			w.delivered = nil
		}, `
web
  resolve_tokens env TOKEN  (tokens are delivered anew after a start of the controller)
  copy_routes    cred-proxy-web  (tokens are delivered anew after a start of the controller)
  reload         cred-proxy-web  (tokens are delivered anew after a start of the controller)
`},
	})
}
