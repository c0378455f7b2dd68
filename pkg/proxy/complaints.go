package proxy

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// complaintPause is how far apart lines are that say what clients of HTTP/2 do wrong.
const complaintPause = time.Minute

// complaints takes what net/http says of its own accord. Of HTTP/2 it tells every broken rule, and quotes what a client or an
// upstream sent; that is counted only, and told once in a while.
type complaints struct {
	log   *slog.Logger
	often *rate.Limiter
	count atomic.Int64
}

func newComplaints(log *slog.Logger) *complaints {
	return &complaints{log: log, often: rate.NewLimiter(rate.Every(complaintPause), 1)}
}

// Write takes one line.
func (c *complaints) Write(line []byte) (int, error) {
	switch {
	case bytes.HasPrefix(line, []byte("http: ")), bytes.HasPrefix(line, []byte("http2: panic ")):
		c.log.Warn(strings.TrimSpace(string(line)))
	default:
		c.count.Add(1)
		if c.often.Allow() {
			c.log.Warn("the rules of HTTP/2 were broken", "times", c.count.Swap(0))
		}
	}
	return len(line), nil
}
