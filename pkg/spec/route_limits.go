package spec

import "time"

// Limits bound what a route's requests may take. What is left out is bounded by the sidecar alone.
type Limits struct {
	// HeaderBytes is how large a request's header may be, its first line included, as a quantity.
	HeaderBytes string `json:"headerBytes,omitempty" spec:"quantity,stated"`
	// BodyBytes is how large a request's body may be, as a quantity.
	BodyBytes string `json:"bodyBytes,omitempty" spec:"quantity,stated"`
	// ConcurrentRequests is how many requests may be in flight, open streams and WebSockets among them.
	ConcurrentRequests int64 `json:"concurrentRequests,omitempty" spec:"stated"`
	// RequestsPerMinute is how many requests are passed in a minute.
	RequestsPerMinute int64 `json:"requestsPerMinute,omitempty" spec:"stated"`
	// BodyTimeout is how long the whole body of a request may take to arrive, as a duration such as 30s.
	BodyTimeout string `json:"bodyTimeout,omitempty" spec:"stated"`
	// IdleTimeout is how long nothing may be sent in either direction, as a duration such as 5m.
	IdleTimeout string `json:"idleTimeout,omitempty" spec:"stated"`
}

// MaxHeaderBytes is HeaderBytes as a number; 0 when there is no such limit.
func (l *Limits) MaxHeaderBytes() int64 { return wholeBytes(l.HeaderBytes) }

// MaxBodyBytes is BodyBytes as a number; 0 when there is no such limit.
func (l *Limits) MaxBodyBytes() int64 { return wholeBytes(l.BodyBytes) }

// BodyDuration is BodyTimeout as a duration; 0 when there is no such limit.
func (l *Limits) BodyDuration() time.Duration { return duration(l.BodyTimeout) }

// IdleDuration is IdleTimeout as a duration; 0 when there is no such limit.
func (l *Limits) IdleDuration() time.Duration { return duration(l.IdleTimeout) }

func wholeBytes(quantity string) int64 {
	q, ok := ParseQuantity(quantity)
	if !ok {
		return 0
	}
	return q.Value()
}

func duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return d
}
