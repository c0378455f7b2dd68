// Package arch holds the directions in which packages may import each other, so that each can be read, tested and
// replaced by itself. The linter says the same at the line of an import; this looks at everything that is reached.
package arch

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "credproxy.dev/controller/"

// rule keeps a package from reaching others, directly or not.
type rule struct {
	pkg string
	// not are the beginnings of what it must not reach; except are those of what it may nevertheless.
	not, except []string
	because     string
}

func rules() []rule {
	const docker, k8s = "github.com/docker/", "k8s.io/"
	return []rule{
		{pkg: "pkg/spec", not: []string{module, docker}, because: "the API says what a file means, whatever is done with it"},
		{pkg: "pkg/routetable", not: []string{"."}, because: "the contract of controller and sidecar is standard library only"},
		{pkg: "pkg/source", not: []string{module, docker}, except: []string{module + "pkg/spec"},
			because: "a source hands out snapshots of specs, and knows neither engine nor loop"},
		{pkg: "pkg/reconcile", not: []string{module, docker}, except: []string{module + "pkg/spec", module + "pkg/routetable"},
			because: "what is decided can be tested without files and without an engine"},
		{pkg: "pkg/dockerdriver", not: []string{module},
			except:  []string{module + "pkg/reconcile", module + "pkg/spec", module + "pkg/routetable"},
			because: "a driver obeys a loop, and does not know whose"},
		{pkg: "pkg/proxy", not: []string{module, docker, k8s, "sigs.k8s.io/"}, except: []string{module + "pkg/routetable"},
			because: "the sidecar holds tokens: it is small, and knows routes.json alone"},
		{pkg: "cmd/cred-proxy", not: []string{module, docker, k8s, "sigs.k8s.io/"},
			except:  []string{module + "pkg/routetable", module + "pkg/proxy"},
			because: "the sidecar holds tokens: it is small, and knows routes.json alone"},
		{pkg: "internal/web", not: []string{docker, module + "pkg/dockerdriver", module + "internal/app"},
			because: "pages show what they are handed"},
	}
}

func TestPackagesReachOnlyWhatTheyMay(t *testing.T) {
	reached := imports(t, "-deps", "./...")
	for _, r := range rules() {
		t.Run(r.pkg, func(t *testing.T) {
			self, ok := reached[module+r.pkg]
			if !ok {
				t.Fatalf("there is no package %s", r.pkg)
			}
			for _, dep := range self.Deps {
				if begins(dep, r.not) && !begins(dep, r.except) {
					t.Errorf("%s reaches %s, and must not: %s", r.pkg, dep, r.because)
				}
			}
		})
	}
}

// One package imports the Docker client, because its successor has another name: to follow it, one package changes.
func TestOnePackageImportsTheDockerClient(t *testing.T) {
	for path, pkg := range imports(t, "-tags=e2e", "-test", "./...") {
		// A package compiled for a test is listed as "path [path.test]".
		path, _, _ = strings.Cut(path, " ")
		if strings.TrimSuffix(path, "_test") == module+"pkg/dockerdriver" || strings.HasSuffix(path, ".test") {
			continue
		}
		for _, imported := range pkg.Imports {
			if strings.HasPrefix(imported, "github.com/docker/docker/") {
				t.Errorf("%s imports %s; only pkg/dockerdriver may", path, imported)
			}
		}
	}
}

// The end-to-end tests are outsiders: they would not notice if what they import changed along with what they test.
func TestEndToEndTestsImportNothingOfOurs(t *testing.T) {
	for path, pkg := range imports(t, "-tags=e2e", "-test", "./test/e2e") {
		for _, imported := range pkg.Imports {
			if strings.HasPrefix(imported, module) && !strings.HasPrefix(imported, module+"test/e2e") {
				t.Errorf("%s imports %s", path, imported)
			}
		}
	}
}

// pkgInfo is what go list says of a package.
type pkgInfo struct {
	ImportPath    string
	Imports, Deps []string
}

// imports lists packages of this module by import path.
func imports(t *testing.T, args ...string) map[string]pkgInfo {
	t.Helper()
	look(t, "../..")
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Deps"}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	found := map[string]pkgInfo{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg pkgInfo
		err := decoder.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found[pkg.ImportPath] = pkg
	}
}

// look opens every directory of the checkout, because Go's test cache knows only of what the test itself has opened and not
// of what `go list` reads: without it an answer could be older than the code.
func look(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (entry.Name() == "bin" || strings.HasPrefix(entry.Name(), ".") && path != root) {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// begins reports whether a path begins with one of the prefixes. The prefix "." means any path of a domain: all that
// is not of the standard library.
func begins(path string, prefixes []string) bool {
	for _, prefix := range prefixes {
		first, _, _ := strings.Cut(path, "/")
		if prefix == "." && strings.Contains(first, ".") || strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}
