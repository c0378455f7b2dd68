package reconcile

import (
	"path"
	"strings"
)

// neighbours knows, of an observation, where the containers are that are not ours, and what they have in common with
// others. Only those that run count.
type neighbours struct {
	ids     map[string]string          // of all containers, by name
	running map[string]*OtherContainer // by ID
	names   map[string]string          // of all containers, by ID
	// reach and places are of containers by ID.
	reach  map[string]*Reach
	places map[string][]Endpoint
	// on are those on each network, by network ID: by themselves, or in the network namespace of one that is.
	on map[string][]resident
	// inside are those that have a namespace in common with a container, by its ID.
	inside map[string][]lodger
	// using are those that mount a volume, by its name.
	using map[string][]*OtherContainer
	// vaults are the paths of the host at which our sidecars' files are, and above is what leads to them.
	vaults, above map[string]bool
}

// resident is a container on a network.
type resident struct {
	*OtherContainer
	// host is the ID of the container whose network namespace it is in: mostly its own.
	host string
}

// lodger is a container in a namespace of another.
type lodger struct {
	*OtherContainer
	kind NamespaceKind
}

func newNeighbours(o *Observation) *neighbours {
	n := &neighbours{
		ids: map[string]string{}, names: map[string]string{}, reach: map[string]*Reach{}, places: map[string][]Endpoint{},
		on: map[string][]resident{}, inside: map[string][]lodger{}, using: map[string][]*OtherContainer{},
		vaults: map[string]bool{}, above: map[string]bool{}, running: map[string]*OtherContainer{},
	}
	for _, s := range o.Sidecars {
		n.know(s.ID, s.Name, s.Endpoints)
		for _, m := range s.Mounts {
			if m.Source != "" {
				n.vaults[cleanPath(m.Source)] = true
				upwards(m.Source, func(dir string) { n.above[dir] = true })
			}
		}
	}
	for _, c := range o.Others {
		n.know(c.ID, c.Name, c.Endpoints)
		n.reach[c.ID] = c.Reach
	}
	for i := range o.Others {
		if c := &o.Others[i]; c.Runs() {
			n.running[c.ID] = c
			n.settle(c)
		}
	}
	return n
}

func (n *neighbours) know(id, name string, endpoints []Endpoint) {
	n.ids[name], n.names[id], n.places[id] = id, name, endpoints
}

// settle notes where a container is.
func (n *neighbours) settle(c *OtherContainer) {
	host, _ := n.owner(c.ID, NamespaceNetwork)
	for _, e := range n.places[host] {
		n.on[e.NetworkID] = append(n.on[e.NetworkID], resident{c, host})
	}
	if c.Reach == nil {
		return
	}
	for _, shared := range c.Reach.Shared {
		if owner, _ := n.owner(c.ID, shared.Kind); owner != c.ID {
			n.inside[owner] = append(n.inside[owner], lodger{c, shared.Kind})
		}
	}
	for _, m := range c.Reach.Mounts {
		if m.Volume != "" {
			n.using[m.Volume] = append(n.using[m.Volume], c)
		}
	}
}

// owner is the ID of the container whose namespace of a kind a container is in, through as many others as it takes; or
// the host's, and then the ID is empty.
func (n *neighbours) owner(id string, kind NamespaceKind) (owner string, hosts bool) {
	for range len(n.names) + 1 { // no chain is longer; a ring cannot be, but would end here too
		shared, ok := n.reach[id].shared(kind)
		switch {
		case !ok:
			return id, false
		case shared.Container == "":
			return "", true
		}
		id = n.find(shared.Container)
	}
	return id, false
}

// companions are the other containers that are in a container's PID namespace; none when it is the host's or a sidecar's.
func (n *neighbours) companions(c *OtherContainer) (found []*OtherContainer) {
	owner, _ := n.owner(c.ID, NamespacePID)
	if n.running[owner] == nil {
		return nil
	}
	for _, l := range append([]lodger{{n.running[owner], NamespacePID}}, n.inside[owner]...) {
		if l.kind == NamespacePID && l.ID != c.ID {
			found = append(found, l.OtherContainer)
		}
	}
	return found
}

// find returns the ID of a container that is called by its ID, its name, or the beginning of its ID, as engines take them.
// What is not there keeps what it is called by.
func (n *neighbours) find(called string) string {
	if n.names[called] != "" {
		return called
	}
	if id := n.ids[called]; id != "" {
		return id
	}
	for id := range n.names {
		if strings.HasPrefix(id, called) {
			return id
		}
	}
	return called
}

// shared is what a container has in common with others of one kind of namespace.
func (r *Reach) shared(kind NamespaceKind) (SharedNamespace, bool) {
	if r != nil {
		for _, s := range r.Shared {
			if s.Kind == kind {
				return s, true
			}
		}
	}
	return SharedNamespace{}, false
}

// showsVault reports whether a path of the host shows the files of a sidecar of ours, or is among them.
func (n *neighbours) showsVault(source string) bool {
	shows := n.above[cleanPath(source)]
	upwards(source, func(dir string) { shows = shows || n.vaults[dir] })
	return shows
}

// upwards calls f with a path, and with each directory above it.
func upwards(p string, f func(dir string)) {
	for p = cleanPath(p); ; p = path.Dir(p) {
		f(p)
		if p == "/" {
			return
		}
	}
}

// exposed reports whether a path of the host that a container sees shows it a place: that is it, or leads to it.
func exposed(source, place string) bool {
	source, place = cleanPath(source), cleanPath(place)
	return source == place || source == "/" || strings.HasPrefix(place, source+"/")
}

// cleanPath is a path in one writing; /run is what /var/run leads to.
func cleanPath(p string) string {
	p = path.Clean("/" + p)
	if rest, ok := strings.CutPrefix(p+"/", "/var/run/"); ok {
		return path.Join("/run", rest)
	}
	return p
}
