package routetable

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// ModeWarn as a route's Mode has what its policy does not permit pass. The empty one has it refused.
const ModeWarn = "Warn"

// Paths are patterns of what follows a route's prefix, as pkg/glob matches them; %2f in one is a slash that may be encoded.
type Paths struct {
	// Allow are those that pass; empty for all that Deny does not have.
	Allow []string `json:"allow,omitempty"`
	Deny  []string `json:"deny,omitempty"`
}

// Git has a route pass git's smart HTTP protocol and nothing else.
type Git struct {
	// Fetch permits clone and fetch of every repository.
	Fetch bool `json:"fetch,omitempty"`
	// Push are patterns of the repositories that may be pushed to, such as org/repo.
	Push []string `json:"push,omitempty"`
}

func checkPolicy(r Route) error {
	for _, method := range r.Methods {
		if method == "" || strings.ContainsFunc(method, func(c rune) bool { return !isTokenChar(c) }) {
			return fmt.Errorf("method %q is not a legal one", method)
		}
	}
	if err := checkPaths(r.Paths); err != nil {
		return err
	}
	if err := checkGit(r); err != nil {
		return err
	}
	switch {
	case r.Mode != "" && r.Mode != ModeWarn:
		return fmt.Errorf("mode %q is unknown", r.Mode)
	case r.Mode != "" && len(r.Methods) == 0 && r.Paths == nil && r.Git == nil:
		return errors.New("mode goes with methods, paths or git only")
	}
	return nil
}

func checkPaths(p *Paths) error {
	if p == nil {
		return nil
	}
	if len(p.Allow) == 0 && len(p.Deny) == 0 {
		return errors.New("paths has neither allow nor deny")
	}
	for _, patterns := range [][]string{p.Allow, p.Deny} {
		for _, pattern := range patterns {
			if err := checkPattern(pattern); err != nil {
				return fmt.Errorf("paths: %q: %w", pattern, err)
			}
		}
	}
	return nil
}

func checkGit(r Route) error {
	if r.Git == nil {
		return nil
	}
	if len(r.Methods) > 0 || r.Paths != nil {
		return errors.New("git goes without methods and paths")
	}
	for _, repository := range r.Git.Push {
		if err := checkPattern("/" + repository); err != nil || strings.Contains(repository, "%") {
			return fmt.Errorf("git: push: %q is not a repository such as org/repo", repository)
		}
	}
	return nil
}

// checkPattern holds what the matching relies on: whole segments, none of them empty or a dot segment, however its slashes
// are written.
func checkPattern(pattern string) error {
	plain := strings.NewReplacer("%2f", "/", "%2F", "/").Replace(pattern)
	if !strings.HasPrefix(pattern, "/") || path.Clean(plain) != plain {
		return errors.New(`a pattern begins with / and has no empty, "." or ".." segment and no / at its end`)
	}
	return checkPathChars(plain)
}
