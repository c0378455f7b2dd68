//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// badFile is one way for a file to be wrong, and the words that have to tell what is.
type badFile struct {
	name  string
	make  func(path string) error
	words []string
}

func content(text string) func(string) error {
	return func(path string) error { return os.WriteFile(path, []byte(text), 0o644) }
}

func badFiles(w *world) []badFile {
	good := w.spec("NAME", "/v1")
	with := func(old, replacement string) func(string) error {
		if !strings.Contains(good, old) {
			w.t.Fatalf("the spec has no %q", old)
		}
		return content(strings.Replace(strings.Replace(good, old, replacement, 1), "NAME", "bad", 1))
	}
	return []badFile{
		{"half-written.yaml", content(good[:len(good)/2] + "\n  routes: [{"), []string{"YAML"}},
		{"oversized.yaml", content(good + "#" + strings.Repeat("x", 1<<20)), []string{"1 MiB"}},
		{"binary.yaml", content("\x00\x01\x7fELF\xff\xfe"), nil},
		{"wrong-kind.yaml", with("kind: CredProxy", "kind: Deployment"), []string{"kind", "CredProxy"}},
		{"wrong-version.yaml", with("credproxy.dev/v1alpha1", "credproxy.dev/v9"), []string{"apiVersion", "credproxy.dev/v1alpha1"}},
		{"unknown-key.yaml", with("  egressNetwork:", "  egresNetwork: x\n  egressNetwork:"), []string{"egresNetwork"}},
		{"repeated-key.yaml", with("  egressNetwork:", "  egressNetwork: x\n  egressNetwork:"), []string{"egressNetwork"}},
		{"bad-upstream.yaml", with("http://"+w.upstream, "ftp://"+w.upstream), []string{"spec.routes[0].upstream"}},
		{"insecure.yaml", with("    insecureUpstream: true\n", ""), []string{"insecureUpstream"}},
		{"two-sources.yaml", with("{file: token}", "{file: token, env: X}"), []string{"tokenRef"}},
		{"bad-name.yaml", content(strings.Replace(good, "NAME", "Not_A_Label", 1)), []string{"metadata.name"}},
		{"same-network.yaml", with("egressNetwork: "+w.egress, "egressNetwork: "+w.internal), []string{"egressNetwork"}},
		{"bad.json", content(`{"apiVersion": "credproxy.dev/v1alpha1",`), nil},
		{"fifo.yaml", func(path string) error { return syscall.Mkfifo(path, 0o644) }, []string{"regular"}},
		{"folder.yaml", func(path string) error { return os.Mkdir(path, 0o755) }, []string{"directory"}},
		{"dangling.yaml", func(path string) error { return os.Symlink("nowhere", path) }, []string{"link"}},
		{"outside.yaml", func(path string) error { return os.Symlink("/etc/hostname", path) }, []string{"outside"}},
		{"unreadable.yaml", func(path string) error {
			if err := content(strings.Replace(good, "NAME", "unreadable", 1))(path); err != nil {
				return err
			}
			return os.Chmod(path, 0)
		}, []string{"read"}},
	}
}

// withoutOverride starts a program such that even root cannot read a file whose mode forbids it.
func withoutOverride() []string {
	if os.Geteuid() != 0 {
		return nil
	}
	const drop = "-dac_override,-dac_read_search"
	return []string{"setpriv", "--inh-caps=" + drop, "--bounding-set=" + drop}
}

// Every bad file is told of in /sources, in the log and by validate, in the same words, and none of them keeps a good
// one from its sidecar.
func TestBadFilesAreToldAndStopNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	bad := badFiles(w)
	for _, f := range bad {
		if err := f.make(filepath.Join(w.specs, f.name)); err != nil {
			t.Fatal(err)
		}
	}
	w.drop("empty.yaml", "")
	w.drop("good.yaml", w.spec("good", "/v1"))
	c := w.runWith(withoutOverride(), nil)
	c.ready("good")
	validated, status := combined(t, append(withoutOverride(), controllerBinary, "validate", w.specs))
	if status != 1 {
		t.Errorf("validate exits %d", status)
	}

	for _, f := range bad {
		t.Run(f.name, func(t *testing.T) {
			told, err := c.source(f.name)
			if err != nil || told.State != "Invalid" || len(told.Errors) == 0 {
				t.Fatalf("/sources says %+v, %v", told, err)
			}
			var words strings.Builder
			for _, e := range told.Errors {
				fmt.Fprintf(&words, "%s: %s\n", e.Field, e.Message)
			}
			if !containsAll(words.String(), f.words) {
				t.Errorf("/sources does not say %q: %s", f.words, words.String())
			}
			c.logged(f.name, "level=")

			for _, e := range told.Errors {
				if !strings.Contains(validated, f.name) || !strings.Contains(validated, e.Message) {
					t.Errorf("validate does not say %q of it:\n%s", e.Message, validated)
				}
			}
		})
	}
	if told, err := c.source("empty.yaml"); err != nil || told.State != "Empty" {
		t.Errorf("the empty file is %+v, %v", told, err)
	}
	w.served(proxyURL+"/api/x", "/v1/x")
	select {
	case <-c.ended:
		t.Error("the controller ended")
	default:
	}
}

// A file that turns bad, or empty, keeps what it last had; a mended one is followed.
func TestFileThatTurnsBadKeepsItsSidecar(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1"))
	before := c.ready("web")

	for _, text := range []string{"kind: [", "", w.spec("web", "/v1", "spec: port: 99999")} {
		w.drop("web.yaml", text)
		eventually(t, "the file is found bad or empty", func() error {
			f, err := c.source("web.yaml")
			if err == nil {
				err = want(f.State != "Valid" && f.LastGood, f)
			}
			return err
		})
		w.served(proxyURL+"/api/x", "/v1/x")
	}
	w.drop("web.yaml", w.spec("web", "/v3"))
	w.served(proxyURL+"/api/x", "/v3/x")
	if after := c.ready("web"); after.Status.ContainerID != before.Status.ContainerID {
		t.Error("the sidecar was replaced on the way")
	}
}

// A name in two files is an error in both, a sidecar under it stays as it is, and none is made.
func TestNameInTwoFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1"))
	before := c.ready("web")

	w.drop("copy.yaml", w.spec("web", "/v2"))
	c.is("web", "Ready", "", "DuplicateName", "web.yaml", "copy.yaml")
	w.served(proxyURL+"/api/x", "/v1/x")
	for _, name := range []string{"web.yaml", "copy.yaml"} {
		if f, err := c.source(name); err != nil || len(f.Errors) == 0 {
			t.Errorf("/sources says %+v of %s, %v", f, name, err)
		}
	}
	w.erase("web.yaml")
	w.served(proxyURL+"/api/x", "/v2/x")
	if after := c.ready("web"); after.Status.ContainerID != before.Status.ContainerID {
		t.Error("the sidecar was replaced")
	}
}

// After a restart a bad file has no last good objects. The sidecars that it may have declared are kept.
func TestBadFileAtTheStartProtectsItsSidecar(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1"))
	before := c.ready("web")
	c.terminate()

	w.drop("web.yaml", "not: [yaml")
	c = w.run("--resync", "200ms")
	c.readyz()
	eventually(t, "pruning is blocked", func() error {
		v, err := c.metric("credproxy_prune_blocked")
		if err == nil {
			err = want(v >= 1, v)
		}
		return err
	})
	if inspect(t, before.Status.ContainerID).State.Status != "running" {
		t.Error("the sidecar does not run")
	}
	w.drop("web.yaml", w.spec("web", "/v2"))
	w.served(proxyURL+"/api/x", "/v2/x")
	if after := c.ready("web"); after.Status.ContainerID != before.Status.ContainerID {
		t.Error("the sidecar was replaced")
	}
}

// An empty directory at the start is more often a mistake than a wish; `apply --prune` says that it is meant.
func TestEmptyDirectoryAtTheStartRemovesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	c := w.run()
	w.drop("web.yaml", w.spec("web", "/v1"))
	before := c.ready("web")
	c.terminate()

	w.erase("web.yaml")
	c = w.run("--resync", "200ms")
	c.readyz()
	eventually(t, "pruning is blocked", func() error {
		v, err := c.metric("credproxy_prune_blocked")
		if err == nil {
			err = want(v >= 1, v)
		}
		return err
	})
	c.logged("PruneBlocked")
	if inspect(t, before.Status.ContainerID).State.Status != "running" {
		t.Error("the sidecar does not run")
	}
	c.terminate()
	out, errOut, status := verb(t, append([]string{"apply", "--prune"}, w.passFlags()...)...)
	if status != 0 || len(labelled(t, "container", w.id)) != 0 {
		t.Errorf("apply --prune exits %d and leaves %v: %s%s", status, labelled(t, "container", w.id), out, errOut)
	}
}
