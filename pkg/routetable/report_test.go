package routetable

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReportIsOneBoundedLine(t *testing.T) {
	reports := map[string]Report{
		"ready":           {Event: EventReady, Generation: 3, Digest: "ab", RoutesDigest: "cd", Serving: true},
		"refused":         {Event: EventRefused, Generation: 3, Refused: 4, Error: "line\nbreak", Dropped: 2},
		"all to escape":   {Event: EventRefused, Error: strings.Repeat("\x01", 5000), Digest: strings.Repeat("f", 64), RoutesDigest: strings.Repeat("f", 64)},
		"not UTF-8":       {Event: EventRefused, Error: strings.Repeat("\xff", 5000)},
		"many long runes": {Event: EventRefused, Error: strings.Repeat("€", 5000)},
		"rejected":        {Event: EventState, Rejected: []Rejection{{Route: "/a", Count: 3}, {Route: "/b", Count: 1}}},
	}
	for name, r := range reports {
		t.Run(name, func(t *testing.T) {
			line := r.Line()
			if len(line) > MaxReportBytes || bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n' {
				t.Fatalf("not one line of at most %d bytes: %d bytes, %q", MaxReportBytes, len(line), line)
			}
			got, err := ParseReport(line)
			if err != nil {
				t.Fatal(err)
			}
			r.Error = cut(r.Error, maxReportError)
			if diff := cmp.Diff(r, got); diff != "" {
				t.Errorf("(-sent +read)\n%s", diff)
			}
		})
	}
}

func TestRejectionsAreLeftOutThatDoNotFit(t *testing.T) {
	numbered := func(n int, path string) (all []Rejection) {
		for i := range n {
			all = append(all, Rejection{Route: fmt.Sprintf("/%02d%s", i, path), Count: 1<<63 - 1})
		}
		return all
	}
	for name, c := range map[string]struct {
		report Report
		want   int
	}{
		"all of them":           {Report{Rejected: numbered(MaxRejected, "")}, MaxRejected},
		"too many":              {Report{Rejected: numbered(200, "")}, MaxRejected},
		"long ones":             {Report{Rejected: numbered(MaxRejected, strings.Repeat("a", 500))}, 7},
		"long ones, escaped":    {Report{Rejected: numbered(MaxRejected, strings.Repeat("&", 500))}, 1},
		"beside a long mistake": {Report{Rejected: numbered(MaxRejected, strings.Repeat("a", 500)), Error: strings.Repeat("\x01", 5000)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c.report.Event = EventState
			line := c.report.Line()
			got, err := ParseReport(line)
			if err != nil || len(line) > MaxReportBytes {
				t.Fatalf("%d bytes, %v", len(line), err)
			}
			if diff := cmp.Diff(c.report.Rejected[:c.want], got.Rejected); diff != "" {
				t.Errorf("(-wanted +read)\n%s", diff)
			}
		})
	}
}

func TestReportThatSaysNoMore(t *testing.T) {
	rejected := func(count int64, routes ...string) Report {
		r := Report{Event: EventState, Generation: 3, Serving: true}
		for _, route := range routes {
			r.Rejected = append(r.Rejected, Rejection{Route: route, Count: count})
		}
		return r
	}
	before := rejected(1, "/a", "/b")
	for name, c := range map[string]struct {
		now  Report
		want bool
	}{
		"the same":       {rejected(1, "/a", "/b"), true},
		"more often":     {rejected(9, "/a", "/b"), true},
		"fewer routes":   {rejected(1, "/a"), false},
		"other routes":   {rejected(1, "/a", "/c"), false},
		"something else": {Report{Event: EventReloaded, Generation: 4, Serving: true, Rejected: before.Rejected}, false},
	} {
		if got := c.now.SaysNoMore(before); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestReportOfANewerSidecarIsRead(t *testing.T) {
	r, err := ParseReport([]byte(`{"event":"counters","generation":5,"new":{"a":1}}`))
	if err != nil || r.Event != "counters" || r.Generation != 5 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestParseReportRefuses(t *testing.T) {
	lines := map[string]string{
		"words":    "listening on :9099",
		"no event": "{}",
		"endless":  `{"event":"ready","error":"` + strings.Repeat("a", MaxReportBytes) + `"}`,
		"two":      `{"event":"ready"}{"event":"ready"}`,
	}
	for name, line := range lines {
		if _, err := ParseReport([]byte(line)); err == nil {
			t.Errorf("%s: read as a report", name)
		}
	}
}

func TestTokenIsNeverPrinted(t *testing.T) {
	token := NewToken(secret)
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "token", token, "in", struct{ T Token }{token})
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "token", token, "in", &struct{ T Token }{token})
	encoded, err := json.Marshal(map[string]any{"t": token, "p": &token})
	if err != nil {
		t.Fatal(err)
	}
	loaded := Loaded{tokens: map[place]Token{{file: "a"}: token}}
	all := logged.String() + string(encoded) +
		fmt.Sprint(token, &token, loaded) + fmt.Sprintf("%v %+v %#v %s %q %x %d %+v %#v", token, token, token, token, token, token, token, loaded, loaded)
	for _, form := range []string{secret, fmt.Sprintf("%x", secret)} {
		if strings.Contains(all, form) {
			t.Errorf("a token was printed: %s", all)
		}
	}
}

func TestDirGeneration(t *testing.T) {
	for name, want := range map[string]int64{
		"tokens-1": 1, "tokens-17": 17, "tokens-01": 0, "tokens-": 0, "tokens--1": 0, "tokens-0": 0, "tokens-1x": 0,
		"routes.json": 0, "17": 0, "tokens-99999999999999999999": 0, "tokens-+1": 0,
	} {
		got, ok := DirGeneration(name)
		if got != want || ok != (want != 0) {
			t.Errorf("%s: %d, %v", name, got, ok)
		}
	}
}
