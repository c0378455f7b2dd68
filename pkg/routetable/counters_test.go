package routetable

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// countersOf makes counters of which each number is another.
func countersOf(route string, from int64) RouteCounters {
	c := RouteCounters{Route: route, InFlight: from}
	for i, n := range c.cumulative() {
		*n = from + int64(i)
	}
	return c
}

func TestCountersOfManyRoutesAreSeveralBoundedLines(t *testing.T) {
	long := strings.Repeat(`&"`, 256)
	for name, c := range map[string]struct {
		routes, lines int
		path          string
		from          int64
	}{
		"one":                         {1, 1, "", 0},
		"a few":                       {5, 1, "", 7},
		"as many as there can be":     {MaxCounted + 1, 26, "", 0},
		"the longest with the most":   {3, 3, long, maxCount - 100},
		"the longest that counted":    {9, 5, long, 1000},
		"none":                        {0, 0, "", 0},
		"of which one is just enough": {2, 1, "", maxCount - 100},
	} {
		t.Run(name, func(t *testing.T) {
			var routes []RouteCounters
			for i := range c.routes {
				routes = append(routes, countersOf(fmt.Sprintf("/%d%s", i, c.path), c.from))
			}
			var read []RouteCounters
			lines := 0
			for rest := routes; len(rest) > 0; lines++ {
				var line []byte
				line, rest = CountersLine(42, rest)
				if len(line) > MaxReportBytes || bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n' {
					t.Fatalf("not one line of at most %d bytes: %d bytes, %q", MaxReportBytes, len(line), line)
				}
				got, err := ParseCounters(line)
				if err != nil || got.Run != 42 {
					t.Fatalf("run %d, %v", got.Run, err)
				}
				read = append(read, got.Routes...)
			}
			if diff := cmp.Diff(routes, read); diff != "" {
				t.Errorf("(-sent +read)\n%s", diff)
			}
			if lines > c.lines {
				t.Errorf("%d lines, at most %d wanted", lines, c.lines)
			}
		})
	}
}

func TestARouteThatFitsIntoNoLineIsLeftOut(t *testing.T) {
	if line, rest := CountersLine(1, []RouteCounters{{Route: strings.Repeat("/", MaxReportBytes)}}); line != nil || rest != nil {
		t.Errorf("%d bytes, %d left", len(line), len(rest))
	}
}

func TestCountersThatNoSidecarCountsAreRefused(t *testing.T) {
	edit := func(change func(*Counters)) []byte {
		c := Counters{Event: EventCounters, Run: 1, Routes: []RouteCounters{countersOf("/a", 1), countersOf("/b", 1)}}
		change(&c)
		line, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	if _, err := ParseCounters(edit(func(*Counters) {})); err != nil {
		t.Fatal(err)
	}
	for name, line := range map[string][]byte{
		"no JSON":                 []byte("counters"),
		"a report":                Report{Event: EventReady, Generation: 1}.Line(),
		"two":                     append(edit(func(*Counters) {}), edit(func(*Counters) {})...),
		"too long":                edit(func(c *Counters) { c.Routes = slices.Repeat(c.Routes, 50) }),
		"less than nothing":       edit(func(c *Counters) { c.Routes[1].Requests[2] = -1 }),
		"less in flight":          edit(func(c *Counters) { c.Routes[0].InFlight = math.MinInt64 }),
		"more than can be":        edit(func(c *Counters) { c.Routes[1].FirstByte.Buckets[14] = maxCount + 1 }),
		"no number":               []byte(`{"event":"counters","routes":[{"route":"/a","requests":["1"]}]}`),
		"a fraction":              []byte(`{"event":"counters","routes":[{"route":"/a","requests":[1.5]}]}`),
		"no path":                 edit(func(c *Counters) { c.Routes[0].Route = "a" }),
		"a path that is too long": edit(func(c *Counters) { c.Routes[0].Route = "/" + strings.Repeat("a", maxCountedPath) }),
		"a path to be seen only":  edit(func(c *Counters) { c.Routes[0].Route = "/a\x1b[2J" }),
	} {
		if got, err := ParseCounters(line); err == nil || len(got.Routes) > 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestCountersOfAnotherReleaseAreUnderstood(t *testing.T) {
	for name, line := range map[string]string{
		"older": `{"event":"counters","run":7,"routes":[{"route":"/a","refusals":[0,3],"duration":{"buckets":[1]}}]}`,
		"newer": `{"event":"counters","run":7,"more":1,"routes":[{"route":"/a","refusals":[0,3` + strings.Repeat(",0", 40) + `],"duration":{"buckets":[1]},"more":{}}]}`,
	} {
		got, err := ParseCounters([]byte(line))
		want := RouteCounters{Route: "/a", Refusals: [refusalReasons]int64{0, 3}}
		want.Duration.Buckets[0] = 1
		if err != nil || got.Run != 7 || !cmp.Equal(got.Routes, []RouteCounters{want}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestGrowth(t *testing.T) {
	total, last := countersOf("/a", 100), RouteCounters{}
	first, second := countersOf("/a", 5), countersOf("/a", 8)
	for _, now := range []RouteCounters{first, first, second, first, second} {
		total.Grow(&last, &now)
	}
	want := countersOf("/a", 100)
	for i, n := range want.cumulative() {
		*n += *second.cumulative()[i]
	}
	if diff := cmp.Diff(want, total); diff != "" {
		t.Errorf("(-wanted +got)\n%s", diff)
	}
	for range 3000 { // of a sidecar that says what it likes
		total.Grow(&RouteCounters{}, &RouteCounters{Injections: math.MaxInt64 / 2})
	}
	if total.Injections != math.MaxInt64 {
		t.Errorf("%d injections", total.Injections)
	}
}

func TestWhereThingsCount(t *testing.T) {
	for status, want := range map[int]string{0: "none", 101: "1xx", 200: "2xx", 304: "3xx", 499: "4xx", 503: "5xx", 600: "none", 999: "none", -1: "none"} {
		if got := CodeClasses()[CodeClass(status)]; got != want {
			t.Errorf("status %d counts as %s, want %s", status, got, want)
		}
	}
	for code, want := range map[string]string{"denied": "denied", "upstream_timeout": "upstream_timeout", "": "other", "new": "other"} {
		if got := RefusalReasons()[RefusalReason(code)]; got != want {
			t.Errorf("code %q counts as %s, want %s", code, got, want)
		}
	}
	bounds := LatencyBounds()
	for i, bound := range bounds {
		if LatencyBucket(bound) != i || LatencyBucket(bound+1) != i+1 {
			t.Errorf("%v is in bucket %d, and what is longer in %d", bound, LatencyBucket(bound), LatencyBucket(bound+1))
		}
	}
	if LatencyBucket(0) != 0 || LatencyBucket(time.Hour) != len(bounds) || !slices.IsSorted(bounds[:]) {
		t.Errorf("the ends are in %d and %d", LatencyBucket(0), LatencyBucket(time.Hour))
	}
}

// FuzzCounters holds that whatever is read is bounded, and can be written and read again.
func FuzzCounters(f *testing.F) {
	line, _ := CountersLine(3, []RouteCounters{countersOf("/a", 2), countersOf("", 1)})
	f.Add(line)
	f.Add([]byte(`{"event":"counters","routes":[{"route":"/a","requests":[-1]}]}`))
	f.Add([]byte(`{"event":"counters","routes":[{"route":"/\u2028","inFlight":9007199254740993}]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		c, err := ParseCounters(line)
		if err != nil {
			return
		}
		for rest := c.Routes; len(rest) > 0; {
			n := len(rest)
			line, rest = CountersLine(c.Run, rest)
			again, err := ParseCounters(line)
			if err != nil || !cmp.Equal(c.Routes[len(c.Routes)-n:len(c.Routes)-len(rest)], again.Routes) {
				t.Fatalf("%q is read as %+v, %v", line, again, err)
			}
		}
		for i := range c.Routes {
			for _, n := range c.Routes[i].cumulative() {
				if *n < 0 || *n > maxCount {
					t.Errorf("a count of %d", *n)
				}
			}
		}
	})
}

func TestQuantilesAreEstimated(t *testing.T) {
	bounds := LatencyBounds()
	tests := map[string]struct {
		fill func(*Histogram)
		q    float64
		want time.Duration
	}{
		"nothing":                 {func(*Histogram) {}, 0.5, 0},
		"the middle of a bucket":  {func(h *Histogram) { h.Buckets[0] = 10 }, 0.5, bounds[0] / 2},
		"all of a bucket":         {func(h *Histogram) { h.Buckets[1] = 10 }, 1, bounds[1]},
		"above empty ones":        {func(h *Histogram) { h.Buckets[0], h.Buckets[5] = 90, 10 }, 0.95, (bounds[4] + bounds[5]) / 2},
		"above the highest bound": {func(h *Histogram) { h.Buckets[len(bounds)] = 1 }, 0.5, bounds[len(bounds)-1]},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var h Histogram
			tt.fill(&h)
			if got := h.Quantile(tt.q); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
