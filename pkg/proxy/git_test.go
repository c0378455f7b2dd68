package proxy

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

// gitUpstream serves an empty repository, r.git, over HTTP to those who come with the token.
func gitUpstream(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("git", "init", "-q", "--bare", filepath.Join(dir, "r.git")).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v: %s", err, out)
	}
	return gitBackend(t, dir)
}

// gitBackend serves the repositories below a directory over HTTP to those who come with the token.
func gitBackend(t *testing.T, dir string) string {
	t.Helper()
	core, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(core)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"},
	}
	return newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "x" || password != token {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		backend.ServeHTTP(w, r)
	})
}

// TestGitShowsTheCallerKeyAsItsPassword: git takes the key from the URL, or on the challenge from its credential helper.
func TestGitShowsTheCallerKeyAsItsPassword(t *testing.T) {
	for name, tt := range map[string]struct {
		who    *routetable.CallerAuth
		user   string
		config string
		served bool
	}{
		"from the URL":        {anySlot(), "agent:" + callerKey + "@", "", true},
		"from a helper":       {anySlot(), "", "credential.helper=!f() { echo username=agent; echo password=" + callerKey + "; }; f", true},
		"from a header":       {inHeader("X-My-Key"), "", "http.extraHeader=X-My-Key: " + callerKey, true},
		"wrong from a helper": {anySlot(), "", "credential.helper=!f() { echo username=agent; echo password=made-up; }; f", false},
		"none":                {anySlot(), "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			routes := []routetable.Route{{Path: "/git", Upstream: gitUpstream(t),
				Auth: &routetable.Auth{Scheme: "Basic", Username: "x", TokenFile: "CRED_PROXY_TOKEN_1"}}}
			proxy := serve(t, routes...)
			if err := proxy.Swap(loadFiles(t, sealFor(t, 1, tt.who, callerKey, routes...))); err != nil {
				t.Fatal(err)
			}
			args := []string{"ls-remote", fmt.Sprintf("http://%s%s/git/r.git", tt.user, proxy.addr)}
			if tt.config != "" {
				args = append([]string{"-c", tt.config}, args...)
			}
			git := exec.CommandContext(t.Context(), "git", args...)
			git.Env = append(os.Environ(), "HOME="+t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "no_proxy=*")
			if out, err := git.CombinedOutput(); (err == nil) != tt.served {
				t.Errorf("git: %v: %s\n%s", err, out, proxy.log)
			}
		})
	}
}

// Whatever the sidecar refuses, git tells its user the words.
func TestGitShowsWhyItWasRefused(t *testing.T) {
	proxy := serve(t, routetable.Route{Path: "/git", Upstream: "http://127.0.0.1:1", AllowPrivate: true}, routeTo("http://127.0.0.1:1"))
	for path, want := range map[string]string{"git": "remote: {\"error\":\"upstream_unreachable\"", "elsewhere": "remote: {\"error\":\"no_route\""} {
		git := exec.CommandContext(t.Context(), "git", "ls-remote", fmt.Sprintf("http://%s/%s/r.git", proxy.addr, path))
		git.Env = append(os.Environ(), "HOME="+t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "no_proxy=*")
		if out, err := git.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("git says nothing of %s: %v\n%s", want, err, out)
		}
	}
}
