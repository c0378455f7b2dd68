package drivertest

import (
	"reflect"
	"slices"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// standing are the stories of sidecars whose volume is in memory.
func standing() []story {
	return []story{
		{"a volume in memory loses what is copied before the start", losesWhatCameBefore},
		{"a volume in memory is empty once its generation is served", emptiesMemory},
		{"told again, a sidecar serves on what it took out of a volume in memory", servesOnFromMemory},
		{"a generation that is torn in memory is refused, and the old one serves on", refusesTornInMemory},
		{"a volume in memory loses its files with the sidecar's run, and is filled again", losesWithTheRun},
		{"removing takes a volume in memory away", removesMemory},
	}
}

// standby makes and starts a sidecar with a volume in memory, and waits for its word that it has nothing.
func (w *world) standby() string {
	w.Helper()
	id := w.createStandby()
	if seen := w.sidecar().Standby; seen == nil || seen.Listen != ":9099" || len(seen.InternalSubnets) == 0 {
		w.Errorf("it is seen to stand by as %+v", seen)
	}
	w.noError(w.Driver.Start(w.ctx(), id))
	w.wantsDelivery(id)
	return id
}

func (w *world) createStandby() string {
	w.Helper()
	req := w.request()
	network, ok := w.seen(req.Network)
	if !ok {
		w.Fatal("the internal network is not seen")
	}
	req.Standby = &routetable.Standby{Listen: ":9099", InternalSubnets: network.Subnets, InternalGateways: network.Gateways}
	id, err := w.Driver.Create(w.ctx(), req)
	w.noError(err)
	return id
}

// wantsDelivery waits until a sidecar has said, unasked, that it serves nothing.
func (w *world) wantsDelivery(id string) {
	w.Helper()
	w.eventually("it says that it has nothing", func(o *reconcile.Observation) bool {
		i := slices.IndexFunc(o.Sidecars, func(s reconcile.Sidecar) bool { return s.ID == id && s.State == reconcile.StateRunning })
		return i >= 0 && o.Sidecars[i].Report != nil && reflect.DeepEqual(*o.Sidecars[i].Report, routetable.Report{
			Event: routetable.EventState, Error: o.Sidecars[i].Report.Error,
		})
	})
}

// delivers pushes a generation to a running sidecar.
func (w *world) delivers(id string, generation int64, token string) {
	w.Helper()
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(generation, token)))
	w.reloaded(id, generation)
}

func (w *world) reloaded(id string, generation int64) {
	w.Helper()
	r, err := w.Driver.Reload(w.ctx(), id, generation)
	w.noError(err)
	if !r.Serving || r.Generation != generation {
		w.Errorf("it reports %+v", r)
	}
}

func losesWhatCameBefore(w *world) {
	id := w.createStandby()
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(1, "one")))
	w.noError(w.Driver.Start(w.ctx(), id))
	w.wantsDelivery(id)
	w.delivers(id, 2, "two")
}

func emptiesMemory(w *world) {
	id := w.standby()
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(1, "one")))
	if files := w.Hands.Files(w.T, id); len(files) != 2 {
		w.Errorf("before, it has %q", files)
	}
	w.reloaded(id, 1)
	w.delivers(id, 2, "two")
	if files := w.Hands.Files(w.T, id); len(files) != 0 {
		w.Errorf("there are still %q", files)
	}
}

func servesOnFromMemory(w *world) {
	id := w.standby()
	w.delivers(id, 1, "one")
	w.reloaded(id, 1)
	again := w.Again()
	_, err := again.Reload(w.ctx(), id, 1)
	w.noError(err)
}

func refusesTornInMemory(w *world) {
	id := w.standby()
	w.delivers(id, 1, "one")
	files := w.sealed(2, "two")
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, files[len(files)-1:]))
	w.refused(id, 2)
	w.delivers(id, 3, "three")
	if files := w.Hands.Files(w.T, id); len(files) != 0 {
		w.Errorf("there are still %q", files)
	}
}

func losesWithTheRun(w *world) {
	id := w.standby()
	w.delivers(id, 1, "one")
	// One that was copied, and not taken out yet, is lost as well.
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(2, "two")))
	w.Hands.Stop(w.T, id)
	if files := w.Hands.Files(w.T, id); len(files) != 0 {
		w.Errorf("stopped, it has %q", files)
	}
	w.noError(w.Driver.Start(w.ctx(), id))
	w.wantsDelivery(id)
	w.delivers(id, 3, "three")
}

func removesMemory(w *world) {
	id := w.standby()
	w.delivers(id, 1, "one")
	volume := w.Hands.Volume(w.T, id)
	if volume == "" || !w.Hands.VolumeExists(w.T, volume) {
		w.Fatalf("its volume is %q", volume)
	}
	w.noError(w.Driver.Remove(w.ctx(), id))
	if w.Hands.VolumeExists(w.T, volume) {
		w.Error("its volume stays")
	}
}
