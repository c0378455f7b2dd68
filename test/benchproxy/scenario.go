package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// column is one figure of a proxy. The less of it the better.
type column struct {
	what, unit string
	// added is whether what it is without a proxy is taken off.
	added bool
}

// goal is what a figure of ours should be at most: as a ratio to another proxy's, or without one, as it is.
type goal struct {
	column  int
	against string
	most    float64
}

// scenario is one thing that proxies do.
type scenario struct {
	key, what string
	columns   []column
	goals     []goal
	// bodies is whether it is also measured without scrubbing.
	bodies bool
	to     demand
	// once is true of what does not vary from turn to turn.
	once bool
	turn func(context.Context, *lab, *contender) ([]float64, error)
}

const (
	kiB = 1 << 10
	miB = 1 << 20
)

func scenarios() []scenario {
	all := []scenario{
		atRest(),
		requests("1k-8", "1 KiB, 8 kept connections", 8, 4000, "/bytes/1024"),
		requests("1k-64", "1 KiB, 64 kept connections", 64, 4000, "/bytes/1024"),
		requests("1k-1000", "1 KiB, 1,000 kept connections (in 128 MiB)", 1000, 8000, "/bytes/1024"),
		requests("down", "1 MiB of text down, 8 connections", 8, 300, "/bytes/1048576"),
		requests("base64", "1 MiB of base64 down, 8 connections", 8, 300, "/base64/1048576"),
		requests("up", "1 MiB up, 8 connections", 8, 300, "/sink", "-upload", strconv.Itoa(miB)),
		firstBytes(),
		events(),
		requests("tls", "1 KiB from a TLS upstream, 64 kept connections", 64, 4000, "/bytes/1024"),
		requests("http2", "the same over HTTP/2, where the proxy speaks it", 64, 4000, "/bytes/1024"),
		openStreams(),
	}
	for i := range all {
		s := &all[i]
		s.to = demand{source: plainSource()}
		switch s.key {
		case "1k-1000", "streams":
			s.to.memory = 128 // or a part of them would wait for a seat
		}
		switch s.key {
		case "1k-8", "1k-64", "1k-1000":
			s.goals = append(s.goals, goal{0, nameBare, 1})
		case "down", "base64":
			s.bodies = true
		case "first", "events", "streams":
			s.to.streams = true
		case "tls":
			s.to.source = tlsSource()
		case "http2":
			s.to.source = http2Source()
		}
		for i := range s.columns {
			s.goals = append(s.goals, goal{i, nameCaddy, 1})
		}
	}
	return all
}

func keys() (keys []string) {
	for _, s := range scenarios() {
		keys = append(keys, s.key)
	}
	return keys
}

// requests makes so many requests a turn.
func requests(key, what string, connections, n int, path string, flags ...string) scenario {
	return scenario{
		key: key, what: what,
		columns: []column{{"CPU a request", "µs", false}, {"p50 added", "µs", true}, {"p99 added", "µs", true}, {"resident", "MB", false}},
		turn: func(ctx context.Context, l *lab, c *contender) ([]float64, error) {
			args := slices.Concat([]string{"load", "-n", strconv.Itoa(n), "-c", strconv.Itoa(connections)}, flags, []string{c.url(path)})
			var went loaded
			used, err := c.spends(func() error { return l.ask(ctx, &went, args...) })
			if err != nil {
				return nil, err
			}
			if went.Failed > 0 {
				return nil, fmt.Errorf("%d of %d requests by way of %s failed: %s", went.Failed, went.Requests, c.name, went.Why)
			}
			resident, err := c.resident()
			return []float64{used / float64(n), went.P50, went.P99, resident / 1000}, err
		},
	}
}

// firstBytes begins streams that end with their first event.
func firstBytes() scenario {
	const streams, atATime = 1600, 8
	return scenario{
		key: "first", what: "the beginning of SSE streams, 8 at a time",
		columns: []column{{"CPU a stream", "µs", false}, {"first byte p50 added", "µs", true}, {"p99 added", "µs", true}, {"resident", "MB", false}},
		turn: func(ctx context.Context, l *lab, c *contender) ([]float64, error) {
			used, went, err := c.follow(ctx, l, streams, atATime, 1)
			if err != nil {
				return nil, err
			}
			resident, err := c.resident()
			return []float64{used / streams, went.First.P50, went.First.P99, resident / 1000}, err
		},
	}
}

// events follows streams to their ends.
func events() scenario {
	const streams, n = 16, 1000
	return scenario{
		key: "events", what: "16 SSE streams of 1,000 events, one each millisecond",
		columns: []column{{"CPU an event", "µs", false}, {"an event p50 added", "µs", true}, {"p99 added", "µs", true}, {"resident", "MB", false}},
		turn: func(ctx context.Context, l *lab, c *contender) ([]float64, error) {
			used, went, err := c.follow(ctx, l, streams, streams, n)
			if err != nil {
				return nil, err
			}
			resident, err := c.resident()
			return []float64{used / (streams * n), went.Event.P50, went.Event.P99, resident / 1000}, err
		},
	}
}

// follow reads streams of so many events, and returns the CPU time in microseconds that they took.
func (c *contender) follow(ctx context.Context, l *lab, streams, atATime, events int) (used float64, went followed, err error) {
	used, err = c.spends(func() error {
		return l.ask(ctx, &went, "events", "-n", strconv.Itoa(streams), "-c", strconv.Itoa(atATime), c.url(fmt.Sprintf("/events/%d/1ms", events)))
	})
	if err == nil && (went.Failed > 0 || went.Events != streams*events) {
		err = fmt.Errorf("of %d streams by way of %s %d failed, and %d events came: %s", streams, c.name, went.Failed, went.Events, went.Why)
	}
	return used, went, err
}

// openStreams has many streams open that say nothing.
func openStreams() scenario {
	const streams = 1000
	return scenario{
		key: "streams", what: "1,000 open SSE streams (in 128 MiB)", once: true,
		columns: []column{{"resident a stream", "KB", false}, {"resident", "MB", false}},
		goals:   []goal{{0, "", 40}},
		turn: func(ctx context.Context, l *lab, c *contender) ([]float64, error) {
			before, err := c.resident()
			if err != nil {
				return nil, err
			}
			open, err := l.holdStreams(ctx, streams, c.url("/events/2/1h"))
			if err != nil {
				return nil, err
			}
			defer open.letGo()
			after, err := c.resident()
			return []float64{(after - before) / streams, after / 1000}, err
		},
	}
}

// atRest looks at what has answered one request.
func atRest() scenario {
	return scenario{
		key: "rest", what: "at rest", once: true,
		columns: []column{{"resident", "MB", false}},
		goals:   []goal{{0, "", 12}},
		turn: func(_ context.Context, _ *lab, c *contender) ([]float64, error) {
			resident, err := c.resident()
			return []float64{resident / 1000}, err
		},
	}
}

// spends is the CPU time in microseconds that a contender uses for some work.
func (c *contender) spends(work func() error) (float64, error) {
	before, err := c.cpu()
	if err != nil {
		return 0, err
	}
	if err := work(); err != nil {
		return 0, err
	}
	after, err := c.cpu()
	return after - before, err
}
