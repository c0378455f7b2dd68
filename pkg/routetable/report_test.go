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
