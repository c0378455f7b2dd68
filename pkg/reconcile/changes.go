package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// comparer gathers what the steps of one name change. What is there now is known by what the engine says of the containers, and by the
// routing table in the sidecar's volume; what neither tells is left out.
type comparer struct {
	*planner
	item Item
	// served is the table that the sidecar has; nil where that could not be read.
	served  *routetable.Table
	changes []spec.PlannedChange
	known   map[spec.PlannedChange]bool // those in changes
}

// changesOf compares what there is with what an item's steps lead to. It is pure.
func changesOf(in inputs, item Item, served *routetable.Table) []spec.PlannedChange {
	c := &comparer{planner: &planner{inputs: in}, item: item, served: served, known: map[spec.PlannedChange]bool{}}
	c.ofNetworks()
	switch current := in.current(); {
	case current == nil && in.spec != nil:
		c.ofNew()
	case current != nil && in.spec != nil && c.replaces():
		c.ofReplacement(current)
	case current != nil && in.spec != nil:
		c.ofSame(current)
	}
	c.ofRemovals()
	return c.changes
}

// current is the container of a name that counts: the one to keep, or any where nothing is declared; nil when there is none.
func (in inputs) current() *Sidecar {
	sidecars := in.view.sidecars[in.name]
	if in.spec != nil {
		sidecars = (&planner{inputs: in}).rank()
	}
	if len(sidecars) == 0 {
		return nil
	}
	return &sidecars[0]
}

// needsTable reports whether the table that a sidecar has says what an item changes.
func (i Item) needsTable() bool {
	return slices.ContainsFunc(i.Steps, func(s Step) bool { return s.Step == StepCopyRoutes || s.Step == StepRemove })
}

func (c *comparer) put(change spec.PlannedChange) {
	change.Name, change.Before, change.After = toldValue(change.Name), toldValue(change.Before), toldValue(change.After)
	if !c.known[change] {
		c.known[change] = true
		c.changes = append(c.changes, change)
	}
}

// maxChanges is how many changes of one item are told. What a sidecar has may be what somebody else put there, who would have people scroll.
// The largest spec has fewer, unless each of its routes has many fields.
const maxChanges = 1000

// tell takes over changes, and counts those beyond the most that are told.
func (i *Item) tell(changes []spec.PlannedChange) {
	i.Changes = changes[:min(len(changes), maxChanges)]
	i.MoreChanges = len(changes) - len(i.Changes)
}

// field notes that a field of the sidecar becomes another. Where it was empty, it is added.
func (c *comparer) field(name, before, after string) {
	if before == after {
		return
	}
	c.put(spec.PlannedChange{Change: kindOf(before, after), Object: spec.ChangedSidecar, Name: c.containerName(), Field: name, Before: before, After: after})
}

// kindOf is what becomes of a field that is empty where there is none.
func kindOf(before, after string) spec.ChangeKind {
	switch {
	case before == "":
		return spec.ChangeAdd
	case after == "":
		return spec.ChangeRemove
	}
	return spec.ChangeModify
}

func (c *comparer) has(step StepName) bool {
	return slices.ContainsFunc(c.item.Steps, func(s Step) bool { return s.Step == step })
}

// replaces reports whether a new container is made.
func (c *comparer) replaces() bool { return c.has(StepCreate) }

func (c *comparer) ofNetworks() {
	for _, s := range c.item.Steps {
		switch s.Step {
		case StepEnsureNetwork:
			c.put(spec.PlannedChange{Change: spec.ChangeAdd, Object: spec.ChangedNetwork, Name: s.Target})
		case StepRemoveNetwork:
			c.put(spec.PlannedChange{Change: spec.ChangeRemove, Object: spec.ChangedNetwork, Name: s.Target})
		case StepRemoveVolume:
			c.put(spec.PlannedChange{Change: spec.ChangeRemove, Object: spec.ChangedVolume, Name: s.Target})
		}
	}
}

// ofNew tells all of a sidecar that is the first.
func (c *comparer) ofNew() {
	if !c.replaces() {
		return
	}
	s := &c.spec.Spec
	c.put(spec.PlannedChange{Change: spec.ChangeAdd, Object: spec.ChangedSidecar, Name: c.containerName()})
	c.field("internalNetwork", "", s.InternalNetwork+" as "+s.Hostname+":"+strconv.Itoa(int(s.Port)))
	c.field("egressNetwork", "", s.EgressNetwork)
	c.field("image", "", cmp.Or(s.Image, "the controller's own"))
	c.field("tokenDelivery", "", string(s.TokenDelivery))
	c.field("resources", "", fmt.Sprintf("memory %s, cpus %s, pids %d", memoryOf(c.limits()), cpusOf(c.limits()), c.limits().Pids))
	c.ofRoutes(nil)
}

// ofReplacement tells in what the container that is made differs from the one that it replaces.
func (c *comparer) ofReplacement(old *Sidecar) {
	c.put(spec.PlannedChange{Change: spec.ChangeModify, Object: spec.ChangedSidecar, Name: c.containerName(), Field: "container",
		Before: old.Name + " (" + idShown(old.ID) + ")", After: "another one"})
	c.ofImage(old)
	c.ofDelivery(old)
	c.ofPort(old)
	c.ofPlaces(old)
	c.ofLimits(old)
	c.ofRoutes(old)
}

// ofSame tells what becomes of a container that stays.
func (c *comparer) ofSame(s *Sidecar) {
	for _, step := range c.item.Steps {
		switch {
		case step.Step == StepDisconnect: // also of others than the one that is kept
			c.field("network", step.Target, "")
		case step.id != s.ID:
		case step.Step == StepStart:
			c.field("state", fmt.Sprintf("%s (exit code %d)", s.State, s.ExitCode), "running")
		case step.Step == StepRename:
			c.field("name", s.Name, step.Target)
		}
	}
	c.ofPlaces(s)
	if c.has(StepUpdate) {
		c.ofLimits(s)
		if s.NoRestart {
			c.field("restart", "not by the engine", "always")
		}
	}
	if c.has(StepCopyRoutes) {
		c.ofRoutes(s)
	}
}

// ofImage tells another image only where it is known to be another.
func (c *comparer) ofImage(old *Sidecar) {
	was := cmp.Or(old.ImageTag, idShown(old.ImageID))
	switch {
	case c.spec.Spec.Image != "" && old.ImageTag != "":
		c.field("image", was, c.spec.Spec.Image)
	case c.outdated(*old):
		c.field("image", was, cmp.Or(c.view.imageTag, idShown(c.ownImage)))
	}
}

// ofDelivery tells another way for the tokens. A sidecar without any has files, or would have had an environment: nothing tells which.
func (c *comparer) ofDelivery(old *Sidecar) {
	was, declared := spec.DeliverFile, c.spec.Spec.TokenDelivery
	switch {
	case len(old.Env) > 0:
		was = spec.DeliverEnv
	case old.Standby != nil:
		was = spec.DeliverMemory
	case declared == spec.DeliverEnv && (c.served == nil || !tokenFiles(c.served)):
		return
	}
	c.field("tokenDelivery", string(was), string(declared))
}

// ofPort tells the port of a sidecar whose table cannot be read, as far as it was made with it.
func (c *comparer) ofPort(old *Sidecar) {
	if old.Standby != nil && c.served == nil {
		c.field("port", strings.TrimPrefix(old.Standby.Listen, ":"), strconv.Itoa(int(c.spec.Spec.Port)))
	}
}

// tokenFiles reports whether a table names files of tokens.
func tokenFiles(t *routetable.Table) bool {
	return slices.ContainsFunc(t.Routes, func(r routetable.Route) bool { return r.Auth != nil && r.Auth.TokenFile != "" })
}

// ofPlaces compares the networks that a container is on, and its name there, with those declared.
func (c *comparer) ofPlaces(s *Sidecar) {
	if !c.replaces() && !c.has(StepReconnect) && !c.has(StepConnectEgress) {
		return
	}
	nets := c.pair()
	place, on := s.endpoint(nets.internal.ID)
	switch {
	case !on:
		c.field("internalNetwork", c.otherPlaces(s, nets, true), nets.internal.Name)
	case !slices.Contains(place.Aliases, c.spec.Spec.Hostname):
		c.field("hostname", strings.Join(place.Aliases, ", "), c.spec.Spec.Hostname)
	}
	strays := c.otherPlaces(s, nets, false)
	if _, on := s.endpoint(nets.egress.ID); !on {
		c.field("egressNetwork", strays, nets.egress.Name)
	} else {
		c.field("network", strays, "")
	}
}

// otherPlaces are the names of the networks that lead nowhere, or that lead out, which a container is on and should not be.
func (c *comparer) otherPlaces(s *Sidecar, nets pair, inner bool) string {
	var names []string
	for _, e := range s.Endpoints {
		_, leadsNowhere := c.view.inner[e.NetworkID]
		if leadsNowhere == inner && e.NetworkID != nets.internal.ID && e.NetworkID != nets.egress.ID {
			names = append(names, e.NetworkName)
		}
	}
	return strings.Join(names, ", ")
}

func (c *comparer) ofLimits(s *Sidecar) {
	was, declared := s.Resources, c.limits()
	c.field("resources.memory", memoryOf(was), memoryOf(declared))
	c.field("resources.cpus", cpusOf(was), cpusOf(declared))
	c.field("resources.pids", strconv.FormatInt(was.Pids, 10), strconv.FormatInt(declared.Pids, 10))
}

func memoryOf(l Limits) string { return resource.NewQuantity(l.Memory, resource.BinarySI).String() }

func cpusOf(l Limits) string {
	return resource.NewScaledQuantity(l.NanoCPUs, resource.Nano).String()
}

// ofRemovals tells the containers that go, with what they serve where nothing takes their place.
func (c *comparer) ofRemovals() {
	current := c.current()
	for _, step := range c.item.Steps {
		if step.Step != StepRemove || current != nil && step.id == current.ID && c.replaces() {
			continue // it is told as replaced
		}
		c.put(spec.PlannedChange{Change: spec.ChangeRemove, Object: spec.ChangedSidecar, Name: step.Target})
		if current != nil && step.id == current.ID && c.served != nil {
			for _, r := range c.served.Routes {
				c.put(spec.PlannedChange{Change: spec.ChangeRemove, Object: spec.ChangedRoute, Name: r.Path, Before: r.Upstream})
			}
		}
	}
}

// idShown is as much of an ID as the docker command shows.
func idShown(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), 12)]
}

// maxTold bounds what is told of a value, in runes.
const maxTold = 160

// toldValue is a value as people are shown it: on one line, without what steers a terminal, and not too long. It may come out of a sidecar's
// volume.
func toldValue(value string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if !spec.IsPrintable(r) {
			return '\uFFFD'
		}
		return r
	}, value))
	if len(runes) > maxTold {
		return string(runes[:maxTold]) + "…"
	}
	return string(runes)
}
