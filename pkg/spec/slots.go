package spec

import (
	"slices"
	"strconv"
)

// slotPrefix begins the name of every slot.
const slotPrefix = "CRED_PROXY_TOKEN_"

// Slot is the name under which the sidecar receives one distinct token reference.
type Slot struct {
	// Name is CRED_PROXY_TOKEN_N, N counted from 1 in order of first use by the routes (see Route.Refs), the caller key last.
	Name string
	Ref  TokenRef
}

// Refs lists the references that a route uses: those of its credential, and that of its certificate's key.
func (r *Route) Refs() []TokenRef {
	refs := r.Auth.Refs()
	if r.ClientCertificate != nil {
		refs = append(refs, r.ClientCertificate.KeyRef)
	}
	return refs
}

// CertificateFiles lists the files beneath --ca-dir that a route names.
func (r *Route) CertificateFiles() (files []string) {
	if r.CAFile != "" {
		files = append(files, r.CAFile)
	}
	if r.ClientCertificate != nil {
		files = append(files, r.ClientCertificate.CertFile)
	}
	return files
}

// Slots lists the distinct token references of the routes, and behind them that of the caller key.
func (s *CredProxySpec) Slots() []Slot {
	var slots []Slot
	use := func(ref TokenRef) {
		if !slices.ContainsFunc(slots, func(s Slot) bool { return s.Ref == ref }) {
			slots = append(slots, Slot{Name: slotPrefix + strconv.Itoa(len(slots)+1), Ref: ref})
		}
	}
	for _, route := range s.Routes {
		for _, ref := range route.Refs() {
			use(ref)
		}
	}
	if s.CallerAuth != nil {
		use(s.CallerAuth.KeyRef)
	}
	return slots
}
