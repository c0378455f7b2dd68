package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/reconcile"
)

// ErrNoSidecar means that an engine has no container of a spec.
var ErrNoSidecar = errors.New("there is no container of it")

const (
	// logsInterval is how often a log that is followed looks for other containers of its spec.
	logsInterval = time.Second
	// overlap is how much of what was read before is asked for again, and left out: engines tell times more or less exactly.
	overlap = 2 * time.Second
)

// LogsRequest says which lines of the sidecars of a spec are wanted.
type LogsRequest struct {
	// Name is the spec's.
	Name string
	// Since leaves out older lines; zero leaves out none.
	Since time.Time
	// Tail is how many of the last lines of before are wanted; all when negative.
	Tail int
	// Follow goes on with new ones, from whichever containers the spec has, until the context ends.
	Follow bool
}

// LogsTaker takes what Logs finds. Its methods are called one at a time.
type LogsTaker struct {
	// Sources is called when the containers of the spec are others than before, or named otherwise, before any line of them.
	Sources func([]reconcile.LogSource)
	// Line is called for each line. Its error ends Logs.
	Line func(reconcile.LogSource, reconcile.LogLine) error
	// Lost is called with what keeps a log from being followed for now, and with nil once it is again.
	Lost func(error)
}

// Logs hands over the logs of the sidecars of a spec, as the engine keeps them: those of all its containers, by time. It fails with
// ErrNoSidecar where there is none at first.
func Logs(ctx context.Context, opts Options, parts Parts, req LogsRequest, take LogsTaker) error {
	engine, err := parts.engine(opts, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	defer func() { _ = engine.Close() }() // of a connection that is not used any more
	l := &logs{engine: engine, req: req, take: take, known: map[string]*logged{}, lines: make(chan sourced), ended: make(chan string)}
	if err := l.begin(ctx); err != nil || !req.Follow {
		return err
	}
	return l.follow(ctx)
}

// NamesOnEngine returns the names of the specs of which an engine has containers.
func NamesOnEngine(ctx context.Context, opts Options, parts Parts) ([]string, error) {
	engine, err := parts.engine(opts, prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	defer func() { _ = engine.Close() }()
	sources, err := engine.LogSources(ctx, "")
	var names []string
	for _, s := range sources {
		names = append(names, s.SpecName)
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

// logs are those of the containers of a spec.
type logs struct {
	engine reconcile.LogReader
	req    LogsRequest
	take   LogsTaker
	// known are the containers that were met, by ID.
	known map[string]*logged
	shown []reconcile.LogSource
	lost  bool
	// lines and ended are what those tell that follow; ended carries the ID of the container.
	lines chan sourced
	ended chan string
}

// sourced is a line and where it comes from.
type sourced struct {
	id   string
	line reconcile.LogLine
}

// logged is how far the log of a container was read.
type logged struct {
	source   reconcile.LogSource
	followed bool
	// last is the time of the last line, and times how many lines had that.
	last  time.Time
	times int
}

// begin hands over what there is.
func (l *logs) begin(ctx context.Context) error {
	sources, err := l.engine.LogSources(ctx, l.req.Name)
	switch {
	case err != nil:
		return err
	case len(sources) == 0:
		return ErrNoSidecar
	}
	l.meet(sources)
	var past []sourced
	for _, s := range sources {
		lines, err := l.past(ctx, s)
		if err != nil && !errors.Is(err, reconcile.ErrNotFound) { // it went meanwhile
			return err
		}
		past = append(past, lines...)
	}
	slices.SortStableFunc(past, func(a, b sourced) int { return a.line.Time.Compare(b.line.Time) })
	if l.req.Tail >= 0 {
		past = past[max(0, len(past)-l.req.Tail):]
	}
	for _, p := range past {
		if err := l.take.Line(l.known[p.id].source, p.line); err != nil {
			return err
		}
	}
	return nil
}

// past are the lines that a container has written so far: of many, as many of the last as are wanted.
func (l *logs) past(ctx context.Context, s reconcile.LogSource) (lines []sourced, err error) {
	at := l.known[s.ContainerID]
	err = l.engine.ReadLog(ctx, reconcile.LogRequest{ContainerID: s.ContainerID, Since: l.req.Since}, func(line reconcile.LogLine) error {
		at.note(line)
		lines = append(lines, sourced{s.ContainerID, line})
		if l.req.Tail >= 0 && len(lines)-l.req.Tail > l.req.Tail { // 2*Tail could be more than an int holds
			lines = append(lines[:0], lines[len(lines)-l.req.Tail:]...)
		}
		return nil
	})
	return lines, err
}

func (g *logged) note(line reconcile.LogLine) {
	if !line.Time.Equal(g.last) {
		g.last, g.times = line.Time, 0
	}
	g.times++
}

// meet takes over which containers there are.
func (l *logs) meet(sources []reconcile.LogSource) {
	for _, s := range sources {
		if l.known[s.ContainerID] == nil {
			l.known[s.ContainerID] = &logged{}
		}
		l.known[s.ContainerID].source = s
	}
	same := slices.EqualFunc(sources, l.shown, func(a, b reconcile.LogSource) bool {
		return a.ContainerID == b.ContainerID && a.ContainerName == b.ContainerName
	})
	if !same {
		l.take.Sources(sources)
	}
	l.shown = sources
}

// follow goes on with new lines. Each container that runs is followed by a goroutine of its own, all of which end with ctx.
func (l *logs) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	working := 0
	defer func() {
		cancel()
		for ; working > 0; working-- {
			<-l.ended
		}
	}()
	look := time.NewTicker(logsInterval)
	defer look.Stop()
	l.listen(ctx, &working)
	for {
		select {
		case p := <-l.lines:
			at := l.known[p.id]
			at.note(p.line)
			if err := l.take.Line(at.source, p.line); err != nil {
				return err
			}
		case id := <-l.ended:
			working--
			l.known[id].followed = false
		case <-look.C:
			l.look(ctx)
			l.listen(ctx, &working)
		case <-ctx.Done():
			return nil
		}
	}
}

// listen follows each container that runs and is not followed yet, and counts those that it begins to.
func (l *logs) listen(ctx context.Context, working *int) {
	for _, s := range l.shown {
		if at := l.known[s.ContainerID]; !at.followed && s.State == reconcile.StateRunning {
			at.followed = true
			*working++
			go l.read(ctx, s.ContainerID, *at)
		}
	}
}

// look finds out which containers there are now. While the engine does not answer, those of before count.
func (l *logs) look(ctx context.Context) {
	sources, err := l.engine.LogSources(ctx, l.req.Name)
	if ctx.Err() != nil {
		return
	}
	if lost := err != nil; lost != l.lost {
		l.lost = lost
		l.take.Lost(err)
	}
	if err == nil {
		l.meet(sources)
		return
	}
	for i := range l.shown { // none is followed until the engine says that it runs
		l.shown[i].State = ""
	}
}

// read hands over the lines of a container from where it was read before, until its run ends.
func (l *logs) read(ctx context.Context, id string, from logged) {
	defer func() { l.ended <- id }()
	since := l.req.Since
	if !from.last.IsZero() {
		since = from.last.Add(-overlap)
	}
	again := 0
	// How it ended does not matter: the next look says whether the container is there, and runs.
	_ = l.engine.ReadLog(ctx, reconcile.LogRequest{ContainerID: id, Since: since, Follow: true}, func(line reconcile.LogLine) error {
		switch {
		case line.Time.Before(from.last):
			return nil
		case line.Time.Equal(from.last) && again < from.times:
			again++
			return nil
		}
		select {
		case l.lines <- sourced{id, line}:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}
