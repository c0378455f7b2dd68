//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const providerRotations = 20 // at least, under load

// shop is a provider of a story's own: its plugin gives what lies in its directory under the key. As long as there is no
// file, it hangs.
type shop struct {
	w   *world
	dir string
	// declared is the file for --token-providers.
	declared string
}

func (w *world) shop() *shop {
	w.t.Helper()
	dir := w.t.TempDir()
	s := &shop{w: w, dir: dir, declared: filepath.Join(dir, "providers.yaml")}
	plugin := filepath.Join(dir, "plugin")
	writeFile(w.t, plugin, `#!/bin/sh
file=$1/$CREDPROXY_TOKEN_KEY
until [ -e "$file" ]; do sleep 0.1; done
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "$(cat "$file")"
`)
	if err := os.Chmod(plugin, 0o755); err != nil {
		w.t.Fatal(err)
	}
	writeFile(w.t, s.declared, fmt.Sprintf(`apiVersion: credproxy.dev/v1alpha1
kind: TokenProviders
providers:
- name: shop
  exec: {command: %s, args: [%s]}
  timeout: 1m
  refreshInterval: 1s
`, plugin, dir))
	return s
}

func (s *shop) put(key, token string) {
	s.w.t.Helper()
	file := filepath.Join(s.dir, key)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.w.t.Fatal(err)
	}
	writeFile(s.w.t, file, token)
}

// spec is the world's spec with a token of the shop.
func (s *shop) spec(name, key string, more ...string) string {
	return strings.Replace(s.w.spec(name, "/v1", more...), "{file: token}", "{provider: shop, key: "+key+"}", 1)
}

// A provider that has not answered keeps its own spec waiting, and no other.
func TestAProviderThatHangsHoldsUpItsOwnSpecAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.shop()
	s.put("there", "s3cret-there")
	c := w.run("--token-providers", s.declared, "--workers", "1", "--resync", "10m")
	w.drop("late.yaml", s.spec("late", "late", "spec: hostname: late"))
	c.is("late", "TokensResolved", "False TokenMissing", "provider shop key late", "has not answered yet")
	w.drop("web.yaml", s.spec("web", "there"))
	c.ready("web")
	s.put("late", "s3cret-late")
	c.ready("late")
	w.drop("other.yaml", strings.Replace(s.spec("other", "there", "spec: hostname: other"), "provider: shop", "provider: shpo", 1))
	c.is("other", "TokensResolved", "False TokenDenied", "do you mean shop?")
	if strings.Contains(c.log.String(), "s3cret") {
		t.Error("the log holds a token")
	}
}

// While a provider gives another token over and over, no request fails, and none that begins after the sidecar has confirmed a
// generation carries a token of before.
func TestRotationsOfAProviderLoseNoRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.shop()
	s.put("team/token", "token-0")
	c := w.run("--token-providers", s.declared, "--resync", "10m") // no look but for what is noticed
	w.drop("web.yaml", s.spec("web", "team/token"))
	c.ready("web")
	fresh := w.visitors("-c", "2", "-pause", breath)
	fresh.ask("web", proxyURL+"/api/x?confirmed=0")
	made, deadline := 0, time.Now().Add(loadAtMost)
	for made < providerRotations || fresh.total().OK < reloadRequests {
		if time.Now().After(deadline) {
			t.Fatalf("after %s there were %d rotations", loadAtMost, made)
		}
		before := c.count("web", "Reloaded")
		made++
		s.put("team/token", fmt.Sprintf("token-%d", made))
		eventually(t, "the new generation is confirmed", func() error { return want(c.count("web", "Reloaded") > before, made) })
		fresh.ask("web", fmt.Sprintf("%s/api/x?confirmed=%d", proxyURL, made))
	}
	t.Logf("%d rotations", made)
	fresh.lostNone("who makes new connections")
	w.noneOutlived(made)
}
