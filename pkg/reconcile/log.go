package reconcile

import (
	"context"
	"time"
)

// MaxLogLine bounds LogLine.Text, in bytes.
const MaxLogLine = 16 << 10

// A LogReader reads the logs of sidecars, as the engine keeps them. No step of a plan needs it: it is for people who ask. Of a
// sidecar's two streams it reads the one for people; the other holds its reports.
type LogReader interface {
	// LogSources returns the containers of a spec, running or not, the oldest first; those of all specs for an empty name. Labels
	// that come from an image make no container ours here either.
	LogSources(ctx context.Context, specName string) ([]LogSource, error)
	// ReadLog hands every line of a container's log to take, in order, and ends when there is no more, or when take fails. It fails
	// with ErrNotFound when the container is gone.
	ReadLog(ctx context.Context, req LogRequest, take func(LogLine) error) error
}

// LogSource is a container that has, or may get, a log.
type LogSource struct {
	ContainerID, ContainerName string
	SpecName                   string
	State                      ContainerState
	Created                    time.Time
}

// LogRequest says which lines are wanted.
type LogRequest struct {
	ContainerID string
	// Since leaves out older lines, by the engine's clock; zero leaves out none. Lines of about that time may come or not.
	Since time.Time
	// Follow goes on with new lines until the run of the container ends.
	Follow bool
}

// LogLine is one line of a log. Text is what the container wrote, and has to be cleaned before a person sees it.
type LogLine struct {
	// Time is when the engine got it, as exactly as that tells; zero when it does not.
	Time time.Time
	// Text is the line, or its beginning when Cut is true.
	Text string
	Cut  bool
}
