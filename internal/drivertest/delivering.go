package drivertest

import (
	"context"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

func delivering() []story {
	return []story{
		{"a sidecar confirms the generation that it serves", confirms},
		{"a sidecar that was started without routes waits for them", waitsForRoutes},
		{"a reload serves the next generation", reloads},
		{"a sidecar off its internal network loads the next generation, and serves it there again", loadsApart},
		{"a torn generation is refused, and the old one serves on", refusesTorn},
		{"a generation with another's token is refused", refusesMixed},
		{"routes that are refused at the start are told", refusesAtStart},
		{"a start takes no generation older than the last, but for a signal", startsWithNoOlder},
		{"tokens in the environment are seen", deliversEnv},
		{"the routes that a sidecar has are read, without their key", readsRoutes},
		{"copying to what is gone is told as that", copiesToGone},
		{"waiting for what is gone is told as that", waitsForGone},
		{"waiting ends when the sidecar does", waitsForEnding},
		{"waiting for a sidecar that has ended is told as that", waitsForEnded},
		{"waiting for a sidecar that crashes is told as that", waitsForCrashing},
		{"waiting ends with its time", waitsInVain},
		{"the last lines for people are kept", keepsLines},
	}
}

func confirms(w *world) {
	id := w.create()
	files := w.sealed(7, "seven")
	table, err := routetable.Parse(files[len(files)-1].Data)
	w.noError(err)
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, files))
	w.noError(w.Driver.Start(w.ctx(), id))
	r, err := w.Driver.WaitReady(w.ctx(), id, 7)
	w.noError(err)
	if !r.Serving || r.Generation != 7 || r.Digest != table.Digest || r.RoutesDigest != table.RoutesDigest {
		w.Errorf("it reports %+v", r)
	}
	if seen := w.sidecar().Report; seen == nil || seen.Generation != 7 || !seen.Serving {
		w.Errorf("its last word is seen as %+v", seen)
	}
}

func readsRoutes(w *world) {
	id := w.create()
	_, err := w.Driver.ReadRoutes(w.ctx(), id)
	w.wants(err, reconcile.ErrNotFound)
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(4, "four")))
	w.noError(w.Driver.Start(w.ctx(), id))
	report, err := w.Driver.WaitReady(w.ctx(), id, 4)
	w.noError(err)
	for _, running := range []bool{true, false} {
		table, err := w.Driver.ReadRoutes(w.ctx(), id)
		w.noError(err)
		if table.RoutesDigest != report.RoutesDigest || table.Generation != 4 || len(table.Routes) != 1 || table.Key != nil {
			w.Errorf("running: %v, it has %+v", running, table)
		}
		w.Hands.Stop(w.T, id)
	}
	w.noError(w.Driver.Remove(w.ctx(), id))
	_, err = w.Driver.ReadRoutes(w.ctx(), id)
	w.wants(err, reconcile.ErrNotFound)
}

func waitsForRoutes(w *world) {
	id := w.create()
	w.noError(w.Driver.Start(w.ctx(), id))
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(1, "one")))
	r, err := w.Driver.WaitReady(w.ctx(), id, 1)
	w.noError(err)
	if !r.Serving {
		w.Errorf("it reports %+v", r)
	}
}

func loadsApart(w *world) {
	id, internal := w.serve(), w.internal()
	w.noError(w.Driver.Connect(w.ctx(), id, w.egress()))
	w.noError(w.Driver.Disconnect(w.ctx(), id, internal))
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(2, "two")))
	r, err := w.Driver.Load(w.ctx(), id, 2)
	w.noError(err)
	if r.Generation != 2 {
		w.Errorf("it reports %+v", r)
	}
	w.noError(w.Driver.Connect(w.ctx(), id, internal, hostname))
	r, err = w.Driver.WaitReady(w.ctx(), id, 2)
	w.noError(err)
	if !r.Serving || r.Generation != 2 {
		w.Errorf("it reports %+v", r)
	}
}

func reloads(w *world) {
	id := w.serve()
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(2, "two")))
	r, err := w.Driver.Reload(w.ctx(), id, 2)
	w.noError(err)
	if !r.Serving || r.Generation != 2 {
		w.Errorf("it reports %+v", r)
	}
	// Another driver can do so as well, which has not heard the sidecar before.
	again := w.Again()
	w.noError(again.CopyRoutes(w.ctx(), id, w.sealed(3, "three")))
	r, err = again.Reload(w.ctx(), id, 3)
	w.noError(err)
	if !r.Serving || r.Generation != 3 {
		w.Errorf("it reports %+v", r)
	}
}

func refusesTorn(w *world) {
	id := w.serve()
	files := w.sealed(2, "two")
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, files[len(files)-1:]))
	w.refused(id, 2)
}

func refusesMixed(w *world) {
	id := w.serve()
	files := w.sealed(2, "two")
	files[0].Data = []byte("other")
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, files))
	w.refused(id, 2)
}

// refused fails the story unless a generation is refused while generation 1 serves on.
func (w *world) refused(id string, generation int64) {
	w.Helper()
	_, err := w.Driver.Reload(w.ctx(), id, generation)
	w.wants(err, reconcile.ErrRoutesRefused)
	if r := w.sidecar().Report; r == nil || !r.Serving || r.Generation != 1 {
		w.Errorf("it reports %+v", r)
	}
}

func refusesAtStart(w *world) {
	id := w.create()
	files := []routetable.File{{Name: routetable.FileName, Mode: 0o600, Data: []byte(`{"version":99,"generation":1}`)}}
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, files))
	w.noError(w.Driver.Start(w.ctx(), id))
	_, err := w.Driver.WaitReady(w.ctx(), id, 1)
	w.wants(err, reconcile.ErrRoutesRefused)
}

func startsWithNoOlder(w *world) {
	id := w.serve()
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(3, "three")))
	_, err := w.Driver.Reload(w.ctx(), id, 3)
	w.noError(err)
	w.Hands.Stop(w.T, id)
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(2, "two")))
	w.noError(w.Driver.Start(w.ctx(), id))
	_, err = w.Driver.WaitReady(w.ctx(), id, 2)
	w.wants(err, reconcile.ErrRoutesRefused)
	r, err := w.Driver.Reload(w.ctx(), id, 2)
	w.noError(err)
	if !r.Serving || r.Generation != 2 {
		w.Errorf("it reports %+v", r)
	}
}

func deliversEnv(w *world) {
	req := w.request()
	req.Env = map[string]reconcile.Token{slot: reconcile.NewToken("from the environment")}
	id, err := w.Driver.Create(w.ctx(), req)
	w.noError(err)
	if got := w.Hands.Variable(w.T, id, slot); got != "from the environment" {
		w.Errorf("the container has %q", got)
	}
	if env := w.sidecar().Env; len(env) != 1 || !env[slot].Equal(req.Env[slot]) {
		w.Errorf("%d slots are seen, with another token perhaps", len(env))
	}
}

func copiesToGone(w *world) {
	id, files := w.create(), w.sealed(1, "one")
	w.noError(w.Driver.Remove(w.ctx(), id))
	w.wants(w.Driver.CopyRoutes(w.ctx(), id, files), reconcile.ErrNotFound)
}

func waitsForGone(w *world) {
	id := w.create()
	w.noError(w.Driver.Remove(w.ctx(), id))
	_, err := w.Driver.WaitReady(w.ctx(), id, 1)
	w.wants(err, reconcile.ErrNotFound)
}

func waitsForEnding(w *world) {
	id := w.serve()
	ended := make(chan error, 1)
	ctx := w.ctx()
	go func() {
		_, err := w.Driver.WaitReady(ctx, id, 99)
		ended <- err
	}()
	w.Hands.Kill(w.T, id)
	w.wants(<-ended, reconcile.ErrNotRunning)
}

func waitsForEnded(w *world) {
	id := w.serve()
	w.Hands.Kill(w.T, id)
	_, err := w.Driver.WaitReady(w.ctx(), id, 1)
	w.wants(err, reconcile.ErrNotRunning)
}

func waitsForCrashing(w *world) {
	req := w.request()
	req.ImageID = w.Hands.CrashingImage(w.T)
	id, err := w.Driver.Create(w.ctx(), req)
	w.noError(err)
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(1, "one")))
	w.noError(w.Driver.Start(w.ctx(), id))
	_, err = w.Driver.WaitReady(w.ctx(), id, 1)
	w.wants(err, reconcile.ErrNotRunning)
	// The engine starts it again and again by itself.
	w.eventually("it is seen to crash", func(o *reconcile.Observation) bool {
		w.Driver.Forget()
		return len(o.Sidecars) == 1 && o.Sidecars[0].RestartCount > 0
	})
	// At any moment of that.
	_, err = w.Again().WaitReady(w.ctx(), id, 1)
	w.wants(err, reconcile.ErrNotRunning)
}

func waitsInVain(w *world) {
	id := w.serve()
	ctx, cancel := context.WithTimeout(w.ctx(), 20*time.Millisecond)
	defer cancel()
	_, err := w.Driver.WaitReady(ctx, id, 99)
	w.wants(err, context.DeadlineExceeded)
}

func keepsLines(w *world) {
	id := w.serve()
	w.eventually("it has written something for people", func(*reconcile.Observation) bool {
		return len(w.Driver.LastLines(id)) > 0
	})
	if lines := w.Driver.LastLines("nobody"); lines != nil {
		w.Errorf("of nobody there is %q", lines)
	}
}
