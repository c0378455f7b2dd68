package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// completed asks as the scripts of shells do, and returns what is offered and the directive.
func completed(t *testing.T, server string, line ...string) (offered []string, directive string) {
	t.Helper()
	return completedWithin(t, testPatience, server, line...)
}

func completedWithin(t *testing.T, patience time.Duration, server string, line ...string) (offered []string, directive string) {
	t.Helper()
	c := newConsole(t, nil)
	c.vars["CREDPROXY_SERVER"], c.patience = server, patience
	if code := c.run(t, append([]string{"__completeNoDesc"}, line...)...); code != 0 {
		t.Fatalf("%v: exit code %d: %s", line, code, c.err.String())
	}
	lines := strings.Split(strings.TrimSpace(c.out.String()), "\n")
	last := len(lines) - 1
	return lines[:last], lines[last]
}

const (
	noFiles   = ":4"
	noMore    = ":6" // no files, and no space behind it
	withFiles = ":8" // files with one of these endings
	onlyDirs  = ":16"
)

func TestCommandLinesAreCompleted(t *testing.T) {
	fake := &fakeController{}
	server := started(t, newConsole(t, fake), specs(t, "web.yaml", goodSpec+"    auth: {scheme: Bearer, tokenRef: {env: WEB_TOKEN}}\n", "api.yaml", specNamed("api")))
	if c := newConsole(t, nil); c.run(t, "wait", "web", "--server", server) != 0 {
		t.Fatal(c.err.String())
	}
	for _, tt := range []struct {
		line      string
		want      string
		directive string
	}{
		{"status ", "api web", noFiles},
		{"status --server " + server + " ", "api web", noFiles},
		{"status web ", "", noFiles},
		{"events ", "api web", noFiles},
		{"wait ", "api web", noFiles},
		{"logs ", "api web", noFiles},
		{"logs web ", "", noFiles},
		{"logs web -o ", "text json", noFiles},
		{"plan --color ", "auto always never", noFiles},
		{"env ", "api web", noFiles},
		{"try ", "api web", noFiles},
		{"try web ", "/anthropic/", noMore},
		{"try web /x ", "", noFiles},
		{"revoke web ", "api", noFiles},
		{"revoke --token ", "env:WEB_TOKEN", noFiles},
		{"status -o ", "table wide describe json yaml", noFiles},
		{"plan --output ", "text json", noFiles},
		{"wait --for ", "Ready Current TokensResolved NetworksReady Isolated Permitted Deleted", noFiles},
		{"events --type ", "Normal Warning", noFiles},
		{"run --log-level ", "debug info warn error", noFiles},
		{"run --specs ", "", onlyDirs},
		{"run --policy ", "yaml yml json", withFiles},
		{"run --instance ", "", noFiles},
		{"run ", "", noFiles},
		{"validate ", "yaml yml json", withFiles},
		{"completion ", "bash zsh fish", noFiles},
		{"schema ", "CredProxy TokenPolicy TokenProviders", noFiles},
		{"explain ", "credproxy tokenpolicy tokenproviders", noMore},
		{"explain credproxy.spec.resources.", "credproxy.spec.resources.memory credproxy.spec.resources.cpus credproxy.spec.resources.pids", noMore},
		{"explain nothing.", "", noMore},
	} {
		got, directive := completed(t, server, strings.Split(tt.line, " ")...)
		if diff := cmp.Diff(strings.Fields(tt.want), got, cmp.Comparer(slices.Equal[[]string])); diff != "" || directive != tt.directive {
			t.Errorf("%q: %v, directive %s; want %s, %s", tt.line, got, directive, tt.want, tt.directive)
		}
	}
}

func TestCompletionIsSilentWithoutAController(t *testing.T) {
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hangs.Close()
	for _, server := range []string{"127.0.0.1:1", hangs.URL, "http://[::1"} {
		if got, directive := completedWithin(t, time.Millisecond, server, "status", ""); len(got) != 0 || directive != noFiles {
			t.Errorf("%s: %v, %s", server, got, directive)
		}
	}
}

// hostile answers like a controller, with names that do something in a shell that is not careful.
func hostile(t *testing.T, does string) *httptest.Server {
	t.Helper()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"items": [
			{"metadata": {"name": %[1]q}}, {"metadata": {"name": "web\u001b[2J"}}, {"metadata": {"name": "two words"}},
			{"metadata": {"name": "web"}, "status": {"conditions": [{"type": "Ready", "status": "True", "reason": %[1]q}]},
			 "spec": {"routes": [{"path": "/good", "upstream": %[1]q}, {"path": "/%[2]s"},
			  {"path": "/x", "auth": {"scheme": "Bearer", "tokenRef": {"env": %[1]q}}}]}}]}`, does, strings.ReplaceAll(does, " ", ""))
	}))
	t.Cleanup(page.Close)
	return page
}

func TestWhatAShellCouldTakeForMoreThanANameIsNotOffered(t *testing.T) {
	page := hostile(t, "$(touch x)")
	for line, want := range map[string]string{"status ": "web", "try web ": "/good/ /x/", "revoke --token ": ""} {
		if got, _ := completed(t, page.URL, strings.Split(line, " ")...); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: %q, want %s", line, got, want)
		}
	}
}

// wordsOfTheLine stands for what the script takes of bash-completion, which is not everywhere: the words of the line.
const wordsOfTheLine = `
_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]}; prev=${COMP_WORDS[COMP_CWORD-1]}; words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; }
__ltrim_colon_completions() { :; }
`

// inBash has bash complete a line by the script, as it does when a person types a tab. prelude is run before.
func inBash(t *testing.T, server, line, prelude string) []string {
	t.Helper()
	bin := asController(t)
	script := prelude + `
source <(controller completion bash)
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
read -ra COMP_WORDS <<<"$1"
[[ $1 == *' ' ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { :; }
__start_controller
printf '%s\n' "${COMPREPLY[@]}"
`
	cmd := exec.Command("bash", "--norc", "-c", script, "bash", line)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "CREDPROXY_SERVER="+server)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if left, err := os.ReadDir(cmd.Dir); err != nil || len(left) > 0 {
		t.Errorf("something was run: %v, %v", left, err)
	}
	return strings.Fields(string(out))
}

func TestBashCompletes(t *testing.T) {
	server := started(t, newConsole(t, &fakeController{}), specs(t, "web.yaml", goodSpec, "api.yaml", specNamed("api")))
	if c := newConsole(t, nil); c.run(t, "wait", "web", "--server", server) != 0 {
		t.Fatal(c.err.String())
	}
	for line, want := range map[string]string{
		"controller stat": "status", "controller status w": "web", "controller wait --for Cur": "Current",
		"controller explain credproxy.spec.rou": "credproxy.spec.routes", "controller plan --ex": "--exit-code", "controller frob ": "",
	} {
		if got := inBash(t, server, line, wordsOfTheLine); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: %q, want %s", line, got, want)
		}
	}
	page := hostile(t, "$(touch x)")
	for line, want := range map[string]string{"controller status ": "web", "controller try web /g": "/good/"} {
		if got := inBash(t, page.URL, line, wordsOfTheLine); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q of a hostile answer: %q, want %s", line, got, want)
		}
	}
}

func TestScriptsAreForShellsThatAreKnown(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		c := newConsole(t, nil)
		if code := c.run(t, "completion", shell); code != 0 || !strings.Contains(c.out.String(), shell+" completion") {
			t.Errorf("%s: exit code %d: %s", shell, code, c.err.String())
		}
	}
	c := newConsole(t, nil)
	if code := c.run(t, "completion", "bahs"); code != 2 || !strings.Contains(c.err.String(), "do you mean bash?") {
		t.Errorf("exit code %d: %s", code, c.err.String())
	}
}

// asController makes a directory with a program controller, which is this test.
func asController(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := fmt.Sprintf("#!/bin/sh\n%s=1 exec %q \"$@\"\n", runAsController, os.Args[0])
	if err := os.WriteFile(filepath.Join(dir, "controller"), []byte(program), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}
