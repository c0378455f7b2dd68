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

// obedient is a controller of one spec, which has taken its tokens away by the second question.
func obedient(t *testing.T, name string, ref spec.TokenRef, reason string) string {
	t.Helper()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		one := spec.CredProxy{Status: &spec.CredProxyStatus{ContainerID: "c1"}}
		one.Name = name
		one.Spec.Routes = []spec.Route{{Path: "/api", Auth: &spec.Auth{TokenRef: ref}}}
		tokens := metav1.Condition{Type: spec.ConditionTokensResolved, Status: metav1.ConditionTrue, Reason: reconcile.ReasonResolved}
		if asked.Add(1) > 1 {
			tokens.Status, tokens.Reason = metav1.ConditionFalse, reason
		}
		one.Status.Conditions = []metav1.Condition{tokens, {Type: spec.ConditionReady, Status: tokens.Status, Reason: reason, Message: "as said"}}
		_ = json.NewEncoder(w).Encode(spec.CredProxyList{Items: []spec.CredProxy{one}})
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestRevoke(t *testing.T) {
	ref := spec.TokenRef{Env: "GH_TOKEN"}
	for _, tc := range []struct {
		name   string
		args   []string
		reason string
		code   int
		says   string
		noted  string
	}{
		{"a spec", []string{"web"}, reconcile.ReasonRevoked, codeGood, "revoked: no sidecar has them any more", "spec web"},
		{"a token", []string{"--token", "env:GH_TOKEN"}, reconcile.ReasonRevoked, codeGood, "revoked", "token env GH_TOKEN"},
		{"what no sidecar has", []string{"other"}, reconcile.ReasonRevoked, codeGood, "revoked", "spec other"},
		{"what is not taken away", []string{"web", "--timeout", "300ms"}, reconcile.ReasonStepFailed, codeBad, "Not taken away yet: web: ", "spec web"},
		{"nothing", nil, "", codeUsage, "say what", ""},
		{"no name", []string{"Web_1"}, "", codeUsage, "cannot be the name", ""},
		{"no reference", []string{"--token", "GH_TOKEN"}, "", codeUsage, "env:NAME", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			args := append([]string{"revoke", "--state-dir", dir, "--server", obedient(t, "web", ref, tc.reason)}, tc.args...)
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
