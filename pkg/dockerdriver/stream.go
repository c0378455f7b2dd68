package dockerdriver

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"credproxy.dev/controller/pkg/routetable"
)

const (
	// bytesPerSecond and bytesAtOnce bound what is read of one sidecar, which may have been taken over. Past them it
	// is its own writing that stalls. Its logs go through here as well, so that there has to be room for a busy one.
	bytesPerSecond = 8 << 20
	bytesAtOnce    = 1 << 20
	// reportsPerSecond and reportsAtOnce do the same for reports, which an honest sidecar makes at a change only.
	reportsPerSecond = 50
	reportsAtOnce    = 200
	// keptReports is how many reports a waiter can be behind.
	keptReports = 16
)

// stream is what one run of one container says, from the moment of attaching to the end of the run.
type stream struct {
	container string
	specName  string
	began     time.Time
	ctx       context.Context // ends when nobody listens any more
	stop      context.CancelFunc
	spoke     chan struct{} // closed at the first report
	done      chan struct{} // closed when nothing more will be heard

	mu      sync.Mutex
	reports []routetable.Report // the last ones, oldest first
	count   int                 // how many there were in all
	fresh   chan struct{}       // closed and replaced at each report
	lines   []string            // for people
}

func newStream(ctx context.Context, container, specName string, lines []string) *stream {
	ctx, stop := context.WithCancel(ctx)
	return &stream{
		container: container, specName: specName, began: time.Now(), ctx: ctx, stop: stop, lines: lines,
		spoke: make(chan struct{}), done: make(chan struct{}), fresh: make(chan struct{}),
	}
}

// end says that nothing more will be heard.
func (s *stream) end() {
	s.stop()
	close(s.done)
}

// live reports whether more may be heard.
func (s *stream) live() bool {
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

// last returns the last report; nil before the first, and after the end.
func (s *stream) last() *routetable.Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.reports) == 0 || !s.live() {
		return nil
	}
	report := s.reports[len(s.reports)-1]
	return &report
}

// since returns the reports after the first n, how many there have been in all, and what is closed at the next one.
func (s *stream) since(n int) (reports []routetable.Report, count int, next <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unheard := min(s.count-n, len(s.reports))
	return slices.Clone(s.reports[len(s.reports)-unheard:]), s.count, s.fresh
}

// hear takes a line of the sidecar's standard output. It reports whether it says something new, which that a token was
// rejected once more is not: the next look sees it.
func (s *stream) hear(line []byte) bool {
	report, err := routetable.ParseReport(line)
	if err != nil || !knownEvent(report.Event) {
		return false
	}
	report.Error = clean(report.Error, maxShown)
	report.Digest, report.RoutesDigest = clean(report.Digest, maxShown), clean(report.RoutesDigest, maxShown)
	report.Rejected = plausible(report.Rejected)
	s.mu.Lock()
	defer s.mu.Unlock()
	news := s.count == 0 || !report.SaysNoMore(s.reports[len(s.reports)-1])
	if len(s.reports) == keptReports {
		s.reports = slices.Delete(s.reports, 0, 1)
	}
	s.reports = append(s.reports, report)
	if s.count++; s.count == 1 {
		close(s.spoke)
	}
	close(s.fresh)
	s.fresh = make(chan struct{})
	return news
}

func knownEvent(e routetable.ReportEvent) bool {
	switch e {
	case routetable.EventLoaded, routetable.EventReady, routetable.EventReloaded, routetable.EventRefused, routetable.EventState:
		return true
	}
	return false
}

// plausible leaves of what a sidecar says of its routes what an honest one could say. Which of them are routes is for
// others to know.
func plausible(rejected []routetable.Rejection) []routetable.Rejection {
	rejected = slices.DeleteFunc(rejected, func(r routetable.Rejection) bool {
		return r.Count <= 0 || r.Route == "" || clean(r.Route, maxShown) != r.Route
	})
	return rejected[:min(len(rejected), routetable.MaxRejected)]
}

// note keeps a line of the sidecar's standard error. It is cleaned when somebody asks for it, since a busy sidecar
// writes a line for each request.
func (s *stream) note(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) == keptLines {
		s.lines = slices.Delete(s.lines, 0, 1)
	}
	s.lines = append(s.lines, string(line[:min(len(line), maxNoted)]))
}

// lastLines returns the lines for people, clean.
func (s *stream) lastLines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, line := range s.lines {
		if text := clean(line, maxShown); text != "" {
			lines = append(lines, text)
		}
	}
	return lines
}

// slowed bounds the rate at which a stream is read.
type slowed struct {
	io.Reader
	ctx   context.Context
	limit *rate.Limiter
}

func newSlowed(ctx context.Context, r io.Reader) *slowed {
	return &slowed{Reader: r, ctx: ctx, limit: rate.NewLimiter(bytesPerSecond, bytesAtOnce)}
}

// Read implements io.Reader.
func (s *slowed) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p[:min(len(p), bytesAtOnce)])
	if wait := s.limit.WaitN(s.ctx, n); wait != nil && err == nil {
		err = wait
	}
	return n, err
}
