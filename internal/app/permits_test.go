package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/internal/policyfile"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

const teamsPolicy = `apiVersion: credproxy.dev/v1alpha1
kind: TokenPolicy
metadata: {name: teams}
spec:
  rules:
  - {name: team-a, folders: ["team-a/**"], tokens: [{env: A}], upstreams: [{host: api.example.org}], networks: ["*"]}
  - {name: team-b, folders: ["team-b/**"], tokens: [{env: B}], upstreams: [{host: api.example.org}], networks: ["b-*"]}
  quotas: [{folder: team-b, specs: 2}]
`

// withToken is a spec with a token at the permitted upstream, and one elsewhere, without.
func withToken(name, token string) string {
	return strings.NewReplacer("web-", name+"-", "name: web", "name: "+name).Replace(strings.SplitN(goodSpec, "  routes:", 2)[0]) +
		"  routes:\n  - {path: /free, upstream: \"https://anywhere.example\"}\n" +
		"  - {path: /api, upstream: \"https://api.example.org\", auth: {scheme: Bearer, tokenRef: {env: " + token + "}}}\n"
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

// fleet is a directory of specs, and a policy beside it.
func fleet(t *testing.T, policy string) (specs, file string) {
	t.Helper()
	dir := t.TempDir()
	specs, file = filepath.Join(dir, "specs"), filepath.Join(dir, "policy.yaml")
	for _, folder := range []string{"team-a", "team-b", "team-b/.store"} {
		mkdir(t, filepath.Join(specs, folder))
	}
	if policy != "" {
		write(t, dir, "policy.yaml", policy)
	}
	return specs, file
}

// declare reads specs and what the policy says of them.
func declare(t *testing.T, specs, file string) reconcile.Declared {
	t.Helper()
	state, err := readPolicy(Options{Policy: file}, specs)
	if err != nil {
		t.Fatal(err)
	}
	from, err := source.New(source.Options{Root: specs})
	if err != nil {
		t.Fatal(err)
	}
	s := from.Scan(t.Context())
	d := declared(specs, s)
	permit(&d, s, state)
	return d
}

func TestWhatThePolicyDeniesIsWithheld(t *testing.T) {
	specs, file := fleet(t, teamsPolicy)
	write(t, specs, "team-a/good.yaml", withToken("good", "A"))
	write(t, specs, "team-a/other.yaml", withToken("other", "B"))
	write(t, specs, "stray.yaml", withToken("stray", "A"))
	d := declare(t, specs, file)
	const other = `rule "team-a" of the policy does not permit env B at https://api.example.org; its tokens: env A; its upstreams: https://api.example.org/**`
	const stray = "no rule of the policy has folder . (--specs itself), in which the spec's file is"
	all := reconcile.Withheld{Word: routetable.WithheldDenied, Reason: "PolicyDenied", Message: stray}
	want := map[string]reconcile.Withholding{
		"other": {Routes: map[string]reconcile.Withheld{"/api": {Word: routetable.WithheldDenied, Reason: "PolicyDenied", Message: other}}},
		"stray": {All: &all, Refused: true},
	}
	if diff := cmp.Diff(want, d.Withheld); diff != "" {
		t.Errorf("withheld (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"other": "route /api: " + other, "stray": stray}, d.Policy.Denied); diff != "" {
		t.Errorf("denied (-want +got):\n%s", diff)
	}
	if d.Policy.Folders["good"] != "team-a" || !d.Policy.InForce || len(d.Policy.Quotas) != 1 || len(d.Specs) != 3 {
		t.Errorf("%+v", d.Policy)
	}
}

func TestNoWayAroundThePolicyLeadsThroughTheFiles(t *testing.T) {
	specs, file := fleet(t, teamsPolicy)
	write(t, specs, "team-b/.store/linked.yaml", withToken("linked", "A"))
	for link, target := range map[string]string{"team-a/linked.yaml": "../team-b/.store/linked.yaml", "team-a/all": "../team-b/.store"} {
		if err := os.Symlink(target, filepath.Join(specs, link)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, specs, "team-b/labelled.yaml", strings.Replace(withToken("labelled", "A"), "name: labelled", "name: labelled, labels: {folder: team-a, team: a}", 1))
	write(t, specs, "team-b/moved.yaml", withToken("moved", "A"))
	write(t, specs, "team-a/twice.yaml", withToken("twice", "A"))
	write(t, specs, "team-b/twice.yaml", withToken("twice", "A"))
	d := declare(t, specs, file)
	for _, name := range []string{"linked", "labelled", "moved"} {
		if d.Policy.Denied[name] == "" {
			t.Errorf("%s is permitted in %s", name, d.Policy.Folders[name])
		}
	}
	if slices.ContainsFunc(d.Specs, func(s *spec.CredProxy) bool { return s.Name == "twice" }) || len(d.Rejected) != 1 {
		t.Errorf("of two specs of one name one is used: %+v", d.Rejected)
	}
}

func TestThePolicyIsKeptWhileTheControllerRuns(t *testing.T) {
	specs, file := fleet(t, "") // there is none yet
	write(t, specs, "team-a/good.yaml", withToken("good", "A"))
	s := newStack(t, specs)
	s.opts.Policy = file
	base, _ := s.start(t)
	eventually(t, base+"/readyz", 503, "not ready: there is no policy to judge by: policy "+file+": it cannot be opened: no such file or directory: write it, and let")
	eventually(t, base+"/metrics", 200, "credproxy_policy_valid 0")
	if d := s.looker.latest(); d.Policy.Invalid == "" || len(d.Specs) != 1 {
		t.Errorf("declared without a policy: %+v", d)
	}

	write(t, filepath.Dir(file), "policy.yaml", teamsPolicy)
	eventually(t, base+"/readyz", 200, "ok")
	eventually(t, base+"/metrics", 200, "credproxy_policy_valid 1")
	s.eventually(t, func(d reconcile.Declared) bool { return d.Policy.Invalid == "" && len(d.Withheld) == 0 })

	write(t, filepath.Dir(file), "policy.yaml", strings.Replace(teamsPolicy, "{env: A}", "{env: A2}", 1))
	s.eventually(t, func(d reconcile.Declared) bool { return d.Withheld["good"].Routes["/api"].Reason == "PolicyDenied" })

	write(t, filepath.Dir(file), "policy.yaml", "kind: [")
	eventually(t, base+"/metrics", 200, "credproxy_policy_valid 0")
	eventually(t, base+"/readyz", 200, "ok")
	if d := s.looker.latest(); d.Withheld["good"].Routes["/api"].Reason != "PolicyDenied" || d.Policy.Invalid != "" {
		t.Errorf("the last good version is not in force: %+v", d.Policy)
	}
}

func TestAPolicyThatOthersCouldChangeKeepsTheControllerFromStarting(t *testing.T) {
	specs, _ := fleet(t, "")
	write(t, specs, "policy.yaml", teamsPolicy)
	s := newStack(t, specs)
	s.opts.Policy = filepath.Join(specs, "policy.yaml")
	if err := Run(t.Context(), s.opts, s.parts); err == nil || !strings.Contains(err.Error(), "keep it elsewhere") {
		t.Errorf("run: %v", err)
	}
	if _, err := OpenPass(t.Context(), s.opts, s.parts, true); err == nil {
		t.Error("apply and plan go on")
	}
	if _, err := Validate([]string{specs}, s.opts); err == nil {
		t.Error("validate goes on")
	}
}

func TestABadPolicyEndsTheVerbsThatLookOnce(t *testing.T) {
	specs, file := fleet(t, "kind: [")
	s := newStack(t, specs)
	s.opts.Policy = file
	if _, err := OpenPass(t.Context(), s.opts, s.parts, true); err == nil || !strings.Contains(err.Error(), "policy.yaml:1: not YAML") {
		t.Errorf("apply and plan: %v", err)
	}
	if _, err := Validate([]string{specs}, s.opts); err == nil {
		t.Error("validate goes on")
	}
}

func TestValidateSaysWhatThePolicyDoesNotPermit(t *testing.T) {
	specs, file := fleet(t, teamsPolicy)
	write(t, specs, "team-a/good.yaml", withToken("good", "A"))
	write(t, specs, "team-a/other.yaml", withToken("other", "B"))
	for _, name := range []string{"b-1", "b-2", "b-3"} {
		write(t, specs, "team-b/"+name+".yaml", withToken(name, "B"))
	}
	snap, err := Validate([]string{specs}, Options{Policy: file})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range snap.Files {
		for _, p := range f.Errors {
			got = append(got, filepath.Base(p.File)+" "+p.Message)
		}
	}
	want := []string{
		`other.yaml route /api: rule "team-a" of the policy does not permit env B at https://api.example.org; its tokens: env A; its upstreams: https://api.example.org/**`,
		"b-3.yaml quota of folder team-b: specs: 2 of 2 are taken, and this one asks for 1; remove or shrink others there, or have the quota raised",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := Validate([]string{filepath.Join(specs, "team-a", "good.yaml")}, Options{Policy: file}); err == nil {
		t.Error("a file alone has no folder")
	}
}

func TestTheSingleUsersPolicyIsCarriedByTheController(t *testing.T) {
	specs, _ := fleet(t, "")
	write(t, specs, "web.yaml", withToken("web", "ANY"))
	d := declare(t, specs, policyfile.SingleUser)
	if len(d.Withheld) != 0 || !d.Policy.InForce {
		t.Errorf("%+v", d)
	}
}

// latest is what was last declared.
func (l *looker) latest() reconcile.Declared {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.declared) == 0 {
		return reconcile.Declared{}
	}
	return l.declared[len(l.declared)-1]
}

// eventually waits until what is declared is so.
func (s *stack) eventually(t *testing.T, so func(reconcile.Declared) bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for ; !so(s.looker.latest()); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("declared is %+v", s.looker.latest())
		}
	}
}
