package drivertest

import (
	"slices"

	"credproxy.dev/controller/pkg/reconcile"
)

func straying() []story {
	return []story{
		{"a volume that a container uses is no stray, whatever its state", usedIsNoStray},
		{"a volume that lost its container is found by a driver that begins anew", findsAnew},
		{"a volume that lost its container is found after that was told", findsWhenTold},
		{"a volume that lost its container unnoticed is found with the look after the next", findsWhenMissed},
		{"a volume that lost its container is found when all was forgotten", findsWhenForgotten},
		{"a stray is told again without another list until it is gone", toldUntilGone},
		{"another instance's stray is not ours", strangersStray},
		{"a volume in use stays, and is no stray for the attempt", usedStays},
	}
}

// strays fails the story unless a look shows exactly these volumes as strays of the spec.
func (w *world) strays(d reconcile.Observer, volumes ...string) {
	w.Helper()
	o, err := d.Observe(w.ctx())
	w.noError(err)
	var want []reconcile.Volume
	for _, name := range volumes {
		want = append(want, reconcile.Volume{Name: name, SpecName: specName})
	}
	if !slices.Equal(o.StrayVolumes, want) {
		w.Errorf("the strays are %+v, want %+v", o.StrayVolumes, want)
	}
}

// orphan makes a sidecar of which only the volume is left, and returns that.
func (w *world) orphan() (volume string) {
	w.Helper()
	id := w.create()
	volume = w.Hands.Volume(w.T, id)
	w.Hands.RemoveContainer(w.T, id)
	return volume
}

func usedIsNoStray(w *world) {
	id := w.create()
	w.strays(w.Again())
	w.noError(w.Driver.Start(w.ctx(), id))
	w.strays(w.Again())
	w.Hands.Stop(w.T, id)
	w.strays(w.Again())
	w.noError(w.Driver.Remove(w.ctx(), id))
	w.strays(w.Again())
}

func findsAnew(w *world) {
	volume := w.orphan()
	w.strays(w.Driver, volume)
}

func findsWhenTold(w *world) {
	id := w.create()
	volume := w.Hands.Volume(w.T, id)
	w.strays(w.Driver)
	l := w.watch()
	w.Hands.RemoveContainer(w.T, id)
	l.until(func(c reconcile.Change) bool { return c.SpecName == specName && c.Kind == "destroy" })
	w.strays(w.Driver, volume)
}

func findsWhenMissed(w *world) {
	id := w.create()
	volume := w.Hands.Volume(w.T, id)
	w.strays(w.Driver)
	w.Hands.RemoveContainer(w.T, id)
	w.observe()
	w.strays(w.Driver, volume)
}

func findsWhenForgotten(w *world) {
	w.observe()
	volume := w.orphan()
	w.Driver.Forget()
	w.strays(w.Driver, volume)
}

func toldUntilGone(w *world) {
	volume := w.orphan()
	w.strays(w.Driver, volume)
	w.takesTwoLists(func() { w.strays(w.Driver, volume) })
	w.noError(w.Driver.RemoveVolume(w.ctx(), volume))
	if w.Hands.VolumeExists(w.T, volume) {
		w.Error("the volume stays")
	}
	w.takesTwoLists(func() { w.strays(w.Driver) })
}

func strangersStray(w *world) {
	req := w.request()
	req.ContainerName = w.name("stranger")
	id, err := w.Stranger.Create(w.ctx(), req)
	w.noError(err)
	volume := w.Hands.Volume(w.T, id)
	w.Hands.RemoveContainer(w.T, id)
	w.strays(w.Driver)
	w.strays(w.Stranger, volume)
	w.noError(w.Stranger.RemoveVolume(w.ctx(), volume))
}

func usedStays(w *world) {
	id := w.serve()
	volume := w.Hands.Volume(w.T, id)
	if err := w.Driver.RemoveVolume(w.ctx(), volume); err == nil {
		w.Error("it is said to be removed")
	}
	if !w.Hands.VolumeExists(w.T, volume) || !w.Hands.Running(w.T, id) {
		w.Error("the volume was removed under its container")
	}
	w.strays(w.Driver)
}
