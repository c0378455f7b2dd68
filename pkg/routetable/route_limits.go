package routetable

import (
	"errors"
	"time"
)

// Limits bound what a route's requests may take. What is zero is not bounded.
type Limits struct {
	HeaderBytes        int64 `json:"headerBytes,omitempty"`
	BodyBytes          int64 `json:"bodyBytes,omitempty"`
	ConcurrentRequests int64 `json:"concurrentRequests,omitempty"`
	RequestsPerMinute  int64 `json:"requestsPerMinute,omitempty"`
	// BodyTimeout and IdleTimeout are in milliseconds.
	BodyTimeout int64 `json:"bodyTimeout,omitempty"`
	IdleTimeout int64 `json:"idleTimeout,omitempty"`
}

// maxMilliseconds is a day, as for the controller.
const maxMilliseconds = int64(24 * time.Hour / time.Millisecond)

func checkLimits(l *Limits) error {
	switch {
	case l == nil:
		return nil
	case *l == Limits{}:
		return errors.New("limits is empty")
	case min(l.HeaderBytes, l.BodyBytes, l.ConcurrentRequests, l.RequestsPerMinute, l.BodyTimeout, l.IdleTimeout) < 0:
		return errors.New("a limit is negative")
	case max(l.BodyTimeout, l.IdleTimeout) > maxMilliseconds:
		return errors.New("a timeout is longer than a day")
	}
	return nil
}
