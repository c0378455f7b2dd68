package drivertest

import (
	"errors"
	"slices"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

func logging() []story {
	return []story{
		{"a log is read from its beginning, and holds no reports", readsLog},
		{"a log is read from some time on", readsLogSince},
		{"a log is followed until its sidecar ends, and read after that", followsLog},
		{"whoever reads a log may stop", stopsReading},
		{"the log of what is gone is told as that", readsLogOfGone},
		{"logs are those of own sidecars, the oldest first", findsLogs},
	}
}

// lines reads what a sidecar has written for people so far.
func (w *world) lines(id string, since time.Time) (lines []reconcile.LogLine) {
	w.Helper()
	w.noError(w.Driver.ReadLog(w.ctx(), reconcile.LogRequest{ContainerID: id, Since: since}, func(line reconcile.LogLine) error {
		lines = append(lines, line)
		return nil
	}))
	return lines
}

// untilLines waits until a log has so many lines: the engine gets them a moment after they were written.
func (w *world) untilLines(id string, atLeast int) (lines []reconcile.LogLine) {
	w.Helper()
	w.eventually("its log has lines", func(*reconcile.Observation) bool {
		lines = w.lines(id, time.Time{})
		return len(lines) >= atLeast
	})
	return lines
}

func readsLog(w *world) {
	id := w.serve()
	lines := w.untilLines(id, 1)
	for i, line := range lines {
		switch {
		case line.Text == "" || line.Cut || len(line.Text) > reconcile.MaxLogLine:
			w.Errorf("a line is %+v", line)
		case line.Time.IsZero() || i > 0 && line.Time.Before(lines[i-1].Time):
			w.Errorf("a line is of %v", line.Time)
		}
		if slices.ContainsFunc([]byte(line.Text), func(b byte) bool { return b == '\n' || b == '\r' }) {
			w.Errorf("%q is more than one line", line.Text)
		}
	}
	again := w.lines(id, time.Time{})
	if len(again) < len(lines) || !slices.Equal(again[:len(lines)], lines) {
		w.Errorf("it was %v, and is %v", lines, again)
	}
}

func readsLogSince(w *world) {
	id := w.serve()
	lines := w.untilLines(id, 1)
	last := lines[len(lines)-1].Time
	if since := w.lines(id, last.Add(time.Hour)); len(since) != 0 {
		w.Errorf("of the next hour there is %v", since)
	}
	if since := w.lines(id, last.Add(-time.Hour)); len(since) < len(lines) {
		w.Errorf("of the last hour there is %v of %v", since, lines)
	}
}

func followsLog(w *world) {
	id := w.serve()
	before := len(w.untilLines(id, 1))
	taken, ended := make(chan reconcile.LogLine, 1000), make(chan error, 1)
	ctx := w.ctx()
	go func() {
		ended <- w.Driver.ReadLog(ctx, reconcile.LogRequest{ContainerID: id, Follow: true}, func(line reconcile.LogLine) error {
			taken <- line
			return nil
		})
	}()
	for range before {
		<-taken
	}
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(2, "two")))
	_, err := w.Driver.Reload(w.ctx(), id, 2)
	w.noError(err)
	<-taken // what it says of that
	w.noError(w.Driver.Drain(w.ctx(), id))
	w.noError(<-ended)
	if after := len(w.untilLines(id, before+1)); after <= before {
		w.Errorf("%d lines of a sidecar that has ended, and %d before", after, before)
	}
	// There is nothing to follow.
	w.noError(w.Driver.ReadLog(w.ctx(), reconcile.LogRequest{ContainerID: id, Follow: true}, func(reconcile.LogLine) error { return nil }))
}

func stopsReading(w *world) {
	id := w.serve()
	w.untilLines(id, 1)
	enough := errors.New("enough")
	for _, follow := range []bool{false, true} {
		err := w.Driver.ReadLog(w.ctx(), reconcile.LogRequest{ContainerID: id, Follow: follow}, func(reconcile.LogLine) error { return enough })
		w.wants(err, enough)
	}
}

func readsLogOfGone(w *world) {
	id := w.create()
	w.noError(w.Driver.Remove(w.ctx(), id))
	for _, follow := range []bool{false, true} {
		err := w.Driver.ReadLog(w.ctx(), reconcile.LogRequest{ContainerID: id, Follow: follow}, func(reconcile.LogLine) error { return nil })
		w.wants(err, reconcile.ErrNotFound)
	}
}

func findsLogs(w *world) {
	first := w.serve()
	beside := w.request()
	beside.ContainerName = w.name("beside")
	second, err := w.Driver.Create(w.ctx(), beside)
	w.noError(err)
	other := w.request()
	other.ContainerName, other.SpecName = w.name("other"), "api"
	third, err := w.Driver.Create(w.ctx(), other)
	w.noError(err)
	strange := w.request()
	strange.ContainerName = w.name("stranger")
	_, err = w.Stranger.Create(w.ctx(), strange)
	w.noError(err)
	w.Hands.AddContainer(w.T, Container{Name: w.name("foreign"), NetworkID: w.internal(), ImageLabels: map[string]string{
		"credproxy.dev/instance": w.Instance, "credproxy.dev/name": specName,
	}})
	w.findsLogs(specName, first, second)
	w.findsLogs("api", third)
	w.findsLogs("", first, second, third)
	w.findsLogs("nobody")
	sources, err := w.Driver.LogSources(w.ctx(), specName)
	w.noError(err)
	one := sources[0]
	if one.ContainerName != w.name("sidecar") || one.SpecName != specName || one.State != reconcile.StateRunning || one.Created.IsZero() ||
		sources[1].State != reconcile.StateCreated {
		w.Errorf("they are seen as %+v", sources)
	}
}

// findsLogs fails the story unless the logs of a spec are those of these containers.
func (w *world) findsLogs(name string, ids ...string) {
	w.Helper()
	sources, err := w.Driver.LogSources(w.ctx(), name)
	w.noError(err)
	var found []string
	for _, s := range sources {
		found = append(found, s.ContainerID)
	}
	if !slices.Equal(found, ids) {
		w.Errorf("of %q there are %v, want %v", name, found, ids)
	}
}
