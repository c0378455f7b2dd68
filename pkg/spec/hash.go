package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// hashV1 begins the hashes that this release writes. A change to what is hashed, or how, is a new version beside
// this one, so that an upgrade does not replace sidecars whose spec is the same.
const hashV1 = "v1"

// hashedV1 is all that needs another container when it changes, in the encoding that is hashed: its field names,
// their order, and what is left out when empty never change.
type hashedV1 struct {
	InternalNetwork string        `json:"internalNetwork"`
	Hostname        string        `json:"hostname"`
	Port            int32         `json:"port"`
	Image           string        `json:"image"`
	TokenDelivery   TokenDelivery `json:"tokenDelivery"`
	// Slots are the token references in the order of their slots; with Env delivery only.
	Slots []string `json:"slots,omitempty"`
}

// Hash is the current version's hash, "v1:" and 32 hexadecimal digits, over what needs another container when it
// changes: internal network, hostname, port, image as written, delivery, and with Env the slots. The egress network is
// changed in place, like routes, tokens and resources. The spec has its defaults.
func Hash(s *CredProxySpec) string { return hashV1 + ":" + sumV1(s) }

// HashMatches reports whether a label that this or an earlier release wrote still describes the spec; it is
// compared by the version that it names. A version that is not known never matches.
func HashMatches(label string, s *CredProxySpec) bool {
	version, sum, _ := strings.Cut(label, ":")
	switch version {
	case hashV1:
		return sum == sumV1(s)
	default:
		return false
	}
}

// sumV1 is the first half of a SHA-256: a label that people compare by eye, and far from an accidental collision.
func sumV1(s *CredProxySpec) string {
	h := hashedV1{
		InternalNetwork: s.InternalNetwork,
		Hostname:        s.Hostname, Port: s.Port, Image: s.Image, TokenDelivery: s.TokenDelivery,
	}
	if s.TokenDelivery == DeliverEnv {
		for _, slot := range s.Slots() {
			h.Slots = append(h.Slots, slot.Ref.String())
		}
	}
	data, err := json.Marshal(h)
	if err != nil {
		panic(err) // strings and a number always encode
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:sha256.Size/2])
}
