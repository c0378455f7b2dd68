//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// A missing token keeps its own spec waiting and no other; once it is there, the sidecar is made.
func TestMissingTokenIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("there", "s3cret")
	c := w.run("--resync", "500ms")
	w.drop("web.yaml", w.spec("web", "/v1"))
	w.drop("other.yaml", strings.Replace(w.spec("other", "/v1", "spec: hostname: other"), "{file: token}", "{file: there}", 1))
	c.is("web", "Ready", "False TokenMissing", "file token")
	c.is("web", "TokensResolved", "False TokenMissing", "file token")
	c.logged("web", "TokenMissing", "file token")
	c.ready("other")
	if ids := labelled(t, "container", w.id); len(ids) != 1 {
		t.Errorf("there are containers %v", ids)
	}
	w.setToken("token", "here-it-is")
	c.ready("web")
	w.served(proxyURL+"/api/x", "/v1/x")
}

// A reference that the operator did not permit is denied alike, whether or not it exists, with the flag to add.
func TestForbiddenTokensAreDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.runWith(nil, []string{"THERE=s3cret"}, "--token-env", "ALLOWED_*")
	refs := map[string]string{"there": "{env: THERE}", "not-there": "{env: NOT_THERE}"}
	messages := map[string]string{}
	for name, ref := range refs {
		spec := w.spec(name, "/v1", "spec: hostname: "+name)
		w.drop(name+".yaml", strings.Replace(spec, "{file: token}", ref, 1))
		o := c.is(name, "Ready", "False TokenDenied", "--token-env")
		messages[name] = strings.NewReplacer("NOT_THERE", "X", "THERE", "X", "not-there", "Y", "there", "Y").Replace(o.condition("Ready"))
	}
	if messages["there"] != messages["not-there"] {
		t.Errorf("the answers tell which exists:\n%s\n%s", messages["there"], messages["not-there"])
	}
	for _, ref := range []string{"../specs/web.yaml", "/etc/hostname"} {
		w.drop("escape.yaml", strings.Replace(w.spec("escape", "/v1"), "{file: token}", "{file: "+ref+"}", 1))
		eventually(t, ref+" is refused", func() error {
			f, err := c.source("escape.yaml")
			o, getErr := c.get("escape")
			if err != nil || f.State == "Invalid" {
				return err
			}
			return want(getErr == nil && strings.HasPrefix(o.condition("Ready"), "False TokenDenied"), o)
		})
	}
	if ids := labelled(t, "container", w.id); len(ids) != 0 {
		t.Errorf("there are containers %v", ids)
	}
}

// A missing network is made out in the status, and the sidecar is made the moment the network appears.
func TestMissingNetworkIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.setToken("token", "s3cret")
	// No resync will find it: the engine's event does.
	c := w.run("--resync", "1h")
	w.drop("web.yaml", w.spec("web", "/v1"))
	c.is("web", "Ready", "False NetworkNotFound", w.internal)
	c.is("web", "NetworksReady", "False NetworkNotFound")
	c.logged("NetworkNotFound", w.internal)
	docker(t, "network", "create", "--internal", w.internal)
	c.is("web", "Ready", "False NetworkNotFound", w.egress)
	docker(t, "network", "create", w.egress)
	c.ready("web")
}

// An egress network that leads nowhere is a mistake that is named.
func TestEgressThatIsInternal(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.setToken("token", "s3cret")
	docker(t, "network", "create", "--internal", w.internal)
	docker(t, "network", "create", "--internal", w.egress)
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1"))
	c.is("web", "Ready", "False EgressInternal", w.egress)
}

// An engine that is down at the start is waited for, and /readyz says so.
func TestEngineThatIsDownAtTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	w.drop("web.yaml", w.spec("web", "/v1"))
	engine := newDoor(t)
	c := w.run("--docker-host", engine.host)
	eventually(t, "/readyz says that the engine does not answer", func() error {
		body, status, err := c.fetch("/readyz")
		if err != nil {
			return err
		}
		return want(status == 503 && strings.Contains(body, "engine"), body)
	})
	if err := c.answers("/healthz", 200); err != nil {
		t.Error(err)
	}
	c.is("web", "Ready", "", "EngineUnavailable")
	if up, err := c.metric("credproxy_docker_up"); err != nil || up != 0 {
		t.Errorf("credproxy_docker_up is %v, %v", up, err)
	}
	engine.open()
	c.readyz()
	c.ready("web")
	if up, err := c.metric("credproxy_docker_up"); err != nil || up != 1 {
		t.Errorf("credproxy_docker_up is %v, %v", up, err)
	}
}

// A listening address that is taken ends the controller with words that say so.
func TestPortInUse(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	first := w.run()
	first.readyz()
	second := emptyWorld(t).run("--listen", first.listen)
	if status := second.waitForEnd(); status != 1 {
		t.Errorf("it exits %d", status)
	}
	second.logged(first.listen, "--listen")
}

// One engine and instance has one `run`; the second says so and ends.
func TestSecondControllerOfAnInstance(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.run().readyz()
	second := w.run()
	if status := second.waitForEnd(); status != 1 {
		t.Errorf("it exits %d", status)
	}
	second.logged(w.id)
}

// A directory of specs that is missing is an error at the start.
func TestMissingDirectory(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	c := w.run("--specs", w.specs+"-nowhere")
	if status := c.waitForEnd(); status != 1 {
		t.Errorf("it exits %d", status)
	}
	c.logged(w.specs + "-nowhere")
}
