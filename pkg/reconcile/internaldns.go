package reconcile

import (
	"k8s.io/apimachinery/pkg/util/version"
)

// Podman is the product whose networks and names work differently from Docker's in a few places.
const Podman = "Podman"

// ForwardsInternalDNS reports whether an engine of a version forwards the questions of containers that are on internal
// networks alone to name servers outside, by which an agent can send data out (CVE-2024-29018). Whatever is not Podman
// counts as Docker, and a version that cannot be read as one that does. A distribution may have mended an older version
// without a new number: that cannot be told from here.
func ForwardsInternalDNS(product, engineVersion string) bool {
	if product == Podman {
		return false
	}
	v, err := version.ParseSemantic(engineVersion)
	if err != nil {
		return true
	}
	for _, first := range internalDNSFixed() {
		if v.Major() == first.Major() {
			return v.LessThan(first)
		}
	}
	newest := internalDNSFixed()[0]
	return v.LessThan(newest)
}

// internalDNSFixed are the first versions of their lines that do not forward (GHSA-mq39-4gv4-mvpx), newest first. The
// lines between and before them ended without one.
func internalDNSFixed() []*version.Version {
	return []*version.Version{
		version.MustParseSemantic("26.0.0-rc3"),
		version.MustParseSemantic("25.0.5"),
		version.MustParseSemantic("23.0.11"),
	}
}
