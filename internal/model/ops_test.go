package model

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// customImage is an image that a spec can ask for.
const customImage = "custom:1"

// furnish puts on an engine what environments have, and what others have there.
func (w *world) furnish() {
	w.hand(func() {
		for _, name := range append(names(), "shared", "foreign") {
			w.addShut(name+"-in", true)
			w.addShut(name+"-out", false)
		}
		w.engine.AddImage(customImage, fakeengine.Sidecar, nil)
		for _, name := range names()[:2] {
			w.engine.AddContainer(fakeengine.Foreign{Name: name + "-agent", Restarts: true, Networks: map[string][]string{w.network(name + "-in"): {"agent"}}})
		}
		w.addStranger()
	})
}

// addStranger makes what another instance's controller has for a spec of the same name.
func (w *world) addStranger() {
	other := w.engine.Driver("other")
	image, err := other.EnsureImage(w.ctx, "")
	w.must(err)
	_, err = other.EnsureNetwork(w.ctx, reconcile.NetworkRequest{Name: "other-out", SpecName: "ant"})
	w.must(err)
	id, err := other.Create(w.ctx, reconcile.CreateRequest{
		ContainerName: "other-ant", SpecName: "ant", SpecHash: spec.Hash(&newSpec("ant").Spec), ImageID: image,
		Network: w.network("foreign-in"), Alias: "cred-proxy", Resources: newSpec("ant").Spec.Resources,
	})
	w.must(err)
	w.must(other.Start(w.ctx, id))
}

func (w *world) must(err error) {
	if err != nil {
		panic(err)
	}
}

// network returns the ID of the first network of a name; empty when there is none.
func (w *world) network(name string) string {
	if ids := networkIDs(w.engine.Snapshot(), name); len(ids) > 0 {
		return ids[0]
	}
	return ""
}

// op is one operation of a script, and the time that passes after it.
type op struct {
	kind    int // in kinds
	name    string
	variant int
	rest    time.Duration
}

func (o op) String() string {
	return fmt.Sprintf("%s %s %d, then %s", kinds()[o.kind].name, o.name, o.variant, o.rest)
}

// script is what happens in one run.
type script struct {
	workers int
	// inhabited means that every spec has its sidecar at the start.
	inhabited bool
	ops       []op
	// tidy means that a person also removes the obstacles in the end that a controller must not touch.
	tidy bool
}

func (s script) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d workers, inhabited %v, tidy %v\n", s.workers, s.inhabited, s.tidy)
	for _, o := range s.ops {
		fmt.Fprintf(&b, "  %s\n", o)
	}
	return b.String()
}

// perform plays a script.
func (s script) perform(w *world) {
	if s.inhabited {
		for _, name := range names() {
			w.files.put(newSpec(name))
		}
		w.declare()
		w.rest(time.Second)
	}
	for _, o := range s.ops {
		w.rest(0)
		w.revive()
		w.log("* %s", o)
		kinds()[o.kind].do(w, o.name, o.variant)
		w.rest(o.rest)
	}
	w.revive()
	w.peace(s.tidy)
	w.settle()
}

// kind is a kind of operation.
type kind struct {
	name   string
	weight int
	do     func(w *world, name string, variant int)
}

// kinds are all operations. Those about a name or a container do nothing when there is none.
func kinds() []kind {
	return slices.Concat(fileKinds(), userKinds(), breachKinds(), engineKinds())
}

func fileKinds() []kind {
	edit := func(change func(int) func(*spec.CredProxy)) func(*world, string, int) {
		return func(w *world, name string, variant int) {
			w.files.edit(name, change(variant))
			w.declare()
		}
	}
	stand := func(standing standing) func(*world, string, int) {
		return func(w *world, name string, _ int) {
			if f := w.files.byName[name]; f != nil {
				f.standing = standing
				w.declare()
			}
		}
	}
	directory := func(change func(w *world, variant int)) func(*world, string, int) {
		return func(w *world, _ string, variant int) {
			change(w, variant)
			w.declare()
		}
	}
	return []kind{
		{"declare", 30, func(w *world, name string, _ int) { w.files.put(newSpec(name)); w.declare() }},
		{"declare all", 8, directory(func(w *world, _ int) {
			for _, name := range names() {
				w.files.put(newSpec(name))
			}
		})},
		{"routes", 10, edit(editRoutes)},
		{"hostname", 5, edit(editHostname)},
		{"port", 5, edit(editPort)},
		{"delivery", 8, edit(editDelivery)},
		{"callers", 5, edit(editCallers)},
		{"image", 3, edit(editImage)},
		{"resources", 5, edit(editResources)},
		{"internal network", 7, edit(editInternal)},
		{"egress network", 7, edit(editEgress)},
		{"pause", 4, edit(editPaused)},
		{"remove file", 10, func(w *world, name string, _ int) { delete(w.files.byName, name); w.declare() }},
		{"remove files", 3, directory(func(w *world, variant int) {
			for _, name := range names()[variant%2:] {
				delete(w.files.byName, name)
			}
		})},
		{"invalid", 3, stand(invalid)},
		{"duplicate", 3, stand(duplicated)},
		{"broken", 3, stand(broken)},
		{"incomplete scan", 4, directory(func(w *world, variant int) { w.files.incomplete = variant%3 != 0 })},
		{"unparsable file", 2, directory(func(w *world, variant int) { w.files.keepAll = variant%3 != 0 })},
		{"another directory", 1, directory(func(w *world, variant int) { w.files.root = uint64(1 + variant%2) })},
		{"heal files", 4, directory(func(w *world, _ int) { w.files.heal() })},
		{"token", 8, func(w *world, _ string, variant int) { w.tokens.put(refs()[variant%len(refs())]) }},
		{"rotate", 8, func(w *world, _ string, variant int) { w.tokens.rotate(refs()[variant%len(refs())]) }},
		{"tell of a token", 2, func(w *world, _ string, variant int) { w.tokens.tell(refs()[variant%len(refs())]) }},
		{"token of before", 3, func(w *world, _ string, variant int) { w.tokens.putBack(refs()[variant%len(refs())]) }},
		{"no token", 2, func(w *world, _ string, variant int) { w.tokens.take(refs()[variant%len(refs())]) }},
	}
}

// onSidecar is an operation of a person on one of a name's containers.
func onSidecar(do func(w *world, c fakeengine.Container, variant int)) func(*world, string, int) {
	return func(w *world, name string, variant int) {
		if mine := sidecars(w.engine.Snapshot(), name); len(mine) > 0 {
			w.hand(func() { do(w, mine[variant%len(mine)], variant) })
		}
	}
}

func userKinds() []kind {
	by := func(do func(e *fakeengine.Engine, id string)) func(*world, string, int) {
		return onSidecar(func(w *world, c fakeengine.Container, _ int) { do(w.engine, c.ID) })
	}
	return []kind{
		{"stop", 4, by((*fakeengine.Engine).StopContainer)},
		{"kill", 4, by((*fakeengine.Engine).KillContainer)},
		{"crash", 4, by(func(e *fakeengine.Engine, id string) { e.CrashContainer(id, 2) })},
		{"docker pause", 4, by((*fakeengine.Engine).PauseContainer)},
		{"docker unpause", 1, by((*fakeengine.Engine).UnpauseContainer)},
		{"docker rm", 5, onSidecar(func(w *world, c fakeengine.Container, variant int) { w.engine.RemoveContainer(c.ID, variant%2 == 0) })},
		{"stall removal", 3, by((*fakeengine.Engine).StallRemoval)},
		{"rename", 3, onSidecar(func(w *world, c fakeengine.Container, _ int) { w.engine.RenameContainer(c.ID, w.fresh("renamed")) })},
		{"names changed", 2, func(w *world, name string, variant int) {
			mine, others := sidecars(w.engine.Snapshot(), name), sidecars(w.engine.Snapshot(), names()[variant%len(names())])
			if len(mine) > 0 && len(others) > 0 && mine[0].ID != others[0].ID {
				w.hand(func() {
					w.engine.RenameContainer(mine[0].ID, w.fresh("aside"))
					w.engine.RenameContainer(others[0].ID, mine[0].Name)
					w.engine.RenameContainer(mine[0].ID, others[0].Name)
				})
			}
		}},
		{"limits", 3, by(func(e *fakeengine.Engine, id string) { e.UpdateContainer(id, reconcile.Limits{Memory: 1 << 30}) })},
		{"restarts forbidden", 3, by((*fakeengine.Engine).ForbidRestarts)},
		{"disconnect", 5, onSidecar(func(w *world, c fakeengine.Container, variant int) {
			if n := len(c.Endpoints); n > 0 {
				w.engine.DisconnectContainer(c.ID, c.Endpoints[variant%n].NetworkID)
			}
		})},
		{"lose alias", 4, onSidecar(func(w *world, c fakeengine.Container, variant int) {
			if n := len(c.Endpoints); n > 0 && w.exists(c.Endpoints[variant%n].NetworkID) {
				w.engine.DisconnectContainer(c.ID, c.Endpoints[variant%n].NetworkID)
				w.engine.ConnectContainer(c.ID, c.Endpoints[variant%n].NetworkID)
			}
		})},
		{"connect elsewhere", 3, onSidecar(func(w *world, c fakeengine.Container, _ int) {
			w.engine.ConnectContainer(c.ID, w.network("foreign-out"))
		})},
		{"network anew", 4, func(w *world, name string, variant int) {
			w.hand(func() { w.removeNetwork(name, variant); w.addNetwork(name, variant) })
		}},
		{"remove network", 3, func(w *world, name string, variant int) { w.hand(func() { w.removeNetwork(name, variant) }) }},
		{"duplicate network", 2, func(w *world, name string, variant int) { w.hand(func() { w.addNetwork(name, variant) }) }},
		{"holder of a name", 2, func(w *world, name string, _ int) {
			if _, taken := w.engine.Container(prefix + "-" + name); !taken {
				w.hand(func() { w.engine.AddContainer(fakeengine.Foreign{Name: prefix + "-" + name, Restarts: true}) })
			}
		}},
		{"holder of an alias", 2, func(w *world, name string, _ int) {
			if in := w.network(name + "-in"); in != "" {
				w.hand(func() {
					w.engine.AddContainer(fakeengine.Foreign{Name: w.fresh("holder"), Restarts: true, Networks: map[string][]string{in: {"cred-proxy"}}})
				})
			}
		}},
		{"agent joins", 3, func(w *world, name string, _ int) {
			if f := w.files.byName[name]; f != nil && w.network(f.spec.Spec.InternalNetwork) != "" {
				w.hand(func() {
					w.engine.AddContainer(fakeengine.Foreign{Name: w.fresh("agent"), Restarts: true, Networks: map[string][]string{
						w.network(f.spec.Spec.InternalNetwork): nil}})
				})
			}
		}},
		{"agent leaves", 3, func(w *world, _ string, variant int) {
			var agents []fakeengine.Container
			for _, c := range w.engine.Snapshot().Containers {
				if strings.HasPrefix(c.Name, "agent-") {
					agents = append(agents, c)
				}
			}
			if len(agents) == 0 {
				return
			}
			agent := agents[variant/2%len(agents)]
			w.hand(func() {
				if variant%2 == 0 || len(agent.Endpoints) == 0 {
					w.engine.RemoveContainer(agent.ID, true)
				} else {
					w.engine.DisconnectContainer(agent.ID, agent.Endpoints[0].NetworkID)
				}
			})
		}},
		{"remove image", 3, func(w *world, _ string, variant int) {
			w.hand(func() { w.engine.RemoveImage([]string{ownImage, customImage}[variant%2]) })
		}},
		{"crashing image", 1, func(w *world, _ string, _ int) {
			w.hand(func() { w.engine.AddImage(customImage, fakeengine.Crashing, nil) })
		}},
	}
}

// ownImage is the reference of the image that controllers carry.
const ownImage = "cred-proxy:1"

func (w *world) fresh(what string) string {
	w.taken++
	return fmt.Sprint(what, "-", w.taken)
}

// which is the name of one of a name's networks, and whether it is internal.
func which(name string, variant int) (network string, internal bool) {
	if variant%2 == 0 {
		return name + "-in", true
	}
	return name + "-out", false
}

func (w *world) addNetwork(name string, variant int) {
	network, internal := which(name, variant)
	w.addShut(network, internal)
}

// addShut makes a network, on which the host has no address if it is an internal one.
func (w *world) addShut(name string, internal bool) {
	w.engine.AlterNetwork(w.engine.AddNetwork(name, internal), func(n *fakeengine.Network) { n.HostReachable = !internal })
}

// removeNetwork takes every container off a network and removes it.
func (w *world) removeNetwork(name string, variant int) {
	network, _ := which(name, variant)
	for _, id := range networkIDs(w.engine.Snapshot(), network) {
		w.engine.RemoveNetwork(id)
	}
}

func (w *world) exists(networkID string) bool {
	for _, n := range w.engine.Snapshot().Networks {
		if n.ID == networkID {
			return true
		}
	}
	return false
}

func engineKinds() []kind {
	plain := func(do func(w *world, variant int)) func(*world, string, int) {
		return func(w *world, _ string, variant int) { do(w, variant) }
	}
	return []kind{
		{"fault", 45, plain(func(w *world, variant int) {
			all := w.hazards()
			h := all[variant%len(all)]
			w.engine.Inject(h.meets[variant/len(all)%len(h.meets)], 1+variant%2, h.fault)
		})},
		{"engine away", 3, plain(func(w *world, variant int) { w.engine.SetDown(variant%2 == 0) })},
		{"engine restarts", 3, plain(func(w *world, _ int) { w.hand(w.engine.Restart) })},
		{"streams cut", 3, plain(func(w *world, _ int) { w.engine.CutWatches() })},
		{"events", 4, plain(func(w *world, variant int) {
			fates := []fakeengine.EventFate{
				fakeengine.EventsLost, fakeengine.EventsLate, fakeengine.EventsDoubled, fakeengine.EventsArrive,
			}
			w.engine.SetEvents(fates[variant%len(fates)])
		})},
		{"move to Podman", 2, plain(func(w *world, _ int) { w.hand(w.moveToPodman) })},
		{"controller dies", 15, plain(func(w *world, variant int) { w.now.driver.doom(1+variant/2%12, variant%2 == 0) })},
		{"person prunes", 4, plain(func(w *world, _ int) { w.prune() })},
		{"controller restarts", 5, plain(func(w *world, _ int) { w.restart() })},
	}
}

// moveToPodman has the host run Podman from now on, where none of the sidecars is.
func (w *world) moveToPodman() {
	for _, c := range w.engine.Snapshot().Containers {
		if c.SpecName() != "" {
			w.engine.RemoveContainer(c.ID, true)
		}
	}
	w.engine.SetManners(fakeengine.Podman)
}
