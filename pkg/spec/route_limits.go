package spec

import "time"

// Limits are what a route's requests may take. What is left out is bounded by the sidecar alone.
// +minProperties=1
type Limits struct {
	// HeaderBytes is how large a request's header may be, its first line included: a quantity such as 8Ki.
	// +from=minHeaderBytes
	// +to=maxHeaderBytes
	HeaderBytes string `json:"headerBytes,omitempty" spec:"quantity,stated"`
	// BodyBytes is how large a request's body may be: a quantity such as 10Mi.
	// +from=minBodyBytes
	// +to=maxBodyBytes
	BodyBytes string `json:"bodyBytes,omitempty" spec:"quantity,stated"`
	// ConcurrentRequests is how many requests may be in flight, open streams and WebSockets among them.
	// +minimum=1
	// +maximum=maxConcurrent
	ConcurrentRequests int64 `json:"concurrentRequests,omitempty" spec:"stated"`
	// RequestsPerMinute is how many requests pass in a minute: so many at once after a rest, then one whenever its share of the
	// minute has gone by.
	// +minimum=1
	// +maximum=maxPerMinute
	RequestsPerMinute int64 `json:"requestsPerMinute,omitempty" spec:"stated"`
	// BodyTimeout is how long the whole body of a request may take to arrive: a duration such as 30s.
	// +from=minTimeout
	// +to=maxTimeout
	// +minLength=1
	BodyTimeout string `json:"bodyTimeout,omitempty" spec:"stated"`
	// IdleTimeout is how long nothing may be sent in either direction, also of WebSockets and event streams: a duration such as
	// 10m.
	// +from=minTimeout
	// +to=maxTimeout
	// +minLength=1
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
