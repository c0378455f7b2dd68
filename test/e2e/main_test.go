//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What TestMain made, for all stories.
//
//nolint:gochecknoglobals // set once, before the first story, and never after
var (
	// controllerBinary has the race detector in it; a race ends the controller and fails its story.
	controllerBinary string
	toolboxBinary    string
	// toolboxImage is an image from scratch that holds the toolbox alone.
	toolboxImage string
)

func TestMain(m *testing.M) {
	os.Exit(runStories(m))
}

func runStories(m *testing.M) int {
	if out, err := exec.Command("docker", "version", "--format", "{{.Server.Version}}").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "these tests need an engine, and none answers (hack/engine.sh starts one): %v\n%s", err, out)
		return 1
	}
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = exec.Command("docker", "rmi", toolboxImage).Run() }()
	return m.Run()
}

// build makes the binaries and the image that the stories use.
func build() error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	if err := command(root, "make", "-s", "sidecars", "toolbox"); err != nil {
		return err
	}
	toolboxBinary = filepath.Join(root, "bin", "toolbox")
	controllerBinary = filepath.Join(root, "bin", "e2e", "controller")
	if err := command(root, "go", "build", "-race", "-buildvcs=false", "-o", controllerBinary, "./cmd/controller"); err != nil {
		return err
	}
	toolboxImage = "credproxy-toolbox:" + newID()
	return importToolbox(toolboxImage)
}

// importToolbox makes an image of the toolbox, with changes in the words of a Dockerfile.
func importToolbox(ref string, changes ...string) error {
	script := `tar -C "$0" -c toolbox | docker import "$@"`
	args := []string{"-c", script, filepath.Dir(toolboxBinary), "--change", `ENTRYPOINT ["/toolbox"]`}
	for _, change := range changes {
		args = append(args, "--change", change)
	}
	return command("", "sh", append(args, "-", ref)...)
}

func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
