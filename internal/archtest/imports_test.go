package archtest

import (
	"slices"
	"testing"
)

// rule is a direction of imports.
type rule struct {
	name string
	// of are the packages that it is about, as patterns of path.Match or as a tree such as cmd/...; except are not.
	of, except []string
	// imports are the only packages of ours that they may import.
	imports []string
	// anyOfOurs leaves that free.
	anyOfOurs bool
	// not are trees outside the module that they must not import; with reach, not even through others.
	not   []string
	reach bool
	// standardOnly permits nothing outside the standard library and imports.
	standardOnly bool
	reason       string
}

func rules() []rule {
	return []rule{
		{
			name: "the API imports templates and the nearest name only", of: []string{"pkg/spec"}, imports: []string{"pkg/template", "pkg/nearest"},
			not: []string{"github.com/docker"}, reach: true,
			reason: "a spec is what people write; every other package may depend on it, so it depends on none that means anything by itself",
		},
		{
			name: "the routing table is standard library only", of: []string{"pkg/routetable"}, imports: []string{"pkg/template"},
			standardOnly: true,
			reason:       "controller and sidecar share it, and the sidecar has to stay small enough to be read",
		},
		{
			name: "templates are standard library only", of: []string{"pkg/template"}, standardOnly: true,
			reason: "what a spec may write and what the sidecar makes of it have to be read by the same few lines",
		},
		{
			name: "the nearest name is standard library only", of: []string{"pkg/nearest"}, standardOnly: true,
			reason: "what a mistyped name may have meant is a comparison of texts",
		},
		{
			name: "subnets are standard library only", of: []string{"pkg/subnet"}, standardOnly: true,
			reason: "which addresses are free is arithmetic",
		},
		{
			name: "patterns are standard library only", of: []string{"pkg/glob"}, standardOnly: true,
			reason: "the controller's policy and the sidecar's routes mean the same by a pattern, and the sidecar has to stay small",
		},
		{
			name: "a policy knows specs and patterns only", of: []string{"pkg/policy"}, imports: []string{"pkg/spec", "pkg/glob"},
			not: []string{"github.com/docker"}, reach: true,
			reason: "who may use a token is decided before any token, engine or file is looked at",
		},
		{
			name: "declarations of metrics know nothing of ours", of: []string{"pkg/metric"},
			reason: "every package declares its own metrics with it, so it depends on none",
		},
		{
			name: "wiring knows specs only", of: []string{"pkg/wiring"}, imports: []string{"pkg/spec"},
			not: []string{"github.com/docker"}, reach: true,
			reason: "what an agent needs follows from its spec alone, so that it is the same with and without a controller",
		},
		{
			name: "a watch of directories knows no files", of: []string{"pkg/dirwatch"}, imports: []string{"pkg/spec"},
			reason: "it says when to look again; what is looked at is its callers' business",
		},
		{
			name: "a source knows specs only", of: []string{"pkg/source"}, imports: []string{"pkg/spec", "pkg/dirwatch"},
			not: []string{"github.com/docker"}, reach: true,
			reason: "it hands out snapshots of a directory; what becomes of them is not its business",
		},
		{
			name: "the reconciler knows no engine", of: []string{"pkg/reconcile"},
			imports: []string{"pkg/spec", "pkg/routetable", "pkg/metric"}, not: []string{"github.com/docker", "github.com/moby"}, reach: true,
			reason: "what is hard is decided on values, so that it can be tested without an engine, and moved to another",
		},
		{
			name: "the driver knows the reconciler's values only", of: []string{"pkg/dockerdriver"},
			imports: []string{"pkg/reconcile", "pkg/spec", "pkg/routetable", "pkg/subnet", "pkg/metric"},
			reason:  "it acts and decides nothing, so it needs neither files nor wiring",
		},
		{
			name: "Docker stays behind its driver", of: []string{"..."}, except: []string{"pkg/dockerdriver"}, anyOfOurs: true,
			not:    []string{"github.com/docker", "github.com/moby"},
			reason: "the client is frozen; its successor is to replace one package",
		},
		{
			name: "scrubbing is standard library only", of: []string{"pkg/scrub"}, standardOnly: true,
			reason: "it is a function of tokens and text, so that it can be compared with a slow one",
		},
		{
			name: "the proxy knows the routing table, what it is written in, and scrubbing only", of: []string{"pkg/proxy"},
			imports: []string{"pkg/routetable", "pkg/glob", "pkg/template", "pkg/scrub"},
			not:     heavy(), reach: true,
			reason: "it alone holds tokens beside a hostile agent; all that is in it is attack surface",
		},
		{
			name: "the sidecar is the proxy", of: []string{"cmd/cred-proxy"}, imports: []string{"pkg/proxy", "pkg/routetable", "internal/nodump"},
			not: heavy(), reach: true,
			reason: "its image is at most 10 MB, and what it does not contain cannot be attacked",
		},
		{
			name: "a browser is for tests", of: []string{"..."}, anyOfOurs: true, not: []string{"github.com/chromedp"}, reach: true,
			reason: "what drives a browser ships nowhere",
		},
		{
			name: "the controller's main knows the verbs only", of: []string{"cmd/controller"}, imports: []string{"internal/cli", "internal/nodump"},
			reason: "main sets the process up, and translates signals and flags; everything else runs in a test, too",
		},
	}
}

// heavy is what the sidecar must never carry.
func heavy() []string {
	return []string{"k8s.io", "sigs.k8s.io", "github.com/docker", "github.com/moby", "github.com/prometheus", "github.com/spf13"}
}

func TestImportsGoOneWay(t *testing.T) {
	all := packages(t)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			met := false
			for _, p := range all {
				if r.isAbout(t, p) {
					met = true
					r.check(t, p)
				}
			}
			if !met {
				t.Errorf("no package is any of %q; the rule holds nothing", r.of)
			}
		})
	}
}

func (r rule) isAbout(t *testing.T, p pkg) bool {
	t.Helper()
	fits := func(pattern string) bool { return pattern == "..." || match(t, pattern, p.name()) }
	return slices.ContainsFunc(r.of, fits) && !slices.ContainsFunc(r.except, fits)
}

func (r rule) check(t *testing.T, p pkg) {
	t.Helper()
	for _, i := range p.Imports {
		name, own := ours(i)
		switch {
		case own && !r.anyOfOurs && !slices.Contains(r.imports, name):
			t.Errorf("%s imports %s: %s", p.name(), name, r.reason)
		case !own && r.standardOnly && !standard(i):
			t.Errorf("%s imports %s: %s", p.name(), i, r.reason)
		}
	}
	reached, verb := p.Imports, "imports"
	if r.reach {
		reached, verb = p.Deps, "reaches"
	}
	if i := slices.IndexFunc(reached, func(i string) bool { return below(i, r.not...) }); i >= 0 {
		t.Errorf("%s %s %s: %s", p.name(), verb, reached[i], r.reason)
	}
}

// TestFewKnowMuch holds who may import a package, where rules hold what a package may import.
func TestFewKnowMuch(t *testing.T) {
	tests := []struct {
		imported string
		by       []string
		reason   string
	}{
		{"pkg/dockerdriver", []string{"internal/app"}, "only the wiring chooses the engine"},
		{"pkg/proxy", []string{"cmd/cred-proxy"}, "the sidecar is another process; routetable is the contract with it"},
		{"internal/sidecarimage", []string{"internal/app"}, "only the wiring knows where the sidecar's binary comes from"},
		{"internal/app", []string{"internal/cli", "internal/generated"}, "only the verbs start the whole, and documents are made of it; the parts do not know it"},
		{"internal/cli", []string{"cmd/controller", "internal/generated", "internal/manpage", "hack/man"}, "verbs are for people; code calls what is below them"},
		{"internal/apigen", []string{"internal/generated"}, "reading Go source is for those who build, and ships nowhere"},
		{"internal/manpage", []string{"hack/man"}, "manual pages are made while packages are built, and by no program that ships"},
		{"cmd/...", nil, "a command is an end; what others need belongs in a package"},
		{"internal/fakeengine", nil, "fakes are for tests and ship nowhere"},
		{"internal/ptytest", nil, "a terminal for tests ships nowhere"},
		{"internal/drivertest", nil, "suites are for tests and ship nowhere"},
		{"internal/pagetest", nil, "fakes are for tests and ship nowhere"},
		{"internal/page", []string{"internal/web", "internal/app", "internal/pagetest"}, "who may see the page is decided by the guard in internal/web"},
		{"internal/generated", []string{"hack/generate"}, "files of the repository are made while it is built, and by no program that ships"},
		{"internal/dashboards", []string{"internal/generated"}, "dashboards are made while this is built, and by no program that ships"},
		{"internal/promrules", []string{"internal/generated"}, "the parser of PromQL is for documents and tests, and ships nowhere"},
		{"test/...", nil, "tests are the last to know"},
	}
	all := packages(t)
	for _, tt := range tests {
		t.Run(tt.imported, func(t *testing.T) {
			for _, p := range all {
				for _, i := range p.Imports {
					name, own := ours(i)
					if own && match(t, tt.imported, name) && !slices.Contains(tt.by, p.name()) {
						t.Errorf("%s imports %s: %s", p.name(), name, tt.reason)
					}
				}
			}
		})
	}
}

func TestOnlyInternalKnowsSourceAndReconcilerBoth(t *testing.T) {
	for _, p := range packages(t) {
		knows := func(name string) bool { return slices.Contains(p.Imports, module+"/"+name) }
		if knows("pkg/source") && knows("pkg/reconcile") && !below(p.name(), "internal") {
			t.Errorf("%s imports both pkg/source and pkg/reconcile: only the wiring and what shows its state bring the two together", p.name())
		}
	}
}
