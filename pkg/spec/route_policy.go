package spec

// Paths are patterns of the paths that a route passes, each of what follows the route's prefix. In a pattern * is any number of
// characters of one segment, ** alone between slashes any number of segments, and %2f a slash that may be encoded.
type Paths struct {
	// Allow are those that pass; nil for all that Deny does not have.
	Allow []string `json:"allow,omitempty" spec:"stated"`
	// Deny are those that never pass, whatever Allow says.
	Deny []string `json:"deny,omitempty" spec:"stated"`
}

// Git has a route pass git's smart HTTP protocol and nothing else.
type Git struct {
	// Fetch permits clone and fetch of every repository.
	Fetch bool `json:"fetch,omitempty"`
	// Push are patterns of the repositories that may be pushed to, by their path behind the route's prefix without .git.
	Push []string `json:"push,omitempty"`
}

// Mode is what becomes of a request that a route's methods, paths or git do not permit.
type Mode string

// The modes.
const (
	ModeEnforce Mode = "Enforce" // it is refused
	ModeWarn    Mode = "Warn"    // it passes, and is logged
)

// hasPolicy reports whether there is anything that a mode could be of.
func (r *Route) hasPolicy() bool { return r.Methods != nil || r.Paths != nil || r.Git != nil }
