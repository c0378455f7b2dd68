package app

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	controller "credproxy.dev/controller"
	"credproxy.dev/controller/internal/policyfile"
	"credproxy.dev/controller/pkg/policy"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/source"
)

// openPolicy reads the operator's policy, for specs of these directories, and tells the log what becomes of it.
func openPolicy(o Options, specs []string, reg prometheus.Registerer) (*policyfile.File, error) {
	return policyfile.Open(policyfile.Options{
		Path: o.Policy, Specs: specs, SingleUser: controller.SingleUserPolicy(), Log: o.Log, Registerer: reg,
	})
}

// readPolicy reads the operator's policy once. It fails where there should be one, and it is not good.
func readPolicy(o Options, specs ...string) (policyfile.State, error) {
	o.Log = slog.New(slog.DiscardHandler) // what it would say is the error
	file, err := openPolicy(o, specs, prometheus.NewRegistry())
	if err != nil {
		return policyfile.State{}, err
	}
	return file.State(), file.State().Err
}

// permit adds to a declaration what the policy says of its specs, and returns that by name. It is decided before any token's
// source is touched, from the files alone.
func permit(d *reconcile.Declared, s source.Snapshot, state policyfile.State) map[string]policy.Decision {
	decisions := map[string]policy.Decision{}
	d.Policy = reconcile.Policy{
		InForce: state.Given, Denied: map[string]string{}, Folders: map[string]string{}, Quotas: quotas(state.Policy),
	}
	if state.Given && state.Policy == nil {
		d.Policy.Invalid = fmt.Sprintf("there is no policy to judge by, so nothing is delivered: %v", state.Err)
	}
	for _, object := range s.Specs {
		name := object.CredProxy.Name
		d.Policy.Folders[name] = object.Folder
		decisions[name] = state.Policy.Evaluate(object.Folder, object.CredProxy)
		if decision := decisions[name]; !decision.Permitted() {
			d.Policy.Denied[name] = denials(decision)
			d.Withheld[name] = withholding(decision)
		}
	}
	return decisions
}

func denied(message string) reconcile.Withheld {
	return reconcile.Withheld{Word: routetable.WithheldDenied, Reason: reconcile.ReasonPolicyDenied, Message: message}
}

func quotas(p *policy.Policy) []reconcile.Quota {
	var out []reconcile.Quota
	for _, q := range p.Quotas() {
		out = append(out, reconcile.Quota{
			Folder: q.Folder, Specs: q.Specs,
			Limits: reconcile.Limits{Memory: q.MemoryBytes(), NanoCPUs: q.NanoCPUs(), Pids: q.Pids},
		})
	}
	return out
}

// withholding is what a decision withholds of its spec: where the spec as a whole is denied, everything.
func withholding(d policy.Decision) reconcile.Withholding {
	if len(d.Spec) > 0 {
		all := denied(denials(policy.Decision{Spec: d.Spec}))
		return reconcile.Withholding{All: &all, Refused: true}
	}
	routes := map[string]reconcile.Withheld{}
	for path, denial := range d.Routes {
		routes[path] = denied(denial.Message)
	}
	return reconcile.Withholding{Routes: routes}
}

// denials are a decision's in words: of the spec as a whole first, then those of routes.
func denials(d policy.Decision) string {
	var parts []string
	for _, denial := range d.Spec {
		parts = append(parts, denial.Message)
	}
	for _, path := range slices.Sorted(maps.Keys(d.Routes)) {
		parts = append(parts, "route "+path+": "+d.Routes[path].Message)
	}
	return strings.Join(parts, "; ")
}
