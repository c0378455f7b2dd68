package spec

import "slices"

// Role is what an agent's clients use a route for. Each is a setting of a client, which `controller env` prints.
type Role string

// The roles.
const (
	RoleAnthropic  Role = "anthropic-base-url" // Claude Code and Anthropic's libraries, with a key
	RoleClaudeCode Role = "claude-code-login"  // Claude Code, with the token of a subscription
	RoleOpenAI     Role = "openai-base-url"    // OpenAI's libraries, and clients made with them
	RoleNPM        Role = "npm-registry"       // npm's registry of all packages
	RolePip        Role = "pip-index"          // pip's index, and its only one
	RoleGit        Role = "git-insteadof"      // git, wherever it meets a URL of the upstream
	RoleTea        Role = "tea-login"          // tea, Gitea's command
)

// maxRoles is how many there are: a route has each once at most.
const maxRoles = 7

// Roles are all of them, in the order in which what they set is printed.
func Roles() []Role {
	all := [maxRoles]Role{RoleAnthropic, RoleClaudeCode, RoleOpenAI, RoleNPM, RolePip, RoleGit, RoleTea}
	return all[:]
}

// Has reports whether the route has a role.
func (r *Route) Has(role Role) bool { return slices.Contains(r.Roles, role) }

// setting is what a client has one of, so that one route of a spec can be it; empty for roles that several routes may have.
func (r Role) setting() string {
	switch r {
	case RoleAnthropic, RoleClaudeCode:
		return "ANTHROPIC_BASE_URL"
	case RoleOpenAI:
		return "OPENAI_BASE_URL"
	case RoleNPM:
		return "npm registry"
	case RolePip:
		return "pip index"
	default:
		return ""
	}
}

// needs are the methods without which the role's clients can do nothing.
func (r Role) needs() []string {
	switch r {
	case RoleAnthropic, RoleClaudeCode, RoleOpenAI:
		return []string{"POST"}
	case RoleGit:
		return []string{"GET", "POST"}
	default:
		return []string{"GET"}
	}
}

// appended is what the role's clients put behind the URL that they are given, so that the upstream must not end with it.
func (r Role) appended() string {
	switch r {
	case RoleAnthropic, RoleClaudeCode:
		return "/v1"
	case RolePip:
		return "/simple"
	case RoleTea:
		return "/api/v1"
	default:
		return ""
	}
}
