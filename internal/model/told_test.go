package model

import "credproxy.dev/controller/internal/fakeengine"

// toldAs are the reasons of the events that tell of each action. Looks are none; to connect and to disconnect are parts of
// steps that have other names, and so is to wait for a sidecar's word.
func toldAs() map[fakeengine.Verb]string {
	return map[fakeengine.Verb]string{
		fakeengine.EnsureNetwork: "NetworkEnsured", fakeengine.Create: "Created", fakeengine.CopyRoutes: "Delivered",
		fakeengine.Start: "Started", fakeengine.Update: "Updated", fakeengine.Drain: "Drained",
		fakeengine.Rename: "Renamed", fakeengine.Remove: "Removed", fakeengine.RemoveVolume: "VolumeRemoved",
		fakeengine.RemoveNetwork: "NetworkRemoved",
	}
}

// eventsKept is how many events a controller remembers at the most.
const eventsKept = 1000

// checkTold holds that every action of the controller that runs now is an event, and every event of one an action.
func (w *world) checkTold() {
	events := w.now.Events()
	if len(events) >= eventsKept {
		return // the first ones may be forgotten
	}
	told := map[string]int{}
	for _, e := range events {
		told[e.Reason]++
	}
	for verb, reason := range toldAs() {
		if did := w.now.driver.succeeded(verb); did != told[reason] {
			w.fail("it did %s %d times, and told %s %d times", verb, did, reason, told[reason])
		}
	}
	// One that stands by is told to load what it is waited for.
	heard := w.now.driver.succeeded(fakeengine.WaitLoaded) + w.now.driver.succeeded(fakeengine.WaitReady) + w.now.driver.succeeded(fakeengine.Reload)
	if said := told["Ready"] + told["Reloaded"]; heard != said {
		w.fail("it heard %d times that a generation was taken over, and told it %d times", heard, said)
	}
}
