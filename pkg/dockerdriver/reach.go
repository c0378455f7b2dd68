package dockerdriver

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"credproxy.dev/controller/pkg/reconcile"
)

// reachOf is what an inspected container may do besides what its networks let it do.
func reachOf(c container.InspectResponse) *reconcile.Reach {
	return &reconcile.Reach{
		Privileged:   c.HostConfig.Privileged,
		Capabilities: capabilitiesOf(c.HostConfig),
		Shared:       sharedBy(c.HostConfig),
		Mounts:       mountsOf(c),
		IPv6:         turnsIPv6On(c.HostConfig.Sysctls),
	}
}

// allCapabilities is the engines' word for all of them.
const allCapabilities = "ALL"

// usualCapability reports whether a container has a capability unless it was taken away. Of those that matter it is one:
// Docker's. Podman's newer versions do not give it, which no inspection tells: there it counts unless it is dropped.
func usualCapability(name string) bool { return name == "NET_RAW" }

// capabilitiesOf are the capabilities of a container that matter to others, by the rules by which Docker combines what is
// added and what is dropped. That it runs as a user other than root changes nothing: a program of its image that is
// set-uid, or that has the capability in its file, gets what the container may have.
func capabilitiesOf(h *container.HostConfig) []string {
	if h.Privileged {
		return nil
	}
	added, dropped := capabilityNames(h.CapAdd), capabilityNames(h.CapDrop)
	var has []string
	for _, name := range reconcile.NotableCapabilities() {
		given := false
		switch {
		case added[allCapabilities]:
			given = !dropped[name]
		case added[name]:
			given = true
		case !dropped[allCapabilities]:
			given = usualCapability(name) && !dropped[name]
		}
		if given {
			has = append(has, name)
		}
	}
	slices.Sort(has)
	return has
}

// capabilityNames are the names of a list, in capitals and without their prefix.
func capabilityNames(listed []string) map[string]bool {
	names := make(map[string]bool, len(listed))
	for _, name := range listed {
		names[strings.TrimPrefix(strings.ToUpper(name), "CAP_")] = true
	}
	return names
}

// sharedBy are the namespaces that a container has in common with others.
func sharedBy(h *container.HostConfig) []reconcile.SharedNamespace {
	var shared []reconcile.SharedNamespace
	for _, mode := range []struct {
		kind  reconcile.NamespaceKind
		value string
	}{
		{reconcile.NamespaceNetwork, string(h.NetworkMode)},
		{reconcile.NamespacePID, string(h.PidMode)},
		{reconcile.NamespaceIPC, string(h.IpcMode)},
		{reconcile.NamespaceUTS, string(h.UTSMode)},
	} {
		owner, ofContainer := strings.CutPrefix(mode.value, "container:")
		switch {
		case ofContainer:
			shared = append(shared, reconcile.SharedNamespace{Kind: mode.kind, Container: owner})
		case mode.value == "host":
			shared = append(shared, reconcile.SharedNamespace{Kind: mode.kind})
		}
	}
	return shared
}

// mountsOf are the places that a container sees. A volume that was declared to be a path of the host, as the driver
// "local" allows, counts as that path too, where the container itself declares it.
func mountsOf(c container.InspectResponse) []reconcile.Mount {
	var mounts []reconcile.Mount
	for _, m := range c.Mounts {
		switch m.Type {
		case mount.TypeVolume:
			mounts = append(mounts, reconcile.Mount{Volume: m.Name, Source: m.Source})
		case mount.TypeBind, mount.TypeNamedPipe:
			mounts = append(mounts, reconcile.Mount{Source: m.Source})
		}
	}
	for _, m := range c.HostConfig.Mounts {
		if m.VolumeOptions != nil && m.VolumeOptions.DriverConfig != nil && m.VolumeOptions.DriverConfig.Options["device"] != "" {
			mounts = append(mounts, reconcile.Mount{Source: m.VolumeOptions.DriverConfig.Options["device"]})
		}
	}
	return mounts
}

// turnsIPv6On reports whether one of a container's kernel settings turns IPv6 on where the engine turns it off.
func turnsIPv6On(sysctls map[string]string) bool {
	for _, name := range slices.Sorted(maps.Keys(sysctls)) {
		off, err := strconv.Atoi(strings.TrimSpace(sysctls[name]))
		name = strings.ReplaceAll(name, "/", ".")
		if strings.HasPrefix(name, "net.ipv6.conf.") && strings.HasSuffix(name, ".disable_ipv6") && (err != nil || off == 0) {
			return true
		}
	}
	return false
}
