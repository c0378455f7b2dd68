package reconcile

import (
	"maps"
	"slices"
	"time"

	"credproxy.dev/controller/pkg/spec"
)

// noNetwork is the driver of the network "none", on which there is nothing but the container.
const noNetwork = "null"

// view is an Observation with its indexes. Like it, it is shared and never changed.
type view struct {
	at       time.Time
	sidecars map[string][]Sidecar // by spec name
	networks map[string][]Network // by name
	others   []OtherContainer
	// holders are the IDs of containers by container name, ours and others'.
	holders map[string]string
	// made are the networks that this instance made, by spec name.
	made map[string][]Network
	// strayVolumes are the names of volumes that lost their container, by spec name.
	strayVolumes map[string][]string
	// on are this instance's sidecars on each network, by network ID.
	on map[string][]Sidecar
	// unclear says why nothing is known of a spec's container, by spec name.
	unclear map[string]error
	// imageTag says what the controller's own image is made of.
	imageTag string
	// attached are the IDs of the containers on each network, by network ID.
	attached map[string][]string
	engine   Engine
	near     *neighbours
	// inner are the networks that lead nowhere, by ID.
	inner map[string]Network
	// own are the IDs of our sidecars.
	own map[string]bool
}

func newView(o *Observation) *view {
	v := &view{
		at:       o.At,
		sidecars: map[string][]Sidecar{},
		networks: map[string][]Network{},
		others:   o.Others,
		holders:  map[string]string{},
		made:     map[string][]Network{},
		attached: map[string][]string{},

		strayVolumes: map[string][]string{},
		on:           map[string][]Sidecar{},
		unclear:      o.Unclear,
		imageTag:     o.ImageTag,
		engine:       o.Engine,
		near:         newNeighbours(o),
		inner:        map[string]Network{},
		own:          map[string]bool{},
	}
	for _, s := range o.Sidecars {
		v.sidecars[s.SpecName] = append(v.sidecars[s.SpecName], s)
		v.holders[s.Name] = s.ID
		v.own[s.ID] = true
		v.attach(s.ID, s.Endpoints)
		for _, e := range s.Endpoints {
			v.on[e.NetworkID] = append(v.on[e.NetworkID], s)
		}
	}
	for _, c := range o.Others {
		v.holders[c.Name] = c.ID
		v.attach(c.ID, c.Endpoints)
	}
	for _, n := range o.Networks {
		v.networks[n.Name] = append(v.networks[n.Name], n)
		if n.Internal || n.Driver == noNetwork {
			v.inner[n.ID] = n
		}
		if n.SpecName != "" {
			v.made[n.SpecName] = append(v.made[n.SpecName], n)
		}
	}
	for _, volume := range o.StrayVolumes {
		v.strayVolumes[volume.SpecName] = append(v.strayVolumes[volume.SpecName], volume.Name)
	}
	return v
}

// hosts are the addresses that the host has on the engine's own bridge, by which engines let containers reach it
// (host-gateway). Those on networks of the sidecar's it finds itself, and those on others come and go.
func (v *view) hosts() (addresses []string) {
	for _, n := range v.networks["bridge"] {
		addresses = append(addresses, n.Gateways...)
	}
	return addresses
}

func (v *view) attach(containerID string, endpoints []Endpoint) {
	for _, e := range endpoints {
		v.attached[e.NetworkID] = append(v.attached[e.NetworkID], containerID)
	}
}

// served are the spec names that have a sidecar, also one of which nothing else is known, sorted.
func (v *view) served() []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(v.sidecars)), maps.Keys(v.unclear))
	slices.Sort(names)
	return slices.Compact(names)
}

// names are the spec names that the engine knows of, through sidecars, networks and volumes, sorted.
func (v *view) names() []string {
	names := v.served()
	for name := range v.made {
		names = append(names, name)
	}
	for name := range v.strayVolumes {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// has reports whether the engine has anything of a name.
func (v *view) has(name string) bool {
	return len(v.sidecars[name]) > 0 || v.unclear[name] != nil || len(v.made[name]) > 0 || len(v.strayVolumes[name]) > 0
}

// leaving reports whether a name has sidecars, and the engine is removing all of them.
func (v *view) leaving(name string) bool {
	stays := func(s Sidecar) bool { return s.State != StateRemoving }
	return len(v.sidecars[name]) > 0 && !slices.ContainsFunc(v.sidecars[name], stays)
}

// makers are the spec names for which networks of a name were made; v may be nil.
func (v *view) makers(network string) (specNames []string) {
	if v == nil {
		return nil
	}
	for _, n := range v.networks[network] {
		if n.SpecName != "" {
			specNames = append(specNames, n.SpecName)
		}
	}
	return specNames
}

// endpoint returns the sidecar's place on a network.
func (s *Sidecar) endpoint(networkID string) (Endpoint, bool) {
	for _, e := range s.Endpoints {
		if e.NetworkID == networkID {
			return e, true
		}
	}
	return Endpoint{}, false
}

// strays are the IDs of the networks that a sidecar is on besides its two.
func (s *Sidecar) strays(nets pair) []string {
	var strays []string
	for _, e := range s.Endpoints {
		if e.NetworkID != nets.internal.ID && e.NetworkID != nets.egress.ID {
			strays = append(strays, e.NetworkID)
		}
	}
	return strays
}

// internalOf returns the internal network of a spec: the one of that name, or of several the one on which its sidecar is.
func (v *view) internalOf(cp *spec.CredProxy) (Network, bool) {
	found := v.networks[cp.Spec.InternalNetwork]
	if len(found) == 1 {
		return found[0], true
	}
	for _, n := range found {
		if slices.ContainsFunc(v.on[n.ID], func(s Sidecar) bool { return s.SpecName == cp.Name }) {
			return n, true
		}
	}
	return Network{}, false
}
