package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"credproxy.dev/controller/internal/cli"
	"credproxy.dev/controller/test/fences"
)

// asCommand is set in the environment of a test binary that is to be the command.
const asCommand = "DOCS_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(cli.Run(context.Background(), os.Args[1:], cli.System{
			Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv, UID: os.Getuid(),
		}))
	}
	os.Exit(m.Run())
}

// What the pages have readers do without an engine works as they say, from top to bottom.
func TestCommandsThatNeedNoEngineWork(t *testing.T) {
	for path, found := range blocks(t) {
		story, ok := fences.StoryOf(path, found, fences.WithoutEngine)
		if !ok {
			continue
		}
		t.Run(strings.TrimSuffix(path, ".md"), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := story.Write(dir); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "bash", filepath.Join(dir, "script"))
			cmd.Dir = clone(t)
			cmd.Env = environment(t, filepath.Join(cmd.Dir, "bin"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			for _, err := range story.Compare(dir) {
				t.Error(err)
			}
		})
	}
}

// environment is that of a reader who has set nothing of ours, and has no engine. The command is on the path.
func environment(t *testing.T, path string) []string {
	t.Helper()
	return []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH") + ":" + path, "DOCKER_HOST=unix:///none.sock", "LC_ALL=C.UTF-8"}
}

// clone is a directory that looks like the project's own after `make build`. What is written there stays there.
func clone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(top)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "bin" {
			link(t, filepath.Join(top, e.Name()), filepath.Join(dir, e.Name()))
		}
	}
	me, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	// There is a file, and no variable of the shell's, so that the variable reaches nothing else.
	text := fmt.Sprintf("#!/bin/sh\n%s=1 exec '%s' \"$@\"\n", asCommand, me)
	if err := os.WriteFile(filepath.Join(dir, "bin", "controller"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}
