package spec

import (
	"slices"
	"strconv"
)

// slotPrefix begins the name of every slot.
const slotPrefix = "CRED_PROXY_TOKEN_"

// Slot is the name under which the sidecar receives one distinct token reference.
type Slot struct {
	// Name is CRED_PROXY_TOKEN_N, N counted from 1 in order of first use by the routes.
	Name string
	Ref  TokenRef
}

// Slots lists the distinct token references of the routes.
func (s *CredProxySpec) Slots() []Slot {
	var slots []Slot
	for _, route := range s.Routes {
		if route.Auth == nil {
			continue
		}
		ref := route.Auth.TokenRef
		if slices.ContainsFunc(slots, func(s Slot) bool { return s.Ref == ref }) {
			continue
		}
		slots = append(slots, Slot{Name: slotPrefix + strconv.Itoa(len(slots)+1), Ref: ref})
	}
	return slots
}
