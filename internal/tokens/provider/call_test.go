package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/internal/tokens/value"
	"credproxy.dev/controller/pkg/reconcile"
)

// script writes a plugin for sh and returns a provider that runs it, with that directory as its only argument.
func script(t *testing.T, lines string) (p Provider, dir string) {
	t.Helper()
	dir = t.TempDir()
	path := filepath.Join(dir, "plugin")
	must(t, os.WriteFile(path, []byte("#!/bin/sh\n"+lines), 0o700))
	return Provider{Name: "test", Command: path, Args: []string{dir}, Timeout: time.Minute}, dir
}

func ask(t *testing.T, p Provider) (answer, *failure) {
	t.Helper()
	return call(t.Context(), p, "team-a/github", os.LookupEnv)
}

// prints is a line of sh that prints a text as it is.
func prints(text string) string { return "cat <<'END'\n" + text + "\nEND\n" }

func TestAPluginsTokenIsTaken(t *testing.T) {
	p, _ := script(t, prints(status(`"token":"`+secret+`","expirationTimestamp":"2999-01-02T03:04:05Z"`)))
	got, why := ask(t, p)
	if why != nil || got.token.Reveal() != secret || got.expiry.Year() != 2999 {
		t.Errorf("%v, expires %v", why, got.expiry)
	}
}

func TestAPluginGetsWhatIsDeclaredAndNothingElse(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", secret)
	t.Setenv("PASSED", "on")
	p, dir := script(t, `env >"$1/env"; pwd >"$1/pwd"; readlink /proc/self/fd/0 >"$1/stdin"; ls -l /proc/self/fd >"$1/fds"
tr '\0' '\n' </proc/$$/cmdline >"$1/argv"; ulimit -c >"$1/core"; cut -d ' ' -f 5 /proc/$$/stat >"$1/group"; echo $$ >"$1/pid"
`+prints(status(`"token":"x"`)))
	p.PassEnv, p.Env = []string{"PASSED"}, []Variable{{"GIVEN", "a b"}}
	if _, why := ask(t, p); why != nil {
		t.Fatal(why)
	}
	saw := func(what string) string {
		data, err := os.ReadFile(filepath.Join(dir, what))
		must(t, err)
		return strings.TrimSpace(string(data))
	}
	env := slices.DeleteFunc(strings.Split(saw("env"), "\n"), func(line string) bool {
		return slices.Contains([]string{"PWD", "OLDPWD", "SHLVL", "_"}, line[:max(0, strings.Index(line, "="))]) // the shell's own
	})
	want := environment(p, "team-a/github", os.LookupEnv)
	slices.Sort(env)
	slices.Sort(want)
	if diff := cmp.Diff(want, env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if argv := saw("argv"); argv != "/bin/sh\n"+p.Command+"\n"+dir {
		t.Errorf("arguments: %q", argv)
	}
	if saw("pwd") != "/" || saw("stdin") != "/dev/null" || saw("core") != "0" || saw("group") != saw("pid") {
		t.Errorf("directory %s, input %s, core dumps %s, group %s of process %s", saw("pwd"), saw("stdin"), saw("core"), saw("group"), saw("pid"))
	}
}

func TestPluginsThatGiveNoToken(t *testing.T) {
	noise := "echo " + secret + " >&2; "
	tests := []struct {
		name, lines string
		kind        error
		says        string
		unknown     bool
	}{
		{"exits non-zero", noise + prints(status(`"token":"`+secret+`"`)) + "exit 3", reconcile.ErrTokenMissing, "exit status 3", true},
		{"ends itself", noise + "kill -9 $$", reconcile.ErrTokenMissing, "by a signal", true},
		{"floods", "exec yes " + secret, reconcile.ErrTokenInvalid, "more than 80 KiB", false},
		{"floods and takes no signal", "trap '' PIPE; while :; do echo " + secret + "; done", reconcile.ErrTokenInvalid, "more than 80 KiB", false},
		{"prints half of it", "printf '%s' '" + status(`"token":"` + secret + `"`)[:len(head)+25] + "'", reconcile.ErrTokenInvalid, "not one ExecCredential", false},
		{"prints the token alone", "echo " + secret, reconcile.ErrTokenInvalid, "not one ExecCredential", false},
		{"prints nothing", noise + "exit 0", reconcile.ErrTokenInvalid, "not one ExecCredential", false},
		{"gives an expired token", prints(status(`"token":"` + secret + `","expirationTimestamp":"2001-01-01T00:00:00Z"`)), reconcile.ErrTokenInvalid, "expired", false},
		{"gives a token of two lines", prints(status(`"token":"` + secret + `\n` + secret + `"`)), reconcile.ErrTokenInvalid, "control character", false},
		{"gives a token with a NUL", prints(status(`"token":"` + secret + `\u0000"`)), reconcile.ErrTokenInvalid, "control character", false},
		{"gives a token that is too long", prints(status(`"token":"` + strings.Repeat("x", value.MaxBytes+1) + `"`)), reconcile.ErrTokenInvalid, "64 KiB", false},
		{"gives none", prints(status("")), reconcile.ErrTokenMissing, "no token", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, _ := script(t, tt.lines)
			expectFailure(t, p, tt.kind, tt.says, tt.unknown)
		})
	}
}

func expectFailure(t *testing.T, p Provider, kind error, says string, unknown bool) {
	t.Helper()
	_, why := ask(t, p)
	if why == nil || !errors.Is(why, kind) || !strings.Contains(why.Error(), says) {
		t.Fatalf("%v, want %v that says %q", why, kind, says)
	}
	if errors.Is(why, reconcile.ErrTokenUnknown) != unknown {
		t.Errorf("unknown: %v", !unknown)
	}
	mustNotTell(t, why)
}

func TestATokenOf64KiBIsTaken(t *testing.T) {
	longest := strings.Repeat("x", value.MaxBytes)
	p, _ := script(t, prints(status(`"token":"`+longest+`"`)))
	if got, why := ask(t, p); why != nil || got.token.Reveal() != longest {
		t.Error(why)
	}
}

func TestCommandsThatCannotBeRun(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), mode))
		return filepath.Join(dir, name)
	}
	for name, tt := range map[string]struct{ command, says string }{
		"missing":             {filepath.Join(dir, "missing"), "is not there"},
		"missing interpreter": {write("interpreter", "#!/no/such/sh\n", 0o700), "is not there"},
		"not executable":      {write("plain", "#!/bin/sh\n", 0o600), "may not be executed"},
		"directory":           {dir, "may not be executed"},
		"no program":          {write("text", "echo", 0o700), "begins with #!"},
	} {
		t.Run(name, func(t *testing.T) {
			expectFailure(t, Provider{Name: "test", Command: tt.command, Timeout: time.Minute}, reconcile.ErrTokenMissing, tt.says, true)
		})
	}
}

func TestAPluginThatHangsIsEndedWithItsChildren(t *testing.T) {
	p, dir := script(t, `sleep 600 & echo $! >"$1/child"; echo $$ >"$1/parent"; wait`)
	p.Timeout = 500 * time.Millisecond
	expectFailure(t, p, reconcile.ErrTokenMissing, "did not end within 500ms", true)
	expectGone(t, filepath.Join(dir, "parent"))
	expectGone(t, filepath.Join(dir, "child"))
}

func TestAChildThatHoldsTheOutputDoesNotHoldTheCallerUp(t *testing.T) {
	p, dir := script(t, `sleep 600 & echo $! >"$1/child"`+"\n"+prints(status(`"token":"`+secret+`"`)))
	got, why := ask(t, p)
	if why != nil || got.token.Reveal() != secret {
		t.Error(why)
	}
	expectGone(t, filepath.Join(dir, "child"))
}

func TestAChildThatLeftTheGroupDoesNotHoldTheCallerUp(t *testing.T) {
	p, dir := script(t, `setsid sh -c 'echo $$ >"$0/child"; exec sleep 600' "$1" & until [ -s "$1/child" ]; do :; done`+"\n"+
		prints(status(`"token":"`+secret+`"`)))
	got, why := ask(t, p)
	if why != nil || got.token.Reveal() != secret {
		t.Error(why)
	}
	must(t, syscall.Kill(pidIn(t, filepath.Join(dir, "child")), syscall.SIGKILL))
}

func TestACallerThatEndsTakesThePluginAlong(t *testing.T) {
	p, dir := script(t, `echo $$ >"$1/parent"; exec sleep 600`)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan *failure)
	go func() {
		_, why := call(ctx, p, "a", os.LookupEnv)
		ended <- why
	}()
	eventually(t, func() bool {
		data, err := os.ReadFile(filepath.Join(dir, "parent"))
		return err == nil && len(data) > 0
	})
	cancel()
	if why := <-ended; why == nil || !errors.Is(why, reconcile.ErrTokenUnknown) {
		t.Error(why)
	}
	expectGone(t, filepath.Join(dir, "parent"))
}

func TestAPluginThatIsMendedIsAskedAsItIsNow(t *testing.T) {
	p, _ := script(t, "exit 1")
	expectFailure(t, p, reconcile.ErrTokenMissing, "exit status 1", true)
	next := p.Command + ".new"
	must(t, os.WriteFile(next, []byte("#!/bin/sh\n"+prints(status(`"token":"`+secret+`"`))), 0o700))
	must(t, os.Rename(next, p.Command))
	if got, why := ask(t, p); why != nil || got.token.Reveal() != secret {
		t.Error(why)
	}
}

func pidIn(t *testing.T, file string) int {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	must(t, err)
	return pid
}

// expectGone waits until a process is gone, or ended and not yet reaped by whoever adopted it.
func expectGone(t *testing.T, file string) {
	t.Helper()
	pid := pidIn(t, file)
	eventually(t, func() bool {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(data), ") Z ")
	})
}

func eventually(t *testing.T, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			t.Fatal("it did not come about")
		case <-tick.C:
		}
	}
}
