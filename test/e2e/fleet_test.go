//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	fleetSize  = 40
	fleetEdits = 120
	// unsettledAtMost is how many members may be on their way to what their files say before another is touched.
	unsettledAtMost = 4
)

// fleet is many specs on the same two networks that are created, edited and deleted at random, while visitors ask
// all those that are ready and not deleted.
type fleet struct {
	w        *world
	c        *controller
	visitors *visitors
	random   *rand.Rand
	members  map[string]*member
	calls    map[string]int
}

// member is one spec of a fleet, or what is left of a deleted one.
type member struct {
	version int
	// delivery counts the changes of how tokens travel.
	delivery int
	// limit is the memory that it may use, in mebibytes.
	limit   int
	deleted bool
	// visited tells that the visitors ask it.
	visited bool
	// before is what the API said of it when it was last touched, and touched that it has not settled since.
	before  object
	touched bool
}

// newFleetWorld is a world on an engine of its own, where that can be. Its networks do not bear the world's ID.
//
// When many containers come and go at once, Engine 20.10 loses count of a network's endpoints, and until it is started
// anew it does not remove the network. That is no fault of a controller, and nothing to leave on the machine's engine.
func newFleetWorld(t *testing.T) *world {
	t.Helper()
	if mayHaveOwnEngine(t) {
		t.Setenv("DOCKER_HOST", newOwnEngine(t).host())
		if err := importToolbox(toolboxImage); err != nil {
			t.Fatal(err)
		}
	}
	w := emptyWorld(t)
	w.internal, w.egress = newID()+"-internal", newID()+"-egress"
	t.Cleanup(func() {
		docker(t, append([]string{"rm", "-fv"}, strings.Fields(docker(t, "ps", "-aq", "--filter", "name="+w.id))...)...)
		for _, network := range []string{w.internal, w.egress} {
			if out, err := tryDocker("network", "rm", network); err != nil && strings.Contains(err.Error(), "active endpoints") {
				t.Logf("the engine lost count of the endpoints of %s: %v", network, err)
			} else if err != nil {
				t.Error(out, err)
			}
		}
	})
	docker(t, "network", "create", "--internal", w.internal)
	docker(t, "network", "create", w.egress)
	docker(t, "run", "-d", "--name", w.agent, "--network", w.internal, toolboxImage, "agent")
	docker(t, "run", "-d", "--name", w.upstream, "--network", w.egress, toolboxImage, "upstream", "-name", "one")
	w.setToken("token", "s3cret")
	return w
}

func newFleet(w *world, c *controller, seed uint64) *fleet {
	w.t.Logf("the seed is %d", seed)
	return &fleet{
		w: w, c: c, visitors: w.visitors("-c", "2", "-pause", "5ms"),
		random:  rand.New(rand.NewPCG(seed, seed)),
		members: map[string]*member{}, calls: map[string]int{},
	}
}

// Whatever is done to a fleet, who asks those that are ready and not deleted loses no request, and each ends with one
// sidecar that serves what its file says.
func TestFleet(t *testing.T) {
	w := newFleetWorld(t)
	f := newFleet(w, w.run("--drain-timeout", "5s"), uint64(time.Now().UnixNano()))
	for len(f.members) < fleetSize {
		f.create()
	}
	f.settle(0)
	for range fleetEdits {
		f.step()
		f.settle(unsettledAtMost)
	}
	f.settle(0)
	f.conforms()
	t.Logf("%d members at the end, after %v", len(f.members), f.calls)
	f.visitors.lostNone("who asks the fleet")
}

// step does one thing to one member: mostly an edit, sometimes a replacement, and now and then it goes.
func (f *fleet) step() {
	f.w.t.Helper()
	dice := f.random.IntN(100)
	switch {
	case len(f.members) < fleetSize && dice < 40:
		f.create()
	case dice < 60:
		f.edit("routes", func(*member) {})
	case dice < 75:
		f.edit("delivery", func(m *member) { m.delivery++ })
	case dice < 85:
		f.edit("limits", func(m *member) { m.limit = 64 + (m.limit+1)%16 })
	default:
		f.delete()
	}
}

func (f *fleet) create() {
	for {
		name := fmt.Sprintf("f%02d", f.random.IntN(2*fleetSize))
		if f.members[name] == nil {
			f.members[name] = &member{limit: 64, touched: true}
			f.write(name)
			f.calls["create"]++
			return
		}
	}
}

// edit changes a member, and its route in any case, so that the API tells when the edit is in force.
func (f *fleet) edit(what string, change func(*member)) {
	f.w.t.Helper()
	name := f.pick()
	m := f.members[name]
	if now, err := f.c.get(name); err == nil {
		m.before = now
	}
	change(m)
	m.version++
	m.touched = true
	f.write(name)
	f.calls[what]++
}

func (f *fleet) delete() {
	f.w.t.Helper()
	name := f.pick()
	m := f.members[name]
	if m.visited {
		f.visitors.leave(name)
	}
	m.deleted, m.visited, m.touched = true, false, true
	f.w.erase(name + ".yaml")
	f.calls["delete"]++
}

// pick is a member that is not deleted.
func (f *fleet) pick() string {
	var names []string
	for name, m := range f.members {
		if !m.deleted {
			names = append(names, name)
		}
	}
	slices.Sort(names) // so that a seed says it all
	return names[f.random.IntN(len(names))]
}

func (f *fleet) write(name string) {
	m := f.members[name]
	delivery := []string{"File", "Env", "Memory"}[m.delivery%3]
	f.w.drop(name+".yaml", f.w.spec(name, m.path(name), "hostname: "+name, "tokenDelivery: "+delivery,
		fmt.Sprintf(`resources: {memory: %dMi, cpus: "1", pids: 64}`, m.limit)))
}

// path is where the requests to a member arrive.
func (m *member) path(name string) string { return fmt.Sprintf("/%s/v%d", name, m.version) }

func memberURL(name string) string { return "http://" + name + ":9099/api/x" }

// settle waits until at most so many members are on their way to what their files say, and has the others visited.
func (f *fleet) settle(atMost int) {
	f.w.t.Helper()
	eventually(f.w.t, "the fleet follows its files", func() error {
		seen, err := f.c.list()
		if err != nil {
			return err
		}
		var waiting []string
		for name, m := range f.members {
			if m.touched && !f.settled(name, m, seen) {
				waiting = append(waiting, name+" "+seen[name].condition("Ready"))
			}
		}
		return want(len(waiting) <= atMost, waiting)
	})
}

// settled looks at a member that was touched.
func (f *fleet) settled(name string, m *member, seen map[string]object) bool {
	now, known := seen[name]
	switch {
	case m.deleted && !known:
		delete(f.members, name)
		return true
	case m.deleted || !known || !now.isReady() || !now.differs(m.before):
		return false
	}
	m.touched = false
	if !m.visited {
		f.visitors.ask(name, memberURL(name))
		m.visited = true
	}
	return true
}

// conforms checks that what is there is what the files say, and nothing else.
func (f *fleet) conforms() {
	f.w.t.Helper()
	for _, kind := range []string{"container", "volume"} {
		eventually(f.w.t, "there is one "+kind+" for each member", func() error {
			left := labelled(f.w.t, kind, f.w.id)
			return want(len(left) == len(f.members), fmt.Sprintf("%d for %d", len(left), len(f.members)))
		})
	}
	names := docker(f.w.t, "ps", "--format", "{{.Names}}", "--filter", "label=credproxy.dev/instance="+f.w.id)
	wanted := slices.Sorted(maps.Keys(f.members))
	for i := range wanted {
		wanted[i] = f.w.id + "-" + wanted[i]
	}
	if got := slices.Sorted(slices.Values(strings.Fields(names))); !slices.Equal(got, wanted) {
		f.w.t.Errorf("there are %v", got)
	}
	for name, m := range f.members {
		f.w.served(memberURL(name), m.path(name)+"/x")
	}
}

// list asks for all specs, by name.
func (c *controller) list() (map[string]object, error) {
	body, status, err := c.fetch("/api/v1alpha1/credproxies")
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, errors.New(body)
	}
	var all struct{ Items []object }
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		return nil, err
	}
	seen := map[string]object{}
	for _, o := range all.Items {
		seen[o.Metadata.Name] = o
	}
	return seen, nil
}

func (o object) isReady() bool { return strings.HasPrefix(o.condition("Ready"), "True ") }

// differs reports whether another container or another table serves.
func (o object) differs(from object) bool {
	return o.Status.ContainerID != from.Status.ContainerID || o.Status.RoutesDigest != from.Status.RoutesDigest
}
