package routetable

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// EventCounters is the event of the sidecar's other kind of line, Counters.
const EventCounters ReportEvent = "counters"

const (
	// MaxCounted bounds the routes that a sidecar counts, besides NoRoute.
	MaxCounted = 256
	// NoRoute stands for the route of the requests that none took, and of those on routes past MaxCounted.
	NoRoute = ""
	// maxCount bounds a count: a reader may hold it as a float64 without losing any of it.
	maxCount = 1 << 53
	// maxCountedPath bounds the path of a route in bytes. Specs are held to less.
	maxCountedPath = 1 << 10

	codeClasses, refusalReasons, latencyBounds = 6, 17, 14
)

// Counters is one line of JSON on the sidecar's standard output, beside those of Report: what some of its routes have counted since
// the process began. So a line that is lost loses nothing, as the next one says it too.
type Counters struct {
	Event ReportEvent `json:"event"`
	// Run tells a process from the one before it in the same container: when it began, in nanoseconds since 1970.
	Run    int64           `json:"run"`
	Routes []RouteCounters `json:"routes"`
}

// RouteCounters is what one route has counted. A request counts when it has ended. The order of lists is that of the line: what is
// added to them is added at the end, so that sidecars of another release are understood.
type RouteCounters struct {
	// Route is its path, or NoRoute.
	Route string `json:"route"`
	// InFlight are the requests that are forwarded now.
	InFlight int64 `json:"inFlight"`
	// Requests are by the class of the status that was sent, as CodeClasses names them.
	Requests [codeClasses]int64 `json:"requests"`
	// Refusals are the answers of the sidecar's own, by why it gave them, as RefusalReasons names that.
	Refusals [refusalReasons]int64 `json:"refusals"`
	// Warnings are the requests that the route's policy would have refused, were it enforced.
	Warnings int64 `json:"warnings"`
	// Injections are the requests to which a credential was added.
	Injections int64 `json:"injections"`
	// RequestBytes and ResponseBytes are those of bodies, and of tunnels.
	RequestBytes  int64 `json:"requestBytes"`
	ResponseBytes int64 `json:"responseBytes"`
	// Duration and FirstByte are of the requests that the upstream answered: until the end, and until the answer began.
	Duration  Histogram `json:"duration"`
	FirstByte Histogram `json:"firstByte"`
}

// Histogram counts times.
type Histogram struct {
	// Micros is their sum in microseconds.
	Micros int64 `json:"micros"`
	// Buckets are how many were above the bound before it and not above its own in LatencyBounds; those of the last were above all.
	Buckets [latencyBounds + 1]int64 `json:"buckets"`
}

// CodeClasses are the classes of statuses; "none" is that of requests that ended before there was one.
func CodeClasses() [codeClasses]string { return [...]string{"1xx", "2xx", "3xx", "4xx", "5xx", "none"} }

// CodeClass is the index of a status in CodeClasses.
func CodeClass(status int) int {
	if class := status/100 - 1; class >= 0 && class < codeClasses-1 {
		return class
	}
	return codeClasses - 1
}

// RefusalReasons are the codes of the sidecar's own errors. "other" stands for those that are not among them.
func RefusalReasons() [refusalReasons]string {
	return [...]string{
		"other", "bad_path", "bad_request", "unauthorized", "denied", "no_route", "no_token", "upstream_unreachable", "upstream_timeout",
		"body_timeout", "body_too_large", "rate_limited", "concurrency_limited", "header_too_large", "idle_timeout",
		"unreadable", "busy",
	}
}

// RefusalReason is the index of a code in RefusalReasons.
func RefusalReason(code string) int {
	for i, reason := range RefusalReasons() {
		if reason == code {
			return i
		}
	}
	return 0
}

// LatencyBounds are the upper bounds of the buckets of a Histogram, each included, in ascending order. They reach from what a cache
// answers to the length of a model's stream.
func LatencyBounds() [latencyBounds]time.Duration {
	return [...]time.Duration{
		5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
		250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
		30 * time.Second, time.Minute, 5 * time.Minute,
	}
}

// LatencyBucket is the index of the bucket of a time.
func LatencyBucket(d time.Duration) int {
	for i, bound := range LatencyBounds() {
		if d <= bound {
			return i
		}
	}
	return latencyBounds
}

// Count is how many times a histogram holds.
func (h *Histogram) Count() (n int64) {
	for _, bucket := range h.Buckets {
		n += bucket
	}
	return n
}

// Quantile estimates the time that a share q, from 0 to 1, of those counted did not exceed, as Prometheus' histogram_quantile
// does: within a bucket they are taken to be spread evenly. For those above the last bound it is that bound, and without any 0.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank, below, lower := q*float64(h.Count()), 0.0, time.Duration(0)
	for i, upper := range LatencyBounds() {
		in := float64(h.Buckets[i])
		if in > 0 && below+in >= rank {
			return lower + time.Duration(float64(upper-lower)*(rank-below)/in)
		}
		below, lower = below+in, upper
	}
	if h.Count() == 0 {
		return 0
	}
	return lower
}

// CountersLine encodes the first of the routes as one line with its newline, of at most MaxReportBytes, and returns those that are
// left for the next. The line is nil when none are left.
func CountersLine(run int64, routes []RouteCounters) (line []byte, rest []RouteCounters) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // it would make a path six times as long
	for n := len(routes); n > 0; n = min(n-1, n*MaxReportBytes/b.Len()) {
		b.Reset()
		// Strings and numbers always encode.
		_ = encoder.Encode(Counters{Event: EventCounters, Run: run, Routes: routes[:n]})
		if b.Len() <= MaxReportBytes {
			return b.Bytes(), routes[n:]
		}
	}
	return nil, nil
}

// ParseCounters reads one line of a sidecar, with or without its newline. It takes a line whole or not at all: what is beyond what
// an honest sidecar counts is an error.
func ParseCounters(line []byte) (Counters, error) {
	if len(line) > MaxReportBytes {
		return Counters{}, fmt.Errorf("counters of %d bytes are longer than %d", len(line), MaxReportBytes)
	}
	var c Counters
	if err := json.Unmarshal(line, &c); err != nil {
		return Counters{}, fmt.Errorf("a line has no counters: %w", err)
	}
	if c.Event != EventCounters {
		return Counters{}, errors.New("a line has no counters: its event is another")
	}
	for i := range c.Routes {
		if err := c.Routes[i].check(); err != nil {
			return Counters{}, err
		}
	}
	return c, nil
}

func (c *RouteCounters) check() error {
	if c.Route != NoRoute && !strings.HasPrefix(c.Route, "/") || len(c.Route) > maxCountedPath ||
		!utf8.ValidString(c.Route) || strings.ContainsFunc(c.Route, unicode.IsControl) {
		return errors.New("counters of what cannot be a route")
	}
	for _, n := range append(c.cumulative(), &c.InFlight) {
		if *n < 0 || *n > maxCount {
			return fmt.Errorf("a count of %d", *n)
		}
	}
	return nil
}

// Grow adds to c by how much a process has counted more than it did before, and has before say what it says now. A count that is
// less than before adds nothing, since those of a process never are.
func (c *RouteCounters) Grow(before, now *RouteCounters) {
	sums, lasts := c.cumulative(), before.cumulative()
	for i, n := range now.cumulative() {
		more := max(0, *n-*lasts[i])
		*lasts[i] += more
		*sums[i] += min(more, math.MaxInt64-*sums[i])
	}
	before.InFlight = now.InFlight
}

// cumulative are the counts that only grow, in an order that is always the same.
func (c *RouteCounters) cumulative() []*int64 {
	counts := []*int64{&c.Warnings, &c.Injections, &c.RequestBytes, &c.ResponseBytes, &c.Duration.Micros, &c.FirstByte.Micros}
	for _, list := range [][]int64{c.Requests[:], c.Refusals[:], c.Duration.Buckets[:], c.FirstByte.Buckets[:]} {
		for i := range list {
			counts = append(counts, &list[i])
		}
	}
	return counts
}
