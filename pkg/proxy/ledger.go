package proxy

import (
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

const (
	// countersPause is how far apart the sidecar tells what has been counted meanwhile.
	countersPause = 5 * time.Second
	// roomForReports is what lines of counters leave in the queue to those that the controller waits for.
	roomForReports = reportQueueBytes / 2
)

// ledger is what the controller was told of what the routes counted.
type ledger struct {
	// run is when the process began, in nanoseconds since 1970.
	run  int64
	told map[string]routetable.RouteCounters
	// anew is true when all is to be told, since there are other routes now or somebody asked.
	anew bool
}

func newLedger() ledger {
	return ledger{run: time.Now().UnixNano(), told: map[string]routetable.RouteCounters{}}
}

// tellAnew has everything told that was counted, at once.
func (s *sidecar) tellAnew() { s.ledger.anew = true }

// tellIfAnew does what tellAnew asked for. It comes after the report that says why.
func (s *sidecar) tellIfAnew() {
	if s.ledger.anew {
		clear(s.ledger.told)
		s.ledger.anew = false
		s.tellCounters()
	}
}

// tellCounters tells what has changed since it was told. What there is no room for is told the next time.
func (s *sidecar) tellCounters() {
	var news []routetable.RouteCounters
	for _, now := range s.handler.counters() {
		if told, ok := s.ledger.told[now.Route]; !ok || told != now {
			news = append(news, now)
		}
	}
	for len(news) > 0 {
		line, rest := routetable.CountersLine(s.ledger.run, news)
		if line == nil || !s.streams.reports.offerSpare(line, roomForReports) {
			return
		}
		for _, c := range news[:len(news)-len(rest)] {
			s.ledger.told[c.Route] = c
		}
		news = rest
	}
}

// counters are those of the routes that are served, and of no route.
func (h *Handler) counters() []routetable.RouteCounters {
	all := []routetable.RouteCounters{h.tallies.none.counters()}
	for _, rt := range h.table.Load().routes {
		if rt.tally != h.tallies.none {
			all = append(all, rt.tally.counters())
		}
	}
	return all
}
