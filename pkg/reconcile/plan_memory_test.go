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
  declared, and there is no sidecar
  resolve_tokens env TOKEN
  ensure_image   the controller's own
  create         cred-proxy-web
  connect_egress web-egress
  start          cred-proxy-web
  copy_routes    cred-proxy-web
  wait_ready     cred-proxy-web
`},
		{"a replacement is delivered to before it has the alias", func(w *world) {
			w.running("a")
			inMemory(w)
		}, `
web
  the declaration changed in a way that needs another container
  resolve_tokens env TOKEN
  ensure_image   the controller's own
  create         cred-proxy-web-x7q2
  start          cred-proxy-web-x7q2
  copy_routes    cred-proxy-web-x7q2
  wait_ready     cred-proxy-web-x7q2
  reconnect      web-internal
  wait_ready     cred-proxy-web-x7q2
  drain          cred-proxy-web
  remove         cred-proxy-web
  rename         cred-proxy-web
`},
		{"a stopped sidecar is delivered to once it runs", func(w *world) {
			inMemory(w)
			w.running("a").State = StateExited
		}, `
web
  it was stopped (exit code 0)
  resolve_tokens env TOKEN
  start          cred-proxy-web
  copy_routes    cred-proxy-web
  wait_ready     cred-proxy-web
`},
		{"one that the engine restarted is delivered to again", func(w *world) {
			inMemory(w)
			w.running("a").Report = &routetable.Report{Event: routetable.EventState, Error: "nothing was delivered"}
		}, `
web
  it serves no routes yet
  resolve_tokens env TOKEN
  copy_routes    cred-proxy-web
  reload         cred-proxy-web
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
  tokens are delivered anew after a start of the controller
  resolve_tokens env TOKEN
  copy_routes    cred-proxy-web
  reload         cred-proxy-web
`},
	})
}
