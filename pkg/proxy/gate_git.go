package proxy

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/glob"
	"credproxy.dev/controller/pkg/routetable"
)

// gitRules say what passes on a route for git: fetching, and pushing to some repositories. They know requests by git's HTTP
// protocol (gitprotocol-http(5)); whatever else there may be at the upstream does not pass.
type gitRules struct {
	fetch bool
	// pushes are the patterns of repositories as they were written, for people; push are their segments, without .git.
	pushes []string
	push   [][]string
}

func newGitRules(g *routetable.Git) *gitRules {
	if g == nil {
		return nil
	}
	rules := &gitRules{fetch: g.Fetch, pushes: g.Push}
	for _, repository := range g.Push {
		rules.push = append(rules.push, repositoryOf(segmentsOf(repository)))
	}
	return rules
}

// repositoryOf is a repository's path without the .git that servers let a client leave out.
func repositoryOf(segments []string) []string {
	repository := slices.Clone(segments)
	if n := len(repository); n > 0 {
		repository[n-1] = strings.TrimSuffix(repository[n-1], ".git")
	}
	return repository
}

// judge decides by what follows the route's prefix in an escaped path.
func (rules *gitRules) judge(route string, r *http.Request, rest string) *refusal {
	repository, use := gitUse(r.Method, rest, r.URL.RawQuery)
	switch {
	case use == gitFetch && rules.fetch, use == gitPush && rules.pushesTo(repository):
		return nil
	case use == gitFetch:
		return denied("route " + route + " does not permit to clone or fetch; it permits " + rules.words())
	case use == gitPush:
		return denied("route " + route + " does not permit to push to this repository; it permits " + rules.words())
	case use == gitLFS:
		return denied("route " + route + " does not pass Git LFS; set GIT_LFS_SKIP_SMUDGE=1 to go without its files")
	}
	return denied("route " + route + " passes git's smart HTTP protocol alone, of which this is no request; it permits " + rules.words())
}

func (rules *gitRules) pushesTo(repository []string) bool {
	return slices.ContainsFunc(rules.push, func(p []string) bool { return glob.MatchPath(p, repository) })
}

// words are what is permitted, for people.
func (rules *gitRules) words() string {
	switch {
	case len(rules.pushes) == 0:
		return "to clone and fetch, and no push"
	case !rules.fetch:
		return "to push to " + listed(rules.pushes)
	}
	return "to clone and fetch, and to push to " + listed(rules.pushes)
}

// isGit tells git's own client.
func isGit(r *http.Request) bool { return strings.HasPrefix(r.UserAgent(), "git/") }

// forGit is the refusal in the way of which git shows the words: it does so of plain text alone, where it asks what there is.
func (r *refusal) forGit() *refusal {
	plain := *r
	plain.header = http.Header{"Content-Type": {"text/plain; charset=utf-8"}}
	maps.Copy(plain.header, r.header)
	return &plain
}

// The uses of a repository that a request can be of.
const (
	gitOther = iota
	gitFetch
	gitPush
	gitLFS
)

// gitUse understands a request for what follows a route's prefix in an escaped path: the use, and of which repository.
func gitUse(method, rest, query string) (repository []string, use int) {
	path, plain := plainPath(rest)
	if !plain {
		return nil, gitOther
	}
	switch {
	case method == http.MethodGet && strings.HasSuffix(path, "/info/refs"):
		return repositoryBefore(path, "/info/refs"), advertised(query)
	case strings.Contains(path, "/info/lfs/"):
		return nil, gitLFS
	case query != "":
		return nil, gitOther
	case method == http.MethodPost && strings.HasSuffix(path, "/git-upload-pack"):
		return repositoryBefore(path, "/git-upload-pack"), gitFetch
	case method == http.MethodPost && strings.HasSuffix(path, "/git-receive-pack"):
		return repositoryBefore(path, "/git-receive-pack"), gitPush
	case method == http.MethodGet && dumbFile.MatchString(path):
		return nil, gitFetch
	}
	return nil, gitOther
}

// plainPath decodes an escaped path of which there is but one reading; plain is false for others.
func plainPath(escaped string) (path string, plain bool) {
	path = decodeOnce(escaped)
	return path, decodeOnce(path) == path && strings.Count(path, "/") == strings.Count(escaped, "/") && ambiguousPath(path) == ""
}

func repositoryBefore(path, end string) []string {
	return repositoryOf(segmentsOf(strings.TrimSuffix(path, end)))
}

// advertised is the use that the discovery of references is for; without a query it is the dumb protocol's.
func advertised(query string) int {
	switch query {
	case "", "service=git-upload-pack":
		return gitFetch
	case "service=git-receive-pack":
		return gitPush
	}
	return gitOther
}

// dumbFile is the end of a path of the dumb protocol beside info/refs: what gitrepository-layout(5) has that a fetch needs.
// Names of objects are SHA-1 or SHA-256.
var dumbFile = regexp.MustCompile(`/(HEAD|objects/(info/(packs|alternates|http-alternates)|[0-9a-f]{2}/([0-9a-f]{38}|[0-9a-f]{62})|pack/pack-([0-9a-f]{40}|[0-9a-f]{64})\.(pack|idx)))$`)
