package reconcile

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/sets"
)

// A place that somebody else has is left to them; one that is about to be free is waited for.
func TestWhoStandsInTheWay(t *testing.T) {
	tellPlans(t, []planStory{
		{"a name that another holds is left to it", func(w *world) {
			w.others = []OtherContainer{{ID: "z", Name: "cred-proxy-web"}}
		}, `
web
  blocked: NameConflict: container "cred-proxy-web" is not this controller's and holds the name; remove or rename it, or set --name-prefix
`},
		{"an alias that another answers to is left to it", func(w *world) {
			w.others = []OtherContainer{{ID: "z", Name: "squatter", Endpoints: []Endpoint{{NetworkID: "n1", Aliases: []string{"cred-proxy"}}}}}
		}, `
web
  blocked: AliasConflict: container "squatter" answers to "cred-proxy" on network "web-internal" too; disconnect or rename it, or choose another hostname
`},
		{"a name that another instance's sidecar holds is left to it", func(w *world) {
			w.others = []OtherContainer{{ID: "z", Name: "cred-proxy-web", Instance: "prod"}}
		}, `
web
  blocked: NameConflict: container "cred-proxy-web" is a sidecar of instance "prod" of the controller and holds the name; start this one with that --instance if it is meant, or set --name-prefix
`},
		{"an alias that another instance's sidecar answers to is left to it", func(w *world) {
			w.others = []OtherContainer{{ID: "z", Name: "prod-web", Instance: "prod", Endpoints: []Endpoint{{NetworkID: "n1", Aliases: []string{"cred-proxy"}}}}}
		}, `
web
  blocked: AliasConflict: container "prod-web" is a sidecar of instance "prod" of the controller, and answers to "cred-proxy" on network "web-internal" too; start this one with that --instance if it is meant, or choose another hostname
`},
		{"a renamed spec waits for the sidecar under its old name", func(w *world) { w.renamed() }, `
old
  remove         cred-proxy-old  (no file declares it)
web
  blocked: Progressing: it waits until the sidecar of spec "old", which no file declares any more and which answers to "cred-proxy" on network "web-internal", is removed
`},
		{"also while the old name is kept for a moment", func(w *world) {
			w.renamed()
			w.declared.KeepNames = sets.New("old")
		}, `
old
  blocked: PruneBlocked: nothing is removed while a file may be in the middle of its writing; that is looked at again in a moment
web
  blocked: Progressing: it waits until the sidecar of spec "old", which no file declares any more and which answers to "cred-proxy" on network "web-internal", is removed
`},
		{"a renamed spec says what keeps the sidecar under its old name", func(w *world) {
			w.renamed()
			w.opts.Prune = false
		}, `
old
  blocked: PruneBlocked: no file declares it; it would be removed with --prune
web
  blocked: AliasConflict: the sidecar of spec "old", which no file declares any more, answers to "cred-proxy" on network "web-internal" and is not removed: no file declares it; it would be removed with --prune
`},
	})
}
