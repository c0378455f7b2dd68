package proxy

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

func TestUsesOfGit(t *testing.T) {
	type use struct {
		name       int
		repository string
	}
	const object = "/objects/e6/9de29bb2d1d6434b8b29ae775ad8c2e48c5391"
	for request, want := range map[string]use{
		"GET /acme/web.git/info/refs?service=git-upload-pack":                     {gitFetch, "acme/web"},
		"GET /acme/web/info/refs?service=git-upload-pack":                         {gitFetch, "acme/web"},
		"POST /acme/web.git/git-upload-pack":                                      {gitFetch, "acme/web"},
		"GET /acme/web.git/info/refs?service=git-receive-pack":                    {gitPush, "acme/web"},
		"POST /acme/web.git/git-receive-pack":                                     {gitPush, "acme/web"},
		"POST /acme/web/git-receive-pack":                                         {gitPush, "acme/web"},
		"POST /acme/My%20Project/_git/web/git-receive-pack":                       {gitPush, "acme/My Project/_git/web"},
		"POST /acme/Web.GIT/git-receive-pack":                                     {gitPush, "acme/Web.GIT"},
		"POST /acme/web.git.git/git-receive-pack":                                 {gitPush, "acme/web.git"},
		"POST /git-receive-pack":                                                  {gitPush, ""},
		"POST /acme/web/%67it-receive-pack":                                       {gitPush, "acme/web"},
		"GET /acme/web.git/info/refs":                                             {gitFetch, "acme/web"},
		"GET /acme/web.git/HEAD":                                                  {gitFetch, ""},
		"GET /acme/web.git" + object:                                              {gitFetch, ""},
		"GET /acme/web.git/objects/info/packs":                                    {gitFetch, ""},
		"GET /acme/web.git/objects/pack/pack-" + strings.Repeat("a", 40) + ".idx": {gitFetch, ""},
		"POST /acme/web.git/info/lfs/objects/batch":                               {gitLFS, ""},
		"GET /acme/web.git/info/lfs/locks?path=a":                                 {gitLFS, ""},

		"GET /acme/web.git/info/refs?service=git-upload-pack&service=git-receive-pack": {gitOther, ""},
		"GET /acme/web.git/info/refs?service=git-upload-archive":                       {gitOther, ""},
		"GET /acme/web.git/info/refs?service=GIT-RECEIVE-PACK":                         {gitOther, ""},
		"GET /acme/web.git/info/refs?a=b":                                              {gitOther, ""},
		"POST /acme/web.git/info/refs?service=git-upload-pack":                         {gitOther, ""},
		"GET /acme/web.git/git-receive-pack":                                           {gitOther, ""},
		"PUT /acme/web.git/git-receive-pack":                                           {gitOther, ""},
		"post /acme/web.git/git-receive-pack":                                          {gitOther, ""},
		"POST /acme/web.git/git-receive-pack?service=git-upload-pack":                  {gitOther, ""},
		"POST /acme/web.git/git-receive-pack/":                                         {gitOther, ""},
		"POST /acme/web.git/GIT-RECEIVE-PACK":                                          {gitOther, ""},
		"POST /acme%2fweb.git/git-receive-pack":                                        {gitOther, ""},
		"POST /acme/web.git%2fgit-receive-pack":                                        {gitOther, ""},
		"POST /acme/web%252f/git-receive-pack":                                         {gitOther, ""},
		"POST /acme//web/git-receive-pack":                                             {gitOther, ""},
		"POST /acme/web;x/git-receive-pack":                                            {gitOther, ""},
		"POST /acme/web%3f/git-receive-pack":                                           {gitOther, ""},
		"PUT /acme/web.git/HEAD":                                                       {gitOther, ""},
		"GET /acme/web.git/config":                                                     {gitOther, ""},
		"GET /acme/web/settings/keys":                                                  {gitOther, ""},
		"POST /graphql":                                                                {gitOther, ""},
		"GET ":                                                                         {gitOther, ""},
	} {
		method, target, _ := strings.Cut(request, " ")
		rest, query, _ := strings.Cut(target, "?")
		repository, got := gitUse(method, rest, query)
		if joined := strings.Join(repository, "/"); got != want.name || want.repository != "" && joined != want.repository {
			t.Errorf("%s: %d of %q, want %d of %q", request, got, joined, want.name, want.repository)
		}
	}
}

func TestPushesToRepositories(t *testing.T) {
	rules := newGitRules(&routetable.Git{Push: []string{"acme/web", "acme/docs.git", "tools/*", "deep/**"}})
	for repository, want := range map[string]bool{
		"acme/web": true, "acme/docs": true, "tools/a": true, "tools/a.wiki": true, "deep": true, "deep/a/b": true,
		"acme/Web": false, "acme/web.git": false, "acme/web/x": false, "x/acme/web": false, "acme": false, "tools": false, "tools/a/b": false, "": false,
	} {
		if got := rules.pushesTo(segmentsOf(repository)); got != want {
			t.Errorf("%s: %v, want %v", repository, got, want)
		}
	}
	if !newGitRules(&routetable.Git{Push: []string{"**"}}).pushesTo(nil) {
		t.Error("a route that leads to a repository itself cannot be pushed to")
	}
}

// FuzzGitUse holds that no request is taken for another repository's than a server may take it for.
func FuzzGitUse(f *testing.F) {
	f.Add("POST", "/acme/web.git/git-receive-pack", "")
	f.Add("GET", "/acme/web.git/info/refs", "service=git-receive-pack")
	f.Add("POST", "/acme%2fweb/git-receive-pack", "")
	f.Fuzz(func(t *testing.T, method, rest, query string) {
		if badPath(rest) != "" {
			return
		}
		repository, use := gitUse(method, rest, query)
		pushes := strings.Contains(query, "receive-pack") || strings.HasSuffix(decodeOnce(decodeOnce(rest)), "git-receive-pack")
		if use == gitFetch && pushes {
			t.Errorf("%s %s?%s is taken for a fetch", method, rest, query)
		}
		if use != gitPush {
			return
		}
		for path := range readings(rest) {
			if !slices.Equal(repository, repositoryOf(path[:len(repository)])) {
				t.Errorf("%s %s is of %q, and may be read as %q", method, rest, repository, path)
			}
		}
	})
}

// git runs git in a directory, without any configuration but its own.
func git(t *testing.T, dir string, args ...string) (output string, err error) {
	t.Helper()
	args = append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.version=2"}, args...)
	command := exec.CommandContext(t.Context(), "git", args...)
	command.Env = append(os.Environ(), "HOME="+t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "no_proxy=*")
	out, err := command.CombinedOutput()
	return string(out), err
}

// mustGit is git that has to succeed.
func mustGit(t *testing.T, dir string, args ...string) {
	t.Helper()
	if out, err := git(t, dir, args...); err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
}

// forge serves the repositories acme/web and acme/docs, of one commit each, to those who come with the token.
func forge(t *testing.T) string {
	t.Helper()
	dir, work := t.TempDir(), t.TempDir()
	mustGit(t, work, "init", "-q", "-b", "main")
	mustGit(t, work, "commit", "-q", "--allow-empty", "-m", "first")
	for _, name := range []string{"web", "docs"} {
		bare := filepath.Join(dir, "acme", name+".git")
		mustGit(t, work, "clone", "-q", "--bare", work, bare)
		mustGit(t, bare, "config", "http.receivepack", "true")
		mustGit(t, bare, "update-server-info")
	}
	return gitBackend(t, dir)
}

func TestGitClonesFetchesAndPushesWhereItMay(t *testing.T) {
	type step struct {
		name    string
		args    []string
		refused string
	}
	commit := step{"commit", []string{"commit", "-q", "--allow-empty", "-m", "second"}, ""}
	for name, tt := range map[string]struct {
		rules routetable.Git
		clone string
		steps []step
	}{
		"fetch and push": {routetable.Git{Fetch: true, Push: []string{"acme/web"}}, "", []step{
			commit,
			{"push", []string{"push", "-q", "origin", "main"}, ""},
			{"push without .git", []string{"push", "-q", "%s/acme/web", "main:b"}, ""},
			{"fetch", []string{"fetch", "-q", "origin"}, ""},
			{"push elsewhere", []string{"push", "-q", "%s/acme/docs.git", "main"}, "route /r does not permit to push to this repository; it permits to clone and fetch, and to push to acme/web"},
			{"push under other letters", []string{"push", "-q", "%s/acme/Web.git", "main"}, "does not permit to push to this repository"},
		}},
		"fetch alone": {routetable.Git{Fetch: true}, "", []step{
			commit,
			{"push", []string{"push", "-q", "origin", "main"}, "it permits to clone and fetch, and no push"},
		}},
		"push alone": {routetable.Git{Push: []string{"acme/*"}}, "does not permit to clone or fetch; it permits to push to acme/*", nil},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := serve(t, routetable.Route{Path: "/r", Upstream: forge(t), Git: &tt.rules,
				Auth: &routetable.Auth{Scheme: "Basic", Username: "x", TokenFile: "CRED_PROXY_TOKEN_1"}})
			work := t.TempDir()
			out, err := git(t, work, "clone", "-q", proxy.url("/r/acme/web.git"), ".")
			if (err != nil) != (tt.clone != "") || !strings.Contains(out, tt.clone) {
				t.Fatalf("clone: %v: %s; want %q\n%s", err, out, tt.clone, proxy.log)
			}
			for _, step := range tt.steps {
				args := slices.Clone(step.args)
				for i, arg := range args {
					if strings.Contains(arg, "%s") {
						args[i] = fmt.Sprintf(arg, proxy.url("/r"))
					}
				}
				out, err := git(t, work, args...)
				if (err != nil) != (step.refused != "") || !strings.Contains(out, step.refused) {
					t.Errorf("%s: %v: %s; want %q\n%s", step.name, err, out, step.refused, proxy.log)
				}
			}
		})
	}
}

func TestNothingButGitPassesOnARouteForGit(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, gated(upstream.URL, func(r *routetable.Route) {
		r.Git = &routetable.Git{Fetch: true, Push: []string{"acme/web"}}
	}))
	for _, request := range []string{
		"GET /r/acme/web/settings", "POST /r/graphql", "DELETE /r/acme/web", "POST /r/acme/docs/git-receive-pack",
		"POST /r/acme%2fweb/git-receive-pack", "POST /r/acme/web/info/lfs/objects/batch", "GET /r/",
	} {
		res, body := raw(t, proxy.addr, request+" HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
		if res.StatusCode != http.StatusForbidden || res.Header.Get(routetable.FieldError) != "denied" {
			t.Errorf("%s: %d %s", request, res.StatusCode, body)
		}
	}
	if got := upstream.all(); len(got) > 0 {
		t.Errorf("%d requests arrived: %+v", len(got), got)
	}
}
