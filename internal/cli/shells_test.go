//go:build shells

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"credproxy.dev/controller/internal/ptytest"
)

// shellStage is a controller with two specs, and the environment in which a shell finds the command and the controller.
func shellStage(t *testing.T) (env []string) {
	t.Helper()
	server := started(t, newConsole(t, &fakeController{}), specs(t, "web.yaml", goodSpec, "api.yaml", specNamed("api")))
	if c := newConsole(t, nil); c.run(t, "wait", "web", "--server", server) != 0 {
		t.Fatal(c.err.String())
	}
	return append(os.Environ(), "PATH="+asController(t)+":"+os.Getenv("PATH"), "CREDPROXY_SERVER="+server, "HOME="+t.TempDir(), "TERM=dumb")
}

func valueOf(env []string, name string) (value string) {
	for _, one := range env {
		if v, ok := strings.CutPrefix(one, name+"="); ok {
			value = v
		}
	}
	return value
}

func TestShellBashWithItsPackage(t *testing.T) {
	server := valueOf(shellStage(t), "CREDPROXY_SERVER")
	for line, want := range map[string]string{"controller status w": "web", "controller status --server=" + server + " a": "api", "controller plan -o j": "json"} {
		got := inBash(t, server, line, "source /usr/share/bash-completion/bash_completion")
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: %q, want %s", line, got, want)
		}
	}
}

func TestShellFish(t *testing.T) {
	env := shellStage(t)
	for line, want := range map[string]string{
		"controller stat": "status\tAsk a running controller how its sidecars are", "controller status w": "web\tRunning",
		"controller wait --for Cur": "Current", "controller explain credproxy.spec.rou": "credproxy.spec.routes\ncredproxy.spec.routes.",
	} {
		cmd := exec.Command("fish", "--no-config", "-c", "controller completion fish | source; complete --do-complete=$argv[1]", line)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%q: %v, %q, want %q", line, err, got, want)
		}
	}
}

// zsh completes only for a person who types, so there is a terminal.
func TestShellZsh(t *testing.T) {
	env := shellStage(t)
	home := valueOf(env, "HOME")
	completion := exec.Command(filepath.Join(strings.Split(valueOf(env, "PATH"), ":")[0], "controller"), "completion", "zsh")
	completion.Env = env
	script, err := completion.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "_controller"), script, 0o600); err != nil {
		t.Fatal(err)
	}
	pty := ptytest.Open(t, 120, 40)
	zsh := exec.Command("zsh", "-f", "-i")
	zsh.Env, zsh.Dir = slices.Concat(env, []string{"PS1=READY ", "PS2="}), home
	zsh.Stdin, zsh.Stdout, zsh.Stderr = pty.Out, pty.Out, pty.Out
	zsh.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := zsh.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = zsh.Process.Kill() })
	before := 0 // what was on the screen before the last that was typed
	shown := func(words string) {
		t.Helper()
		pty.Until(t, func(string) bool { return strings.Contains(pty.Raw()[before:], words) })
	}
	typed := func(keys string) {
		t.Helper()
		before = len(pty.Raw())
		pty.Type(t, keys)
	}
	shown("READY ")
	typed("fpath=($HOME $fpath); autoload -U compinit; compinit -u; echo do''ne\n")
	shown("done")
	for begun, completed := range map[string]string{
		"controller stat": "controller status", "controller status w": "controller status web", "controller wait --for Cur": "controller wait --for Current",
	} {
		typed(begun + "\t")
		shown(completed)
		pty.Type(t, "\x15") // the line is taken back
	}
	pty.Type(t, "exit\n")
	if err := zsh.Wait(); err != nil {
		t.Errorf("%v:\n%s", err, pty.Raw())
	}
}
