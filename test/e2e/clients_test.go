//go:build e2e && clients

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Secrets of the story.
const (
	clientsToken = "s3cret-of-the-clients-upstreams"
	clientsKey   = "0123456789abcdef-of-the-locked-one"
)

// clients is a world of the upstreams that an agent's clients have, and of agents with this machine's programs.
type clients struct {
	*world
	c     *controller
	image string
	// story is what containers find at /story, and modules is /node_modules.
	story, modules string
	// services, node and registry are containers: Go's, node's, and verdaccio.
	services, node, registry string
}

func newClients(t *testing.T) *clients {
	t.Helper()
	w := &clients{story: t.TempDir(), modules: absolute(t, "../../bin/clients/node_modules"), image: hostImage(t)}
	w.world = emptyWorld(t)
	w.services, w.node, w.registry = w.id+"-services", w.id+"-node", w.id+"-registry"
	files, err := filepath.Glob("testdata/clients/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		copyFile(t, file, filepath.Join(w.story, filepath.Base(file)))
	}
	writePair(t, w.story, "upstream", w.node)
	docker(t, "network", "create", "--internal", w.internal)
	docker(t, "network", "create", w.egress)
	w.setToken("token", clientsToken)
	w.setToken("key", clientsKey)
	w.start(w.services, "/services", "run", w.services, clientsToken)
	w.start(w.node, "node", "/story/servers.mjs", clientsToken)
	w.start(w.registry, "node", "/node_modules/verdaccio/bin/verdaccio", "-c", "/story/verdaccio.yaml", "-l", "0.0.0.0:4873")
	w.setToken("registry", w.inContainer("--network "+w.egress, "sh", "/story/publish.sh", w.registry+":4873"))
	w.c = w.run("--ca-dir", w.story)
	w.drop("web.yaml", w.declares("web", "cred-proxy", ""))
	w.drop("locked.yaml", w.declares("locked", "locked", "  callerAuth: {keyRef: {file: key}}\n"))
	w.c.ready("web")
	w.c.ready("locked")
	npmrc, notes, status := verb(t, "env", "web", "-o", "npmrc", "--server", "http://"+w.c.listen)
	if status != 0 {
		t.Fatalf("env -o npmrc ends with %d: %s", status, notes)
	}
	writeFile(t, filepath.Join(w.story, "npmrc"), npmrc)
	for _, server := range []string{w.services, w.node} {
		eventually(t, server+" serves", func() error {
			logs := logsOf(t, server)
			return want(strings.Contains(logs, "serving"), logs)
		})
	}
	return w
}

// declares is a spec with a route for each client.
func (w *clients) declares(name, hostname, more string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: credproxy.dev/v1alpha1\nkind: CredProxy\nmetadata: {name: %s}\nspec:\n  internalNetwork: %s\n  egressNetwork: %s\n"+
		"  hostname: %s\n%s  routes:\n", name, w.internal, w.egress, hostname, more)
	for _, route := range []struct{ path, upstream, token, scheme, more string }{
		{"/anthropic", "http://" + w.services + ":8001", "token", "Header, header: X-Api-Key", "roles: [anthropic-base-url]"},
		{"/openai", "http://" + w.services + ":8002", "token", "Bearer", "roles: [openai-base-url]"},
		{"/npm", "http://" + w.registry + ":4873", "registry", "Bearer", "roles: [npm-registry], methods: [GET, HEAD]"},
		{"/git", "http://" + w.services + ":8005", "token", "Basic, username: x-access-token", "git: {fetch: true, push: [acme/web]}"},
		{"/web", "http://" + w.node + ":8010", "token", "Bearer", ""},
		{"/echo.Echo", "https://" + w.node + ":8443/echo.Echo", "token", "Bearer", "caFile: upstream.pem"},
	} {
		if strings.HasPrefix(route.upstream, "http://") {
			route.more = strings.TrimPrefix(route.more+", insecureUpstream: true", ", ")
		}
		fmt.Fprintf(&b, "  - {path: %s, upstream: %q, allowPrivate: true, auth: {scheme: %s, tokenRef: {file: %s}}, %s}\n",
			route.path, route.upstream, route.scheme, route.token, route.more)
	}
	return b.String()
}

// container is the beginning of docker run, up to the image, for what runs this machine's programs.
func (w *clients) container(options string) []string {
	return append(append([]string{"run"}, strings.Fields(options)...),
		"-v", "/usr:/usr:ro", "-v", w.story+":/story:ro", "-v", w.modules+":/node_modules:ro", w.image)
}

func (w *clients) start(name string, line ...string) {
	w.t.Helper()
	docker(w.t, append(w.container("-d --name "+name+" --network "+w.egress), line...)...)
}

// inContainer runs a program to its end, and returns what it printed to stdout.
func (w *clients) inContainer(options string, line ...string) string {
	w.t.Helper()
	return docker(w.t, append(w.container("--rm "+options), line...)...)
}

// content holds that clients are, in a container that was made as `controller env` says.
func (w *clients) content(t *testing.T, names ...string) {
	t.Helper()
	env, notes, status := verb(t, "env", "web", "-o", "docker", "--server", "http://"+w.c.listen)
	if status != 0 {
		t.Fatalf("env ends with %d: %s", status, notes)
	}
	options := strings.ReplaceAll(strings.TrimSpace(env), "'", "")
	out, err := tryDocker(append(w.container("--rm -e CALLER_KEY="+clientsKey+" "+options), append([]string{"sh", "/story/agent.sh"}, names...)...)...)
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	for _, name := range names {
		if !strings.Contains(out, name+" is content") {
			t.Errorf("%s is not content: %s", name, out)
		}
	}
	if strings.Contains(env, clientsToken) {
		t.Errorf("the agent's container was given the token: %s", env)
	}
}

// Real clients reach their real upstreams through a sidecar, which alone has their tokens: each upstream serves nobody without.
func TestClients(t *testing.T) {
	w := newClients(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of the sidecar:\n%s", logsOf(t, w.id+"-web"))
		}
	})
	for _, clients := range [][]string{{"git", "challenge"}, {"npm"}, {"models"}, {"websocket"}, {"grpc"}, {"curl"}, {"uploads"}} {
		t.Run(clients[0], func(t *testing.T) { w.content(t, clients...) })
	}
	for _, name := range []string{"web", "locked"} {
		state := docker(t, "inspect", "-f", "{{.State.Running}} {{.RestartCount}} {{.HostConfig.Memory}}", w.id+"-"+name)
		if strings.TrimSpace(state) != "true 0 67108864" {
			t.Errorf("the sidecar of %s has run on, in 64 MiB: %s", name, state)
		}
	}
	for _, server := range []string{w.services, w.node} {
		if logs := logsOf(t, server); strings.Contains(logs, "placeholder") {
			t.Errorf("%s got what the agent brought: %s", server, logs)
		}
	}
}

// writePair makes a certificate that is its own authority, and its key.
func writePair(t *testing.T, dir, file, host string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		file + ".pem": {Type: "CERTIFICATE", Bytes: der}, file + ".key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
