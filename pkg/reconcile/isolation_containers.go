package reconcile

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// neighbour is one container that is judged against one sidecar's environment.
type neighbour struct {
	*OtherContainer
	view     *view
	internal Network
	found    []Finding
}

// containerFindings judges all containers that are not ours: those on the internal network by all that they may do, and
// any others by what they have of the sidecar itself.
func (v *view) containerFindings(specName string, internal Network) (found []Finding) {
	residents := v.near.on[internal.ID]
	for _, r := range residents {
		n := neighbour{OtherContainer: r.OtherContainer, view: v, internal: internal}
		n.networks(r.host)
		n.powers(residents, r.host)
		n.processes(residents)
		found = append(found, n.found...)
	}
	for _, s := range v.sidecars[specName] {
		for _, l := range v.near.inside[s.ID] {
			n := neighbour{OtherContainer: l.OtherContainer}
			n.breach(ReasonSharedNamespace, "is in the sidecar's %s namespace; remove it", l.kind)
			found = append(found, n.found...)
		}
		for _, m := range s.Mounts {
			for _, c := range v.near.using[m.Volume] {
				n := neighbour{OtherContainer: c}
				n.breach(ReasonSidecarVolume, "mounts the volume in which the sidecar's tokens are; remove it")
				found = append(found, n.found...)
			}
		}
	}
	return found
}

func (n *neighbour) add(severity Severity, reason, format string, args ...any) {
	n.found = append(n.found, Finding{severity, reason, n.Name, fmt.Sprintf("container %q ", n.Name) + fmt.Sprintf(format, args...)})
}

func (n *neighbour) breach(reason, format string, args ...any) {
	n.add(SeverityBreach, reason, format, args...)
}

// networks judges where else the container is. What is in the sidecar's own namespace is told of as that.
func (n *neighbour) networks(host string) {
	if n.view.own[host] {
		return
	}
	for _, e := range n.view.near.places[host] {
		if e.NetworkID == n.internal.ID {
			continue
		}
		also := func(reason, why string) {
			n.breach(reason, "is also on network %q, %s; take it off (`docker network disconnect %s %s`)",
				e.NetworkName, why, e.NetworkName, cmp.Or(n.view.near.names[host], n.Name))
		}
		switch inner, ok := n.view.inner[e.NetworkID]; {
		case !ok:
			also(ReasonOtherNetwork, "which leads out")
		case inner.HostReachable && inner.Driver != noNetwork:
			also(ReasonHostReachable, "which has an address of the host, where what listens there can be dialled")
		case inner.IPv6:
			also(ReasonIPv6Enabled, "which has IPv6, by which the host can be dialled")
		}
	}
}

// processes judges whose processes the container sees besides its own. It can read their files and act as they do, unless
// they may do more than it; those on the same network are judged by themselves.
func (n *neighbour) processes(residents []resident) {
	for _, c := range n.view.near.companions(n.OtherContainer) {
		if !slices.ContainsFunc(residents, func(r resident) bool { return r.ID == c.ID }) {
			n.breach(ReasonSharedNamespace, "is in one PID namespace with container %q, which is not on network %q, and can take what that has; make it anew without --pid",
				c.Name, n.internal.Name)
		}
	}
}

// powers judges what the container may do to the host, to its neighbours and to their files.
func (n *neighbour) powers(residents []resident, host string) {
	r := n.Reach
	if r == nil {
		n.add(SeverityWarning, ReasonNotInspected, "cannot be inspected, so that nothing is known of what it may do; look with `docker inspect %s`", n.Name)
		return
	}
	n.namespaces()
	if r.Privileged {
		n.breach(ReasonPrivileged, "is privileged; make it anew without --privileged")
	}
	if caps := intersection(r.Capabilities, mighty()); caps != "" {
		n.breach(ReasonPrivileged, "may become root on the host with %s; make it anew without", caps)
	}
	if caps := intersection(r.Capabilities, spoofing()); caps != "" && n.hasCompany(residents, host) {
		n.breach(ReasonMaySpoof, "may pose as others on network %q with %s; make it anew with `--cap-drop %s`, or give it a network of its own",
			n.internal.Name, caps, strings.ReplaceAll(caps, ", ", " --cap-drop "))
	}
	if slices.Contains(r.Capabilities, rawFrames) && n.internal.bridged() {
		n.add(SeverityWarning, ReasonHostReachable, "may dial the host with IPv6 packets that it makes itself with %s, if the host has IPv6 on; make it anew with `--cap-drop %s`",
			rawFrames, rawFrames)
	}
	if r.IPv6 {
		n.breach(ReasonIPv6Enabled, "turns IPv6 on, by which the host can be dialled; make it anew without that --sysctl")
	}
	n.mounts()
}

// namespaces judges the host's namespaces, also those that come through another container.
func (n *neighbour) namespaces() {
	for _, s := range n.Reach.Shared {
		if _, hosts := n.view.near.owner(n.ID, s.Kind); hosts {
			n.breach(ReasonSharedNamespace, "is in the host's %s namespace; make it anew without", s.Kind)
		}
	}
}

// hasCompany reports whether anybody but a sidecar of ours and the container itself is on the network, to be deceived.
func (n *neighbour) hasCompany(residents []resident, host string) bool {
	return slices.ContainsFunc(residents, func(other resident) bool {
		return other.host != host && !n.view.own[other.host] && !other.Trial
	})
}

// mounts judges the paths of the host that the container sees.
func (n *neighbour) mounts() {
	told := map[string]bool{}
	for _, m := range n.Reach.Mounts {
		if m.Volume != "" || told[m.Source] {
			continue
		}
		told[m.Source] = true
		switch {
		case n.leadsToHost(m.Source):
			n.breach(ReasonHostMount, "mounts %q, by which it commands the engine or the host; make it anew without", m.Source)
		case n.view.near.showsVault(m.Source):
			n.breach(ReasonSidecarVolume, "mounts %q, in which a sidecar's tokens are; make it anew without", m.Source)
		}
	}
}

// leadsToHost reports whether a path shows an engine's socket or state, or what the kernel lets root command it by.
func (n *neighbour) leadsToHost(source string) bool {
	if slices.Contains(socketNames(), path.Base(source)) {
		return true
	}
	for _, place := range append(commandPlaces(), n.view.engine.Socket) {
		if place != "" && exposed(source, place) {
			return true
		}
	}
	return false
}

// socketNames are the names of the sockets by which engines are commanded, wherever they are.
func socketNames() []string {
	return []string{"docker.sock", "docker.raw.sock", "podman.sock", "containerd.sock", "crio.sock", "buildkitd.sock"}
}

// commandPlaces are where those sockets and those of the host's own services usually are, the engines' files, with what
// they keep of containers' environments, and what root on the host runs by itself: what shows one of them shows enough.
func commandPlaces() []string {
	return []string{
		"/run/docker.sock", "/run/docker/containerd/containerd.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock",
		"/run/crio/crio.sock", "/run/systemd/private", "/run/dbus/system_bus_socket",
		"/var/lib/docker/containers", "/var/lib/containerd", "/var/lib/containers/storage", "/proc/sys/kernel/core_pattern",
		"/proc/sysrq-trigger", "/sys/kernel/uevent_helper", "/etc/cron.d", "/etc/crontab", "/etc/sudoers.d", "/etc/ld.so.preload", "/root/.ssh",
	}
}

// intersection lists what two lists have in common, in words.
func intersection(a, b []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) }), ", ")
}
