package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/revocation"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// obedient is a controller of some specs, of which the second question is answered with others.
func obedient(t *testing.T, before, after spec.CredProxy) string {
	t.Helper()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		one := before
		if asked.Add(1) > 1 {
			one = after
		}
		_ = json.NewEncoder(w).Encode(spec.CredProxyList{Items: []spec.CredProxy{one}})
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// shown is a spec of two routes as the API shows it.
func shown(ready metav1.ConditionStatus, reason string, withheld ...string) spec.CredProxy {
	one := spec.CredProxy{Status: &spec.CredProxyStatus{ContainerID: "c1", WithheldRoutes: withheld}}
	one.Name = "web"
	one.Spec.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{File: "key"}}
	for path, ref := range map[string]spec.TokenRef{"/api": {Env: "GH_TOKEN"}, "/git": {File: "git"}} {
		one.Spec.Routes = append(one.Spec.Routes, spec.Route{Path: path, Auth: &spec.Auth{TokenRef: ref}})
	}
	several := map[string]spec.TokenRef{"id": {File: "id"}, "secret": {File: "secret"}}
	one.Spec.Routes = append(one.Spec.Routes, spec.Route{Path: "/both", Auth: &spec.Auth{Scheme: spec.SchemeCustom, Tokens: several}})
	one.Status.Conditions = []metav1.Condition{{Type: spec.ConditionReady, Status: ready, Reason: reason, Message: "as said"}}
	return one
}

func TestRevoke(t *testing.T) {
	running := shown(metav1.ConditionTrue, reconcile.ReasonRunning)
	both := shown(metav1.ConditionFalse, reconcile.ReasonRevoked, "/api", "/git", "/both")
	api := shown(metav1.ConditionFalse, reconcile.ReasonRevoked, "/api")
	failed := shown(metav1.ConditionFalse, reconcile.ReasonStepFailed)
	unusable := shown(metav1.ConditionFalse, reconcile.ReasonInvalidSpec)
	unusable.Spec.Routes = nil
	unseen := shown(metav1.ConditionUnknown, reconcile.ReasonProgressing)
	unseen.Status.ContainerID = ""
	const done, left = "revoked: no sidecar has them any more\n", "Not taken away yet: web: "
	for _, tc := range []struct {
		name  string
		args  []string
		after spec.CredProxy
		code  int
		says  string
		noted string
	}{
		{"a spec", []string{"web"}, both, codeGood, done, "spec web"},
		{"a spec, of which one route's are gone", []string{"web"}, api, codeBad, left, "spec web"},
		{"a token", []string{"--token", "env:GH_TOKEN"}, api, codeGood, done, "token env:GH_TOKEN"},
		{"a token, while another of the spec is revoked", []string{"--token", "file:git"}, api, codeBad, left, "token file:git"},
		{"one of several tokens of a route", []string{"--token", "file:secret"}, both, codeGood, done, "token file:secret"},
		{"one that its route still has", []string{"--token", "file:secret"}, api, codeBad, left, "token file:secret"},
		{"a caller key", []string{"--token", "file:key"}, api, codeBad, left, "token file:key"},
		{"a token, while a file cannot be used", []string{"--token", "env:GH_TOKEN"}, unusable, codeBad, "'controller revoke web'", "token env:GH_TOKEN"},
		{"a spec that was not looked at", []string{"web"}, unseen, codeBad, left, "spec web"},
		{"what is not there", []string{"other"}, running, codeBad, "there is no spec other\n", "spec other"},
		{"what no spec uses", []string{"--token", "env:GH"}, running, codeBad, "no spec uses env:GH; do you mean env:GH_TOKEN?", "token env:GH"},
		{"a mistyped spec", []string{"wbe"}, running, codeBad, "warning: there is no spec wbe; do you mean web?\ncontroller: nothing was", "spec wbe"},
		{"a mistyped spec beside one", []string{"wbe", "web"}, both, codeBad, done, "spec wbe\nspec web"},
		{"what is not taken away", []string{"web"}, failed, codeBad, left, "spec web"},
		{"nothing", nil, running, codeUsage, "say what", ""},
		{"no name", []string{"Web_1"}, running, codeUsage, "cannot be the name", ""},
		{"no reference", []string{"--token", "GH_TOKEN"}, running, codeUsage, "env:NAME", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			args := append([]string{"revoke", "--timeout", "300ms", "--state-dir", dir, "--server", obedient(t, running, tc.after)}, tc.args...)
			c := newConsole(t, &fakeController{})
			if code := c.run(t, args...); code != tc.code || !strings.Contains(c.out.String()+c.err.String(), tc.says) {
				t.Errorf("code %d, said %q and %q", code, c.out.String(), c.err.String())
			}
			list := newConsole(t, &fakeController{})
			list.run(t, "revoke", "--list", "--state-dir", dir)
			if listed := strings.TrimSpace(list.out.String()); listed != tc.noted {
				t.Errorf("noted %q, want %q", listed, tc.noted)
			}
		})
	}
}

func TestATokenIsNotCalledUnusedWhileAFileCannotBeRead(t *testing.T) {
	unusable := shown(metav1.ConditionFalse, reconcile.ReasonInvalidSpec)
	unusable.Spec.Routes = nil
	c := newConsole(t, &fakeController{})
	code := c.run(t, "revoke", "--token", "env:GH_TOKEN", "--timeout", "100ms", "--state-dir", t.TempDir(), "--server", obedient(t, unusable, unusable))
	if said := c.err.String(); code != codeBad || strings.Contains(said, "warning") || !strings.Contains(said, "'controller revoke web'") {
		t.Errorf("code %d, said %q", code, said)
	}
}

func TestRevokeWithoutAControllerIsNoted(t *testing.T) {
	dir := t.TempDir()
	c := newConsole(t, &fakeController{})
	code := c.run(t, "revoke", "web", "--state-dir", dir, "--server", "http://127.0.0.1:1")
	if code != codeNoController || !strings.Contains(c.err.String(), "it is noted") {
		t.Errorf("code %d, said %q", code, c.err.String())
	}
	if list, err := revocation.Read(dir, "default"); err != nil || len(list.Names) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	if code := c.run(t, "revoke", "--undo", "web", "--state-dir", dir); code != codeGood {
		t.Errorf("code %d, said %q", code, c.err.String())
	}
	if list, err := revocation.Read(dir, "default"); err != nil || len(list.Names) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

func TestUndoSaysWhatWasNotRevoked(t *testing.T) {
	dir := t.TempDir()
	if err := revocation.Change(t.Context(), dir, "default", func(l *revocation.List) { l.Names = []string{"web"} }); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args      []string
		says, out string
	}{
		{[]string{"wbe", "--token", "env:NO"}, "spec wbe was not revoked", ""},
		{[]string{"web", "wbe"}, "spec wbe was not revoked", "not revoked any more; the controller delivers the tokens again\n"},
	} {
		c := newConsole(t, &fakeController{})
		code := c.run(t, append([]string{"revoke", "--undo", "--state-dir", dir}, tc.args...)...)
		if code != codeGood || c.out.String() != tc.out || !strings.Contains(c.err.String(), tc.says) {
			t.Errorf("%v: code %d, said %q and %q", tc.args, code, c.out.String(), c.err.String())
		}
	}
}

func TestARefusedReferenceIsNotRepeated(t *testing.T) {
	const pasted = "ghp_pasted-by-mistake"
	c := newConsole(t, &fakeController{})
	code := c.run(t, "revoke", "--state-dir", t.TempDir(), "--token", pasted)
	if said := c.out.String() + c.err.String(); code != codeUsage || strings.Contains(said, pasted) || !strings.Contains(said, "env:NAME") {
		t.Errorf("code %d, said %q", code, said)
	}
}
