package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// Severity says how far an environment is from being isolated.
type Severity string

const (
	// SeverityBreach means that an agent can go around its sidecar, reach the host or another's tokens, or pose as
	// somebody else.
	SeverityBreach Severity = "breach"
	// SeverityWarning means something weaker: data can get out, or nothing can be said.
	SeverityWarning Severity = "warning"
)

// Severities lists both.
func Severities() []Severity { return []Severity{SeverityBreach, SeverityWarning} }

// Finding is one thing by which an environment is not isolated.
type Finding struct {
	Severity Severity
	// Reason is one of the reasons of the condition Isolated.
	Reason string
	// Object is the name of the container or network, or the product, that it is about.
	Object string
	// Message says what it is, and what to do.
	Message string
}

// isolationReasons are the reasons for which an environment is not isolated, the most telling first.
func isolationReasons() []string {
	return []string{
		ReasonNotInternal, ReasonDriverUnknown, ReasonHostReachable, ReasonOtherNetwork, ReasonSharedNamespace,
		ReasonPrivileged, ReasonMaySpoof, ReasonHostMount, ReasonSidecarVolume, ReasonIPv6Enabled,
		ReasonDNSForwarded, ReasonNotInspected,
	}
}

// findings judges the environment of a spec whose internal network is found, by what the engine says of it. They come in
// a fixed order, breaches first.
func (v *view) findings(cp *spec.CredProxy, internal Network) []Finding {
	found := slices.Concat(networkFindings(internal), v.containerFindings(cp.Name, internal), v.engineFindings(internal))
	order := isolationReasons()
	slices.SortStableFunc(found, func(a, b Finding) int {
		weaker := compareBool(a.Severity == SeverityWarning, b.Severity == SeverityWarning)
		return cmp.Or(weaker, cmp.Compare(slices.Index(order, a.Reason), slices.Index(order, b.Reason)), cmp.Compare(a.Object, b.Object))
	})
	return found
}

func networkFindings(n Network) (found []Finding) {
	breach := func(reason, format string, args ...any) {
		found = append(found, Finding{SeverityBreach, reason, n.Name, fmt.Sprintf("network %q ", n.Name) + fmt.Sprintf(format, args...)})
	}
	if !n.Internal {
		breach(ReasonNotInternal, "leads out, so an agent can go around the sidecar; make it anew with `docker network create --internal`")
	}
	switch known := n.Driver == "bridge" || n.Driver == "overlay"; {
	case !known:
		breach(ReasonDriverUnknown, "has the driver %q, of which nothing is known; make it anew as a bridge or an overlay", n.Driver)
	case n.HostReachable:
		breach(ReasonHostReachable, "has an address of the host, so an agent can dial what listens there; make it anew with `docker network create --internal -o com.docker.network.bridge.inhibit_ipv4=true`")
	}
	if n.IPv6 {
		breach(ReasonIPv6Enabled, "has IPv6, by which the host can be dialled; make it anew without --ipv6")
	}
	return found
}

// bridged reports whether a network is taken to be shut in, and is one of a bridge: as long as the host has IPv6, the kernel
// gives the bridge a link-local address, whatever the engine does, and no engine tells of it.
func (n Network) bridged() bool { return n.Internal && n.Driver == "bridge" && !n.HostReachable }

// engineFindings are about what the engine does for each internal network.
func (v *view) engineFindings(n Network) []Finding {
	if !n.Internal || !ForwardsInternalDNS(v.engine.Product, v.engine.Version) {
		return nil
	}
	engine := strings.TrimSpace(v.engine.Product + " " + v.engine.Version)
	return []Finding{{SeverityWarning, ReasonDNSForwarded, v.engine.Product, fmt.Sprintf(
		"%s asks name servers outside for what containers on internal networks ask it, which can carry data out (CVE-2024-29018); upgrade to Docker 25.0.5, 26.0 or later",
		cmp.Or(engine, "an engine of unknown version"))}}
}

// breaches are the findings that are more than warnings.
func breaches(found []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(found), func(f Finding) bool { return f.Severity != SeverityBreach })
}

// wordsOf lists findings, each with its severity.
func wordsOf(found []Finding) string {
	words := make([]string, len(found))
	for i, f := range found {
		words[i] = string(f.Severity) + ": " + f.Message
	}
	return strings.Join(words, "; ")
}
