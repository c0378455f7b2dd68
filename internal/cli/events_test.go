package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"credproxy.dev/controller/internal/ptytest"
	"credproxy.dev/controller/internal/web"
	"credproxy.dev/controller/pkg/reconcile"
)

func TestEventsAreListed(t *testing.T) {
	fake := &fakeController{}
	fake.happens("web", "pushed generation 2", "its routes changed")
	fake.happens("api", "refused:\n\x1b[2J\u009b2J\u202eno", "")
	server := started(t, newConsole(t, fake), specs(t))
	tests := map[string]struct {
		args []string
		says string
		not  string
	}{
		"all":             {nil, "Reloaded           pushed generation 2 (its routes changed)\n", "\u202e"},
		"in their order":  {nil, "TIME                 NAME              TYPE     REASON             MESSAGE (CAUSE)\n", "\u009b"},
		"of one":          {[]string{"web"}, "  web  ", "api"},
		"of nobody":       {[]string{"nobody"}, "No event is kept that is asked for.", "web"},
		"of a reason":     {[]string{"--reason", "Reloaded,Gone", "--since", "1h", "--type", "Normal"}, "pushed generation 2", "\x1b"},
		"of another":      {[]string{"--reason", "Gone"}, "No event is kept that is asked for.", "web"},
		"of another type": {[]string{"--type", "Warning"}, "No event is kept that is asked for.", "web"},
		"of now":          {[]string{"--since", "1ns"}, "No event is kept that is asked for.", "web"},
		"cleaned":         {nil, "refused: \ufffd[2J\ufffd2J\ufffdno", "\x1b"},
		"as JSON":         {[]string{"-o", "json"}, `"kind": "EventList"`, "\u009b"},
		"as JSON, of one": {[]string{"api", "-o", "json"}, `"reason": "Reloaded"`, "web"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			asking := newConsole(t, nil)
			got := asking.run(t, append([]string{"events", "--server", server}, tt.args...)...)
			text := asking.out.String()
			if got != 0 || !strings.Contains(text, tt.says) || strings.Contains(text, tt.not) {
				t.Errorf("exit code %d; want %q and not %q in:\n%q", got, tt.says, tt.not, text)
			}
		})
	}
}

// following watches events until the test ends, or stop is called, which returns the exit code.
func following(t *testing.T, server string, args ...string) (c *console, stop func() int) {
	t.Helper()
	c = newConsole(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- Run(ctx, append([]string{"events", "-w", "--server", server}, args...), c.system()) }()
	return c, func() int { cancel(); return <-ended }
}

// until polls until the text holds the words.
func until(t *testing.T, text func() string, words string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(text(), words); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("no %q in:\n%s", words, text())
		}
	}
}

func TestEventsThatAreFollowedComeOnceEach(t *testing.T) {
	fake := &fakeController{}
	fake.happens("web", "number 0.", "")
	server := started(t, newConsole(t, fake), specs(t))
	c, stop := following(t, server)
	until(t, c.out.String, "number 0.")
	for i := range 50 {
		fake.happens("web", fmt.Sprintf("number %d.", i+1), "")
		if i == 25 {
			until(t, c.out.String, "number 20.")
		}
	}
	until(t, c.out.String, "number 50.")
	if code := stop(); code != 0 {
		t.Errorf("interrupted, it ends with %d", code)
	}
	lines := strings.Split(strings.TrimSpace(c.out.String()), "\n")[1:]
	for i, line := range lines {
		if !strings.HasSuffix(line, fmt.Sprintf("number %d.", i)) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
	if len(lines) != 51 || c.err.String() != "" {
		t.Errorf("%d lines, and %q", len(lines), c.err.String())
	}
}

func TestEventsOfOneSpecAreFollowedPastThoseOfOthers(t *testing.T) {
	fake := &fakeController{}
	server := started(t, newConsole(t, fake), specs(t))
	c, stop := following(t, server, "web", "-o", "json")
	fake.happens("api", "not this one", "")
	fake.happens("web", "this one", "")
	until(t, c.out.String, "this one")
	fake.happens("api", "nor this", "")
	fake.happens("web", "the last", "")
	until(t, c.out.String, "the last")
	stop()
	decoder := json.NewDecoder(strings.NewReader(c.out.String()))
	for _, want := range []string{"this one", "the last"} {
		var e reconcile.Event
		if err := decoder.Decode(&e); err != nil || e.Message != want || e.Name != "web" {
			t.Errorf("got %+v, %v; want %q", e, err, want)
		}
	}
	if decoder.More() {
		t.Errorf("there is more:\n%s", c.out.String())
	}
}

func TestEventsAreFollowedOverARestart(t *testing.T) {
	answers := make(chan any, 8)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var answer any = web.EventList{}
		select {
		case answer = <-answers:
		default:
		}
		if code, ok := answer.(int); ok {
			w.WriteHeader(code)
			return
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	defer page.Close()
	events := func(e ...reconcile.Event) web.EventList { return web.EventList{Items: e} }
	answers <- events(reconcile.Event{Sequence: 1, Name: "web", Message: "before"})
	answers <- http.StatusBadGateway
	answers <- http.StatusBadGateway
	answers <- events(reconcile.Event{Sequence: 901, Name: "web", Message: "after"})
	c, stop := following(t, page.URL)
	until(t, c.out.String, "after")
	if code := stop(); code != 0 {
		t.Errorf("interrupted, it ends with %d", code)
	}
	for _, words := range []string{"it is asked again until it answers", "some events may be missing here"} {
		if strings.Count(c.err.String(), words) != 1 {
			t.Errorf("%q is not said once:\n%s", words, c.err.String())
		}
	}
}

// What is said of an event with a long name does not end up in a column of a few words.
func TestTheMessageOfAnEventHasRoom(t *testing.T) {
	out := &narrow{terminal: ptytest.Open(t, 112, 24).Out}
	f := &follower{out: &screen{Writer: out}, headed: true}
	e := reconcile.Event{Name: strings.Repeat("long-", 8) + "name", Type: "Normal", Reason: "Started", Message: "started container cred-proxy-web, which was not there"}
	if err := f.printLine(e); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "\n  started container cred-proxy-web, which was not there\n") {
		t.Errorf("it is shown so:\n%s", out.String())
	}
}
