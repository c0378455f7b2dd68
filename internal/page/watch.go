package page

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	// maxWatchers is how many streams of changes there are at a time: each costs a connection and a goroutine.
	maxWatchers = 64
	// calm is the least time between two words of a change: what changes in between is told once.
	calm = time.Second
	// tick is how often a page is to be fetched anew although nothing has changed: counts grow, and ages do.
	tick = 15 * time.Second
	// writeTime bounds the time of one write to a watcher.
	writeTime = 10 * time.Second
)

// watchers tell pages in browsers when to fetch themselves anew (server-sent events, HTML Living Standard section 9.2). They are told
// nothing else, so that what they see went through the same checks and the same escaping as any page.
type watchers struct {
	bell  *Bell
	count atomic.Int64
}

func (s *watchers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.count.Add(1) > maxWatchers {
		s.count.Add(-1)
		w.Header().Set("Retry-After", "15")
		http.Error(w, "too many pages are kept live; this one is fetched anew from time to time", http.StatusServiceUnavailable)
		return
	}
	defer s.count.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	out := &stream{w, http.NewResponseController(w)}
	rings, next := s.bell.Next()
	say := "event: changed\ndata:\n\n"
	first := say
	if r.URL.Query().Get("since") == strconv.FormatUint(rings, 10) {
		first = ": nothing has changed since the page was made\n\n"
	}
	for err := out.write(first); err == nil && pause(r.Context(), calm); err = out.write(say) {
		select {
		case <-next:
		case <-time.After(tick):
		case <-r.Context().Done():
			return
		}
		_, next = s.bell.Next()
	}
}

// pause waits, and reports whether the context is still good.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// stream writes events. The server's own limits of time are for answers that end.
type stream struct {
	w          io.Writer
	controller *http.ResponseController
}

func (s *stream) write(text string) error {
	now := time.Now()
	for _, set := range []func(time.Time) error{s.controller.SetWriteDeadline, s.controller.SetReadDeadline} {
		if err := set(now.Add(tick + writeTime)); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(s.w, text); err != nil {
		return err
	}
	return s.controller.Flush()
}
