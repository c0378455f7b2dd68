//go:build e2e && (wiring || clients)

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// hostImage makes an image that has the toolbox and the services, and finds this machine's programs in /usr, which is mounted. It is to be
// made before the story's world, so that it goes after the containers that are made of it.
func hostImage(t *testing.T) string {
	t.Helper()
	image, dir := "credproxy-agent:"+newID(), t.TempDir()
	build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "services"), "./test/services")
	build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	copyFile(t, toolboxBinary, filepath.Join(dir, "toolbox"))
	for _, link := range []string{"bin", "lib", "lib64", "sbin"} {
		if err := os.Symlink("usr/"+link, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, empty := range []string{"usr", "tmp", "story", "claude", "node_modules"} {
		if err := os.Mkdir(filepath.Join(dir, empty), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := command("", "sh", "-c", `chmod 755 "$0" && tar -C "$0" -c . | docker import - "$1"`, dir, image); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := tryDocker("rmi", image); err != nil {
			t.Error(err)
		}
	})
	return image
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o755); err != nil {
		t.Fatal(err)
	}
}
