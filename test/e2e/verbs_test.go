//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plan, apply and plan again: what is to be done, its doing, and that nothing is left to do.
func TestPlanAndApply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	w.drop("web.yaml", w.spec("web", "/v1"))
	flags := w.passFlags()

	out, errOut, status := verb(t, append([]string{"plan", "-o", "json", "--exit-code"}, flags...)...)
	var plan struct {
		Kind  string
		Items []struct {
			Name    string
			Steps   []struct{ Step, Target, Cause string }
			Changes []struct{ Change, Object, Name, Field, Before, After string }
		}
		Blocked []any
	}
	if err := json.Unmarshal([]byte(out), &plan); err != nil || status != 1 || plan.Kind != "Plan" || plan.Blocked == nil {
		t.Fatalf("plan exits %d, %v: %s%s", status, err, out, errOut)
	}
	var steps []string
	for _, s := range plan.Items[0].Steps {
		steps = append(steps, s.Step)
		if s.Cause == "" || s.Target == "" {
			t.Errorf("a step without target or cause: %+v", s)
		}
	}
	if got := strings.Join(steps, " "); got != "resolve_tokens ensure_image create copy_routes connect_egress start wait_ready" {
		t.Errorf("the steps are %s", got)
	}
	if len(labelled(t, "container", w.id)) != 0 {
		t.Error("plan made something")
	}
	if changes := plan.Items[0].Changes; !slices.ContainsFunc(changes, func(c struct{ Change, Object, Name, Field, Before, After string }) bool {
		return c.Change == "add" && c.Object == "route" && strings.Contains(c.After, "token from file token")
	}) {
		t.Errorf("the changes are %+v", changes)
	}

	out, errOut, status = verb(t, append([]string{"apply"}, flags...)...)
	if status != 0 || !strings.Contains(out, "web") {
		t.Errorf("apply exits %d: %s%s", status, out, errOut)
	}
	w.served(proxyURL+"/api/x", "/v1/x")
	out, errOut, status = verb(t, append([]string{"plan", "--exit-code"}, flags...)...)
	if status != 0 {
		t.Errorf("plan after apply exits %d: %s%s", status, out, errOut)
	}
	w.saysWhatChanges(flags)
	w.logsItsRequests()
	_, _, status = verb(t, "plan", "--exit-code", "--docker-host", "unix:///nowhere.sock", "--specs", w.specs)
	if status != 2 {
		t.Errorf("plan without an engine exits %d", status)
	}

	w.drop("other.yaml", strings.Replace(w.spec("other", "/v1", "spec: hostname: other"), "{file: token}", "{file: missing}", 1))
	w.erase("web.yaml")
	out, errOut, status = verb(t, append([]string{"apply"}, flags...)...)
	if status != 1 || !strings.Contains(out+errOut, "TokenMissing") || len(labelled(t, "container", w.id)) != 1 {
		t.Errorf("apply of a spec without its token exits %d: %s%s", status, out, errOut)
	}
	w.setToken("missing", "s3cret")
	out, errOut, status = verb(t, append([]string{"apply", "--prune"}, flags...)...)
	if status != 0 || exists(w.id+"-web") || !exists(w.id+"-other") {
		t.Errorf("apply --prune exits %d: %s%s", status, out, errOut)
	}
}

// saysWhatChanges has plan compare a file that was edited with what the sidecar serves.
func (w *world) saysWhatChanges(flags []string) {
	w.t.Helper()
	w.drop("web.yaml", w.spec("web", "/v2"))
	out, errOut, status := verb(w.t, append([]string{"plan"}, flags...)...)
	if status != 0 || !strings.Contains(out, "    ~ route /api upstream: ") || !strings.Contains(out, "/v1 → ") {
		w.t.Errorf("plan of an edited route exits %d: %s%s", status, out, errOut)
	}
	w.drop("web.yaml", w.spec("web", "/v1"))
}

// logsItsRequests waits until the engine has the line of a request.
func (w *world) logsItsRequests() {
	w.t.Helper()
	eventually(w.t, "the request is in the log", func() error {
		out, errOut, status := verb(w.t, "logs", "web", "--instance", w.id, "-o", "json")
		if status != 0 || !strings.Contains(out, `"container":"`+w.id+`-web"`) || !strings.Contains(out, `"path":"/api/x"`) {
			return fmt.Errorf("logs exits %d: %s%s", status, out, errOut)
		}
		return nil
	})
	out, _, _ := verb(w.t, "logs", "web", "--instance", w.id, "--tail", "1")
	if strings.Count(out, "\n") != 1 {
		w.t.Errorf("the last line is %q", out)
	}
	_, errOut, status := verb(w.t, "logs", "wbe", "--instance", w.id, "--server", "http://127.0.0.1:1")
	if status != 1 || !strings.Contains(errOut, "do you mean web?") {
		w.t.Errorf("logs of a mistyped name exits %d: %s", status, errOut)
	}
}

// status and wait tell a script how things are by their exit codes.
func TestStatusAndWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	c.readyz()
	server := "--server=http://" + c.listen
	expect := func(wanted int, args ...string) string {
		t.Helper()
		out, errOut, status := verb(t, args...)
		if status != wanted {
			t.Errorf("%v exits %d, not %d: %s%s", args, status, wanted, out, errOut)
		}
		return out + errOut
	}
	nobody := "--server=http://" + freeAddress(t)
	expect(3, "status", nobody)
	expect(3, "wait", "web", nobody)
	expect(0, "status", server)
	if said := expect(1, "wait", "web", "--timeout", "200ms", server); !strings.Contains(said, "web") {
		t.Errorf("wait does not name what it waited for: %s", said)
	}

	w.drop("web.yaml", w.spec("web", "/v1"))
	expect(0, "wait", "web", server)
	if table := expect(0, "status", server); !containsAll(table, []string{"web", "Running"}) {
		t.Errorf("the table is\n%s", table)
	}
	var list struct {
		Kind  string
		Items []object
	}
	if err := json.Unmarshal([]byte(expect(0, "status", "-o", "json", server)), &list); err != nil || list.Kind != "CredProxyList" ||
		len(list.Items) != 1 || list.Items[0].Status.URL != proxyURL {
		t.Errorf("status -o json: %v %+v", err, list)
	}
	var one object
	if err := json.Unmarshal([]byte(expect(0, "status", "web", "-o", "json", server)), &one); err != nil || one.Metadata.Name != "web" {
		t.Errorf("status web -o json: %v %+v", err, one)
	}
	for _, kind := range []string{"Ready", "TokensResolved", "NetworksReady"} {
		if !strings.HasPrefix(one.condition(kind), "True") {
			t.Errorf("%s is %q", kind, one.condition(kind))
		}
	}
	if got := one.condition("Isolated"); !strings.HasPrefix(got, "False HostReachable") {
		t.Errorf("Isolated is %q, and the host is on the network", got)
	}

	w.drop("late.yaml", strings.Replace(w.spec("late", "/v1", "spec: hostname: late"), "{file: token}", "{file: late}", 1))
	c.is("late", "Ready", "False TokenMissing")
	expect(1, "status", server)
	expect(0, "status", "web", server)
	if said := expect(1, "wait", "late", "--timeout", "200ms", server); !strings.Contains(said, "TokenMissing") {
		t.Errorf("wait does not say why: %s", said)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.drop("good.yaml", w.spec("good", "/v1"))
	if out, errOut, status := verb(t, "validate", w.specs); status != 0 {
		t.Errorf("a good directory exits %d: %s%s", status, out, errOut)
	}
	w.drop("bad.yaml", strings.Replace(w.spec("bad", "/v1", "spec: prot: 1"), "Bearer", "Bear", 1))
	out, errOut, status := verb(t, "validate", w.specs)
	said := out + errOut
	if status != 1 || !containsAll(said, []string{"bad.yaml:8: ", "prot", "bad.yaml:14: ", "spec.routes[0].auth.scheme: "}) {
		t.Errorf("a bad directory exits %d, without every problem: %s", status, said)
	}
	for _, args := range [][]string{{"validate"}, {"validate", "--nonsense"}, {"run"}, {"nonsense"}, {"plan", "-o", "xml", "--specs", w.specs}} {
		if _, _, status := verb(t, args...); status != 2 {
			t.Errorf("%v exits %d, not 2", args, status)
		}
	}
	if out, _, status := verb(t, "version"); status != 0 || !strings.Contains(out, "credproxy.dev/v1alpha1") {
		t.Errorf("version exits %d: %s", status, out)
	}
	if _, _, status := verb(t, "validate", filepath.Join(w.specs, "nowhere")); status != 1 {
		t.Errorf("a missing path exits %d", status)
	}
}

// A web page in the operator's browser gets nothing from the controller.
func TestPagesAreForTheOperatorAlone(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	c := w.run()
	c.readyz()
	ask := func(change func(*http.Request)) int {
		req, err := http.NewRequest(http.MethodGet, "http://"+c.listen+"/api/v1alpha1/credproxies", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(req)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := ask(func(*http.Request) {}); got != 200 {
		t.Errorf("the operator gets %d", got)
	}
	if got := ask(func(r *http.Request) { r.Host = "rebound.example.com" }); got != 421 {
		t.Errorf("a rebound name gets %d", got)
	}
	if got := ask(func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }); got != 403 {
		t.Errorf("a cross-site request gets %d", got)
	}
	if got := ask(func(r *http.Request) { r.Method = http.MethodDelete }); got != 405 {
		t.Errorf("DELETE gets %d", got)
	}
	if events := c.page("/api/v1alpha1/events"); !strings.Contains(events, "items") {
		t.Errorf("events are %s", events)
	}
}
