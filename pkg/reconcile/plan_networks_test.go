package reconcile

import "testing"

func TestPlanOfNetworks(t *testing.T) {
	tellPlans(t, []planStory{
		{"a network that was made goes with its spec", func(w *world) {
			w.running("a")
			w.declared.Specs = nil
			w.everDeclared = true
			w.networks[0].SpecName = "web"
			w.networks[1].SpecName = "web"
			w.others = []OtherContainer{{ID: "z", Name: "agent", Endpoints: []Endpoint{{NetworkID: "n1"}}}}
		}, `
web
  remove         cred-proxy-web  (no file declares it)
  remove_network web-egress  (it was made for this spec, which needs it no more)
`},
		{"a network that others are on stays, and is said", func(w *world) {
			w.declared.Specs = nil
			w.everDeclared = true
			w.networks[0].SpecName = "web"
			on := []Endpoint{{NetworkID: "n1"}}
			w.others = []OtherContainer{{ID: "z", Name: "agent", Endpoints: on}, {ID: "y", Name: "a-second", Endpoints: on}}
		}, `
web
  blocked: NetworkInUse: network "web-internal", which was made for it, is removed once it is free; on it: a-second, agent (` + "`docker network disconnect web-internal NAME`" + `)
`},
		{"a network that was made for it and that it needs no more goes", func(w *world) {
			w.running("a")
			w.networks = append(w.networks, Network{ID: "n3", Name: "web-old", SpecName: "web"})
		}, `
web
  remove_network web-old  (it was made for this spec, which needs it no more)
`},
		{"a network that was made for another spec is not for this one", func(w *world) {
			w.networks[1].SpecName = "other"
			w.declared.Specs = append(w.declared.Specs, newWorld().spec)
			w.declared.Specs[1].Name = "other"
			w.declared.Specs[1].Spec.InternalNetwork = "missing"
		}, `
other
  blocked: NetworkNotFound: internalNetwork "missing" does not exist; create it (` + "`docker network create --internal -o com.docker.network.bridge.inhibit_ipv4=true missing`" + `) or set createNetworks: true
web
  blocked: NetworkConflict: egressNetwork "web-egress" was made for spec "other" and is its alone; name another, or make one yourself that both may use
`},
		{"two networks of one name are one too many", func(w *world) {
			w.networks = append(w.networks, Network{ID: "n3", Name: "web-egress"})
		}, `
web
  blocked: AmbiguousNetwork: egressNetwork "web-egress" is the name of 2 networks; remove or rename all but one
`},
		{"an internal network leads nowhere", func(w *world) { w.networks[1].Internal = true }, `
web
  blocked: EgressInternal: egressNetwork "web-egress" is an internal network and leads nowhere; name one that leads out
`},
	})
}
