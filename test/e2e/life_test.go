//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const proxyURL = "http://cred-proxy:9099"

// The whole of an environment's life: a file is dropped, edited and deleted, and its sidecar is made, follows in
// place, and goes.
func TestFromFileToSidecarAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret-of-the-story")
	c := w.run()
	c.readyz()

	w.drop("web.yaml", w.spec("web", "/v1"))
	first := c.ready("web")
	if first.Status.URL != proxyURL {
		t.Errorf("the URL is %q, not %q", first.Status.URL, proxyURL)
	}
	if _, err := w.agentGets("-f", "-H", "Authorization: Bearer own-key", "-H", "X-Api-Key: own-key", proxyURL+"/api/hello?q=1"); err != nil {
		t.Fatal(err)
	}
	got := w.arrived()[0]
	if got.URI != "/v1/hello?q=1" || got.Host != w.upstream+":8080" {
		t.Errorf("it arrived as %s at %s", got.URI, got.Host)
	}
	if auth := got.Header.Get("Authorization"); auth != "Bearer s3cret-of-the-story" {
		t.Errorf("it arrived with Authorization %q", auth)
	}
	if key := got.Header.Get("X-Api-Key"); key != "" {
		t.Errorf("the agent's own credential arrived: %q", key)
	}
	if places := w.findsInAgent("s3cret-of-the-story"); places != "" {
		t.Errorf("the agent holds the token in %s", places)
	}

	w.drop("web.yaml", w.spec("web", "/v2"))
	w.served(proxyURL+"/api/again", "/v2/again")
	if second := c.ready("web"); second.Status.ContainerID != first.Status.ContainerID {
		t.Errorf("an edited route made another container: %s", second.Status.ContainerID)
	}

	w.erase("web.yaml")
	c.gone(w, "web")
	eventually(t, "its volume is gone", func() error { return empty(labelled(t, "volume", w.id)) })
	if strings.Contains(c.log.String(), "s3cret-of-the-story") {
		t.Error("the token is in the log")
	}
}

// Each sidecar is shut in as far as the engine can.
func TestSidecarIsShutIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1", "spec: resources: {memory: 48Mi, cpus: \"0.5\", pids: 32}"))
	s := inspect(t, c.ready("web").Status.ContainerID)
	host := s.HostConfig
	for what, ok := range map[string]bool{
		"runs as 65532":              strings.HasPrefix(s.Config.User, "65532"),
		"has a read-only root":       host.ReadonlyRootfs,
		"is not privileged":          !host.Privileged,
		"has no capabilities":        slices.Equal(host.CapDrop, []string{"ALL"}) && len(host.CapAdd) == 0,
		"cannot gain privileges":     slices.ContainsFunc(host.SecurityOpt, func(o string) bool { return strings.HasPrefix(o, "no-new-privileges") }),
		"does not forward packets":   host.Sysctls["net.ipv4.ip_forward"] == "0",
		"publishes nothing":          len(host.PortBindings) == 0,
		"is limited in memory":       host.Memory == 48<<20,
		"is limited in CPU":          host.NanoCPUs == 500_000_000,
		"is limited in processes":    host.PidsLimit == 32,
		"has bounded logs":           host.LogConfig.Config["max-size"] != "" && host.LogConfig.Config["mode"] == "non-blocking",
		"is started again":           host.RestartPolicy.Name == "always",
		"is on two networks":         len(s.NetworkSettings.Networks) == 2,
		"bears the instance":         s.Config.Labels["credproxy.dev/instance"] == w.id,
		"bears its name":             s.Config.Labels["credproxy.dev/name"] == "web",
		"bears its hash":             strings.HasPrefix(s.Config.Labels["credproxy.dev/spec-hash"], "v1:"),
		"is named after its spec":    s.Name == "/"+w.id+"-web",
		"has the alias inside":       slices.Contains(s.NetworkSettings.Networks[w.internal].Aliases, "cred-proxy"),
		"has no alias outside":       !slices.Contains(s.NetworkSettings.Networks[w.egress].Aliases, "cred-proxy"),
		"has no token in its env":    !slices.ContainsFunc(s.Config.Env, func(kv string) bool { return strings.Contains(kv, "s3cret") }),
		"has one volume for its own": len(s.Mounts) == 1 && s.Mounts[0].Type == "volume" && s.Mounts[0].Destination == "/run/cred-proxy",
	} {
		if !ok {
			t.Errorf("it is not so that it %s: %+v", what, s)
		}
	}
	if !slices.Equal(labelled(t, "volume", w.id), []string{s.Mounts[0].Name}) {
		t.Errorf("its volume does not bear our label")
	}
}

// Limits are changed on the running container.
func TestResourcesAreUpdatedInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1"))
	before := c.ready("web")
	w.drop("web.yaml", w.spec("web", "/v1", "spec: resources: {memory: 96Mi, cpus: \"2\", pids: 80}"))
	eventually(t, "the limits are in force", func() error {
		s, err := tryInspect(before.Status.ContainerID)
		if err != nil {
			return err
		}
		host := s.HostConfig
		return want(host.Memory == 96<<20 && host.NanoCPUs == 2_000_000_000 && host.PidsLimit == 80, host)
	})
	w.served(proxyURL+"/api/x", "/v1/x")
	if ids := labelled(t, "container", w.id); len(ids) != 1 {
		t.Errorf("there are containers %v", ids)
	}
}

// With Env delivery the token is in the sidecar's environment, in a slot, and nowhere else.
func TestEnvDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.runWith(nil, []string{"STORY_TOKEN=s3cret-in-env"}, "--token-env", "STORY_*")
	spec := strings.Replace(w.spec("web", "/v1", "spec: tokenDelivery: Env"), "{file: token}", "{env: STORY_TOKEN}", 1)
	w.drop("web.yaml", spec)
	s := inspect(t, c.ready("web").Status.ContainerID)
	if !slices.Contains(s.Config.Env, "CRED_PROXY_TOKEN_1=s3cret-in-env") {
		t.Errorf("the slot is not in %v", s.Config.Env)
	}
	w.served(proxyURL+"/api/x", "/v1/x")
	if auth := w.arrived()[0].Header.Get("Authorization"); auth != "Bearer s3cret-in-env" {
		t.Errorf("it arrived with Authorization %q", auth)
	}
}

// All schemes, longest prefixes, and errors that a coding agent can act on.
func TestRoutesAndSchemes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("a", "token-a")
	w.setToken("b", "token-b")
	c := w.run()
	head, _, _ := strings.Cut(w.spec("web", "/v1"), "  - path:")
	route := func(path, upstream, auth string) string {
		return "  - {path: " + path + ", upstream: \"http://" + w.upstream + ":8080" + upstream + "\", insecureUpstream: true, allowPrivate: true" + auth + "}\n"
	}
	w.drop("web.yaml", head+
		route("/basic", "/basic", ", auth: {scheme: Basic, username: git, tokenRef: {file: a}}")+
		route("/token", "/token", ", auth: {scheme: Token, tokenRef: {file: a}}")+
		route("/header", "/header", ", auth: {scheme: Header, header: X-Key, tokenRef: {file: b}}")+
		route("/header/deep", "/deep", "")+
		route("/gone", "/gone", ""))
	c.ready("web")
	for _, path := range []string{"/basic/x", "/token/x", "/header/x", "/header/deep/x", "/header/deeper"} {
		if _, err := w.agentGets("-f", proxyURL+path); err != nil {
			t.Fatal(err)
		}
	}
	wanted := []struct{ uri, header, value string }{
		{"/basic/x", "Authorization", "Basic Z2l0OnRva2VuLWE="},
		{"/token/x", "Authorization", "token token-a"},
		{"/header/x", "X-Key", "token-b"},
		{"/deep/x", "X-Key", ""},
		{"/header/deeper", "X-Key", "token-b"},
	}
	for i, got := range w.arrived() {
		if got.URI != wanted[i].uri || got.Header.Get(wanted[i].header) != wanted[i].value {
			t.Errorf("got %s with %v, want %+v", got.URI, got.Header, wanted[i])
		}
	}
	out, err := w.agentGets("-i", proxyURL+"/nowhere")
	if err != nil || !containsAll(out, []string{"404", "Cred-Proxy-Error: no_route", `"error":"no_route"`}) {
		t.Errorf("an unknown route is answered %v %s", err, out)
	}
}

func TestStreamsAreNotHeldBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", ""))
	c.ready("web")

	// The upstream sends its second event only after the agent, having seen the first, asks for it.
	out, err := w.agentRuns("sse", proxyURL+"/api/sse/1")
	if err != nil || out != "first\nsecond" {
		t.Errorf("server-sent events: %v %q", err, out)
	}
	out, err = w.agentRuns("ws", proxyURL+"/api/ws", "hello there")
	if err != nil || out != "hello there" {
		t.Errorf("WebSocket: %v %q", err, out)
	}
	for _, got := range w.arrived() {
		if got.Header.Get("Authorization") != "Bearer s3cret" {
			t.Errorf("%s arrived without the token", got.URI)
		}
	}
}

// A paused spec is left alone, whatever is edited; deleting its file still removes it.
func TestPausedSpecIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1"))
	before := c.ready("web")

	w.drop("web.yaml", w.spec("web", "/v2", "metadata: annotations: {credproxy.dev/paused: \"true\"}", "spec: port: 9098"))
	eventually(t, "it counts as paused", func() error {
		v, err := c.metric(`credproxy_specs{state="paused"}`)
		if err == nil {
			err = want(v == 1, v)
		}
		return err
	})
	w.served(proxyURL+"/api/x", "/v1/x")
	if after, err := c.get("web"); err != nil || after.Status.ContainerID != before.Status.ContainerID {
		t.Errorf("it was touched: %v %+v", err, after)
	}
	w.erase("web.yaml")
	c.gone(w, "web")
}

// Networks that are missing are made when the spec says so, and go with it.
func TestNetworksAreCreatedAndRemoved(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1", "spec: createNetworks: true"))
	c.ready("web")
	if got := docker(t, "network", "inspect", "-f", "{{.Internal}}", w.internal, w.egress); got != "true\nfalse" {
		t.Errorf("the networks are internal: %q", got)
	}
	w.erase("web.yaml")
	c.gone(w, "web")
	eventually(t, "its networks are gone", func() error { return empty(labelled(t, "network", w.id)) })
}

// What cannot be changed on a running container is followed by another one, which takes the name, and the old one goes.
func TestEditThatNeedsAnotherContainer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run("--drain-timeout", "2s")
	w.drop("web.yaml", w.spec("web", "/v1"))
	before := c.ready("web")
	for _, step := range []struct{ field, url string }{
		{"spec: port: 9098", "http://cred-proxy:9098"},
		{"spec: hostname: elsewhere", "http://elsewhere:9099"},
		{"spec: tokenDelivery: Env", proxyURL},
	} {
		w.drop("web.yaml", w.spec("web", "/v1", step.field))
		w.served(step.url+"/api/x", "/v1/x")
		eventually(t, "one container with the spec's name is left", func() error {
			ids := labelled(t, "container", w.id)
			if len(ids) != 1 || !exists(w.id+"-web") {
				return fmt.Errorf("there are %v", ids)
			}
			return nil
		})
		after := c.ready("web")
		if after.Status.ContainerID == before.Status.ContainerID || after.Status.URL != step.url {
			t.Errorf("after %q there is %s at %s", step.field, after.Status.ContainerID, after.Status.URL)
		}
		before = after
	}
	eventually(t, "one volume is left", func() error {
		volumes := labelled(t, "volume", w.id)
		return want(len(volumes) == 1, volumes)
	})
}
