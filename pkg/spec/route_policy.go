package spec

// Paths are patterns of the paths that a route passes, each of what follows the route's prefix. In a pattern `*` is any number of
// characters of one segment, `**` alone between slashes any number of segments, and %2f a slash that may be encoded.
// +minProperties=1
type Paths struct {
	// Allow are the only paths that pass.
	// +minItems=1
	// +maxItems=maxEntries
	// +items=A pattern such as `/v1/**`, compared letter by letter.
	// +items:pattern="^/"
	Allow []string `json:"allow,omitempty" spec:"stated"`
	// Deny are paths that never pass, whatever allow says.
	// +minItems=1
	// +maxItems=maxEntries
	// +items=A pattern such as `/v1/admin/**`, compared without regard to capitals.
	// +items:pattern="^/"
	Deny []string `json:"deny,omitempty" spec:"stated"`
}

// Git has a route pass git's smart HTTP protocol and nothing else.
// +minProperties=1
type Git struct {
	// Fetch permits clone and fetch of every repository.
	// +default=false
	Fetch bool `json:"fetch,omitempty"`
	// Push are the repositories that may be pushed to, by their path behind the route's prefix without .git.
	// +maxItems=maxEntries
	// +items=A pattern of repositories, such as `org/repo` or `org/*`.
	// +items:pattern="^[^/%]"
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
