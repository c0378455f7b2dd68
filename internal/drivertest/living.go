package drivertest

import (
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

func living() []story {
	return []story{
		{"the controller's own image is made once", imageMadeOnce},
		{"an image that is not there is told as that", imageIsMissing},
		{"a name that a foreign container holds is a conflict", nameIsHeld},
		{"creating on a network that is gone is told as that", createsOnNothing},
		{"starting twice is one start", startsOnce},
		{"starting what is gone is told as that", startsGone},
		{"a sidecar does not start without its networks", startsWithoutNetwork},
		{"a network made anew is not the one that a stopped sidecar was on, unless it starts there", networkMadeAnew},
		{"a sidecar that was stopped can be started", startsAgain},
		{"new limits are seen at the next look, or told to be more than the engine can do", updates},
		{"a container that the engine would not start again is seen, and updated", updatesRestarts},
		{"updating what is gone is told as that", updatesGone},
		{"a sidecar can be renamed", renames},
		{"renaming to a name that is held is a conflict", renamesToHeld},
		{"draining ends the sidecar in order", drains},
		{"draining what is gone succeeds", drainsGone},
		{"removing takes the volume away", removes},
		{"removing a volume twice succeeds", volumeGoes},
	}
}

func imageMadeOnce(w *world) {
	first, err := w.Driver.EnsureImage(w.ctx(), "")
	w.noError(err)
	second, err := w.Again().EnsureImage(w.ctx(), "")
	w.noError(err)
	if first != second || first == "" {
		w.Errorf("the image is %q, then %q", first, second)
	}
	byID, err := w.Driver.EnsureImage(w.ctx(), first)
	w.noError(err)
	if byID != first {
		w.Errorf("by its ID it is %q", byID)
	}
}

func imageIsMissing(w *world) {
	_, err := w.Driver.EnsureImage(w.ctx(), w.Prefix+":none")
	w.wants(err, reconcile.ErrImageUnavailable)
	req := w.request()
	req.ImageID = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	_, err = w.Driver.Create(w.ctx(), req)
	w.wants(err, reconcile.ErrImageUnavailable)
}

func nameIsHeld(w *world) {
	req := w.request()
	holder := w.Hands.AddContainer(w.T, Container{Name: req.ContainerName, NetworkID: w.egress()})
	_, err := w.Driver.Create(w.ctx(), req)
	w.wants(err, reconcile.ErrNameConflict)
	if name := w.Hands.Name(w.T, holder); name != req.ContainerName || !w.Hands.Running(w.T, holder) {
		w.Errorf("the container that held the name is now called %q", name)
	}
	if o := w.observe(); len(o.Sidecars) != 0 {
		w.Errorf("something was made: %+v", o.Sidecars)
	}
}

func createsOnNothing(w *world) {
	req := w.request()
	w.noError(w.Driver.RemoveNetwork(w.ctx(), req.Network))
	_, err := w.Driver.Create(w.ctx(), req)
	if err == nil {
		// Some engines find out only when it is started.
		err = w.Driver.Start(w.ctx(), w.sidecar().ID)
	}
	w.wants(err, reconcile.ErrNetworkNotFound)
}

func startsOnce(w *world) {
	id := w.serve()
	before := w.sidecar()
	w.noError(w.Driver.Start(w.ctx(), id))
	after := w.sidecar()
	if after.State != reconcile.StateRunning || after.StartedAt.IsZero() || !after.StartedAt.Equal(before.StartedAt) {
		w.Errorf("it was %+v, and is %+v", before, after)
	}
	if e, _ := place(after.Endpoints, w.internal()); e.IPv4 == "" {
		w.Errorf("it has no address: %+v", after.Endpoints)
	}
}

func startsGone(w *world) {
	id := w.create()
	w.noError(w.Driver.Remove(w.ctx(), id))
	w.wants(w.Driver.Start(w.ctx(), id), reconcile.ErrNotFound)
}

func startsWithoutNetwork(w *world) {
	id, internal := w.serve(), w.internal()
	w.Hands.Stop(w.T, id)
	w.Hands.RemoveNetwork(w.T, internal)
	w.wants(w.Driver.Start(w.ctx(), id), reconcile.ErrNetworkNotFound)
	if s := w.sidecar(); s.State == reconcile.StateRunning {
		w.Errorf("it runs: %+v", s)
	}
}

func networkMadeAnew(w *world) {
	id, internal := w.serve(), w.internal()
	w.Hands.Stop(w.T, id)
	w.Hands.RemoveNetwork(w.T, internal)
	anew := w.internal()
	_, on := place(w.sidecar().Endpoints, anew)
	if on != w.Podman {
		w.Errorf("it is seen on the new network: %v", on)
	}
	if !on {
		return
	}
	w.noError(w.Driver.Start(w.ctx(), id))
	if e, _ := place(w.sidecar().Endpoints, anew); e.IPv4 == "" {
		w.Errorf("it is seen on the new network, and cannot be started there: %+v", e)
	}
}

func startsAgain(w *world) {
	id := w.serve()
	w.Hands.Stop(w.T, id)
	if s := w.sidecar(); s.State != reconcile.StateExited || s.Report != nil {
		w.Errorf("stopped, it is seen as %+v", s)
	}
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(2, "two")))
	w.noError(w.Driver.Start(w.ctx(), id))
	r, err := w.Driver.WaitReady(w.ctx(), id, 2)
	w.noError(err)
	if !r.Serving || r.Generation != 2 {
		w.Errorf("it reports %+v", r)
	}
}

func updates(w *world) {
	id := w.serve()
	w.observe()
	more := spec.Resources{Memory: "128Mi", CPUs: "250m", Pids: 32}
	if w.Podman {
		before := w.sidecar().Resources
		w.wants(w.Driver.Update(w.ctx(), id, more), reconcile.ErrUnsupported)
		if got := w.sidecar().Resources; got != before {
			w.Errorf("its limits are %+v, and were %+v", got, before)
		}
		return
	}
	w.noError(w.Driver.Update(w.ctx(), id, more))
	if got, want := w.sidecar().Resources, reconcile.LimitsOf(more); got != want {
		w.Errorf("its limits are %+v, want %+v", got, want)
	}
	w.noError(w.Driver.Update(w.ctx(), id, more))
}

func updatesRestarts(w *world) {
	id := w.serve()
	if w.sidecar().NoRestart {
		w.Error("it is made so that the engine does not start it again")
	}
	if w.Podman { // nobody can change that there
		w.wants(w.Driver.Update(w.ctx(), id, w.request().Resources), reconcile.ErrUnsupported)
		return
	}
	w.Hands.ForbidRestarts(w.T, id)
	w.Driver.Forget()
	if !w.sidecar().NoRestart {
		w.Error("it is not seen that the engine would not start it again")
	}
	w.noError(w.Driver.Update(w.ctx(), id, w.request().Resources))
	if w.sidecar().NoRestart {
		w.Error("after the update the engine would still not start it again")
	}
}

func updatesGone(w *world) {
	id := w.create()
	w.noError(w.Driver.Remove(w.ctx(), id))
	w.wants(w.Driver.Update(w.ctx(), id, spec.Resources{Memory: "64Mi", CPUs: "1", Pids: 64}), reconcile.ErrNotFound)
}

func renames(w *world) {
	id := w.serve()
	w.noError(w.Driver.Rename(w.ctx(), id, w.name("renamed")))
	w.noError(w.Driver.Rename(w.ctx(), id, w.name("renamed")))
	if name := w.sidecar().Name; name != w.name("renamed") {
		w.Errorf("it is called %q", name)
	}
}

func renamesToHeld(w *world) {
	id := w.create()
	holder := w.Hands.AddContainer(w.T, Container{Name: w.name("foreign"), NetworkID: w.egress()})
	w.wants(w.Driver.Rename(w.ctx(), id, w.name("foreign")), reconcile.ErrNameConflict)
	if name := w.Hands.Name(w.T, holder); name != w.name("foreign") {
		w.Errorf("the container that held the name is now called %q", name)
	}
	if name := w.sidecar().Name; name != w.name("sidecar") {
		w.Errorf("the sidecar is called %q", name)
	}
}

func drains(w *world) {
	id := w.serve()
	w.noError(w.Driver.Drain(w.ctx(), id))
	if s := w.sidecar(); s.State != reconcile.StateExited || s.ExitCode != 0 {
		w.Errorf("it is %s with exit code %d", s.State, s.ExitCode)
	}
	w.noError(w.Driver.Drain(w.ctx(), id))
}

func drainsGone(w *world) {
	id := w.create()
	w.noError(w.Driver.Remove(w.ctx(), id))
	w.noError(w.Driver.Drain(w.ctx(), id))
}

func removes(w *world) {
	id := w.serve()
	volume := w.Hands.Volume(w.T, id)
	if volume == "" || !w.Hands.VolumeExists(w.T, volume) {
		w.Fatalf("its volume is %q", volume)
	}
	w.noError(w.Driver.Remove(w.ctx(), id))
	w.noError(w.Driver.Remove(w.ctx(), id))
	if o := w.observe(); len(o.Sidecars) != 0 {
		w.Errorf("it is still seen: %+v", o.Sidecars)
	}
	if w.Hands.VolumeExists(w.T, volume) {
		w.Error("its volume stays")
	}
}

func volumeGoes(w *world) {
	id := w.create()
	volume := w.Hands.Volume(w.T, id)
	if err := w.Driver.RemoveVolume(w.ctx(), volume); err == nil || !w.Hands.VolumeExists(w.T, volume) {
		w.Error("the volume was removed under its container")
	}
	w.noError(w.Driver.Remove(w.ctx(), id))
	w.noError(w.Driver.RemoveVolume(w.ctx(), volume))
}
