package spec

// Slot is the name under which the sidecar receives one distinct token reference.
type Slot struct {
	// Name is CRED_PROXY_TOKEN_N, N counted from 1 in order of first use by the routes.
	Name string
	Ref  TokenRef
}

// Slots lists the distinct token references of the routes.
func (s *CredProxySpec) Slots() []Slot { panic("not yet") }

// Hash is the current version's hash, such as "v1:…", over what needs another container when it changes.
// The spec has its defaults.
func Hash(s *CredProxySpec) string { panic("not yet") }

// HashMatches reports whether a label that this or an earlier release wrote still describes the spec; it is
// compared by the version that it names.
func HashMatches(label string, s *CredProxySpec) bool { panic("not yet") }

// MemoryBytes is Memory in bytes; 0 when it is not valid.
func (r Resources) MemoryBytes() int64 { panic("not yet") }

// NanoCPUs is CPUs in billionths of a CPU; 0 when it is not valid.
func (r Resources) NanoCPUs() int64 { panic("not yet") }

// DeepCopy returns a copy that shares nothing with c.
func (c *CredProxy) DeepCopy() *CredProxy { panic("not yet") }

// Paused reports whether the annotation asks for no steps.
func (c *CredProxy) Paused() bool { return c.Annotations[AnnotationPaused] == "true" }
