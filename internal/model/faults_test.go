package model

import (
	"testing"
	"time"

	"credproxy.dev/controller/internal/fakeengine"
)

// steps are the calls that a controller makes, and the columns of the table: a step of a plan is one or two of them.
func steps() []fakeengine.Verb {
	return []fakeengine.Verb{
		fakeengine.Watch, fakeengine.Inspect, fakeengine.Observe, fakeengine.EnsureNetwork, fakeengine.EnsureImage, fakeengine.Create,
		fakeengine.CopyRoutes, fakeengine.Connect, fakeengine.Start, fakeengine.WaitLoaded, fakeengine.WaitReady,
		fakeengine.Reload, fakeengine.Update, fakeengine.Disconnect, fakeengine.Drain, fakeengine.Rename, fakeengine.Remove,
		fakeengine.RemoveVolume, fakeengine.RemoveNetwork,
	}
}

// hazard is a fault, and the calls that it can meet.
type hazard struct {
	fault fakeengine.Fault
	meets []fakeengine.Verb
	// because says why it can meet no others; empty when it meets all.
	because string
}

// hazards are all faults that calls can meet.
func (w *world) hazards() []hazard {
	e := w.engine
	telling := []fakeengine.Verb{
		fakeengine.EnsureNetwork, fakeengine.RemoveNetwork, fakeengine.Create, fakeengine.Start, fakeengine.Connect,
		fakeengine.Disconnect, fakeengine.Update, fakeengine.Rename, fakeengine.Drain, fakeengine.Remove,
	}
	const silent = "the others cause no event that is watched"
	return []hazard{
		{fakeengine.FailsBefore(nil), steps(), ""},
		{fakeengine.FailsAfter(nil), steps(), ""},
		{fakeengine.Slow(2 * time.Second), steps(), ""},
		{fakeengine.Hangs(), steps(), ""},
		{fakeengine.HangsAfter(), steps(), ""},
		{e.GoesAway(), steps(), ""},
		{e.Restarts(), steps(), ""},
		{e.CutsStream(), steps(), ""},
		{fakeengine.Events(fakeengine.EventsLost), telling, silent},
		{fakeengine.Events(fakeengine.EventsLate), telling, silent},
		{fakeengine.Events(fakeengine.EventsDoubled), telling, silent},
		{fakeengine.Conflicts(), []fakeengine.Verb{fakeengine.Create, fakeengine.Rename}, "the others give no name"},
		{fakeengine.Tears(1), []fakeengine.Verb{fakeengine.CopyRoutes}, "the others bring no files"},
		{fakeengine.DiskFull(1), []fakeengine.Verb{fakeengine.EnsureImage, fakeengine.Create, fakeengine.CopyRoutes, fakeengine.Start},
			"the others write nothing"},
		{fakeengine.PoolExhausted(), []fakeengine.Verb{fakeengine.EnsureNetwork, fakeengine.Create, fakeengine.Connect, fakeengine.Start},
			"the others need no address"},
		{e.ImagesVanish(), []fakeengine.Verb{fakeengine.EnsureImage, fakeengine.Create}, "the others need no image"},
		{e.RemovalStalls(), []fakeengine.Verb{fakeengine.Remove}, "the others remove no container"},
	}
}

// stages are the plots in which each step is taken.
func stages() map[fakeengine.Verb]string {
	return map[fakeengine.Verb]string{
		fakeengine.Watch: "streams cut", fakeengine.Inspect: "repair limits", fakeengine.Observe: "reload routes", fakeengine.EnsureNetwork: "create with networks",
		fakeengine.EnsureImage: "create", fakeengine.Create: "replace for an Env token", fakeengine.CopyRoutes: "reload routes",
		fakeengine.Connect: "move to a hostname", fakeengine.Start: "replace for the delivery",
		fakeengine.WaitLoaded: "replace for the image", fakeengine.WaitReady: "move to a port",
		fakeengine.Reload: "reload routes", fakeengine.Update: "update limits", fakeengine.Disconnect: "change egress",
		fakeengine.Drain: "replace for the delivery", fakeengine.Rename: "replace for the delivery",
		fakeengine.Remove: "move to an internal network", fakeengine.RemoveVolume: "volume without container",
		fakeengine.RemoveNetwork: "remove with networks",
	}
}

// testFaults has every fault meet every step that it can meet.
func testFaults(t *testing.T, census *census) {
	byName := map[string]plot{}
	for _, p := range plots() {
		byName[p.name] = p
	}
	for i, r := range rows(t) {
		for _, step := range r.meets {
			if p, ok := byName[stages()[step]]; ok && r.fault != "token missing" {
				p.meet(t, census, i, step)
			}
		}
	}
	w, err := play(t, 1, func(w *world) {
		w.tokens.take("RED")
		w.files.put(newSpec(hero))
		w.declare()
		w.settle()
		w.tokens.put("RED")
		w.settle()
	})
	census.add(w)
	if err != nil {
		t.Errorf("token missing: %v\n%s", err, w.story())
	}
}

// meet plays a plot in which a hazard meets the first call of a step.
func (p plot) meet(t *testing.T, census *census, hazard int, step fakeengine.Verb) {
	t.Helper()
	var fault string
	w, err := play(t, 1, func(w *world) {
		p.open(w)
		all := w.hazards()
		if hazard >= len(all) {
			return // deaths are played elsewhere
		}
		fault = all[hazard].fault.Name
		w.engine.Inject(step, 1, all[hazard].fault)
		p.change(w)
		w.rest(45 * time.Second)
		w.peace(false)
		w.settle()
		if n := w.engine.Hits()[fakeengine.Hit{Fault: fault, Verb: step}]; n == 0 {
			w.fail("the fault does not meet the step")
		}
	})
	census.add(w)
	if err != nil {
		t.Errorf("%s meets %s in %q: %v\n%s", fault, step, p.name, err, w.story())
	}
}
