package proxy

import (
	"bytes"
	"io"
	"log/slog"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

const (
	// logQueueBytes is a few hundred lines of log.
	logQueueBytes = 128 << 10
	// logPause is short for a person and long enough for a batch.
	logPause = 20 * time.Millisecond
	// reportQueueBytes is a few dozen reports.
	reportQueueBytes = 32 << 10
)

// streams are the sidecar's two ways to speak: reports for the controller, and a log for people.
type streams struct {
	reports, lines *queue
	log            *slog.Logger
}

func newStreams(stdout, stderr io.Writer) *streams {
	lines := newQueue(stderr, logQueueBytes, logPause, droppedLine)
	return &streams{
		reports: newQueue(stdout, reportQueueBytes, 0, nil),
		lines:   lines,
		log:     slog.New(slog.NewJSONHandler(lines, nil)),
	}
}

func droppedLine(n int64) []byte {
	var line bytes.Buffer
	slog.New(slog.NewJSONHandler(&line, nil)).Warn("lines of this log were dropped, because nobody read them in time", "dropped", n)
	return line.Bytes()
}

// report sends one line to the controller, and returns false when it was dropped. A report that follows dropped ones
// says how many there were.
func (s *streams) report(r routetable.Report) bool {
	r.Dropped = s.reports.takeDropped()
	taken := s.reports.offer(r.Line())
	if !taken {
		s.reports.addDropped(r.Dropped)
	}
	return taken
}

func (s *streams) close() {
	s.reports.close()
	s.lines.close()
}
