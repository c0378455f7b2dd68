package dockerdriver

import (
	"maps"
	"slices"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"credproxy.dev/controller/pkg/reconcile"
)

// listedNetworks are the networks that a list names for a container.
func listedNetworks(c container.Summary) map[string]*network.EndpointSettings {
	if c.NetworkSettings == nil {
		return nil
	}
	return c.NetworkSettings.Networks
}

// endpointsOf are the places of a listed container, with the names that an inspection found for them, by the same keys.
func endpointsOf(listed map[string]*network.EndpointSettings, names map[string][]string, networks *networkTable) []reconcile.Endpoint {
	var found []reconcile.Endpoint
	for _, key := range slices.Sorted(maps.Keys(listed)) {
		settings := listed[key]
		if settings == nil {
			settings = &network.EndpointSettings{}
		}
		e := reconcile.Endpoint{
			NetworkID: settings.NetworkID, NetworkName: key, Aliases: names[key],
			IPv4: settings.IPAddress, IPv6: settings.GlobalIPv6Address,
		}
		if n, ok := networks.find(settings.NetworkID, key); ok {
			e.NetworkID, e.NetworkName = n.ID, n.Name
		}
		found = append(found, e)
	}
	return found
}

// aliasesOf are the names given to a container on each of its networks, its short ID excepted.
func aliasesOf(c container.InspectResponse) map[string][]string {
	names := map[string][]string{}
	for key, settings := range c.NetworkSettings.Networks {
		names[key] = without(settings.Aliases, shortID(c.ID))
	}
	return names
}

// resolvable are all names under which others on a network may find a container. Newer engines list them, the host
// name among them.
func resolvable(c container.InspectResponse) map[string][]string {
	names := aliasesOf(c)
	for key, settings := range c.NetworkSettings.Networks {
		all := slices.Concat(names[key], without(settings.DNSNames, shortID(c.ID)))
		slices.Sort(all)
		names[key] = slices.Compact(all)
	}
	return names
}

func without(names []string, dropped string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == dropped })
}
