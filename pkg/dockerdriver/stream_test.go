package dockerdriver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

func TestLinesAreCut(t *testing.T) {
	long := strings.Repeat("x", maxLine+5)
	for name, c := range map[string]struct {
		writes []string
		want   []string
	}{
		"whole":             {[]string{"one\ntwo\n"}, []string{"one", "two"}},
		"in pieces":         {[]string{"o", "ne\nt", "wo", "\n"}, []string{"one", "two"}},
		"not ended":         {[]string{"one\ntwo"}, []string{"one", "two"}},
		"empty ones":        {[]string{"\n\none\n\n"}, []string{"one"}},
		"too long":          {[]string{long[:10], long[10:] + "\nnext\n"}, []string{long[:maxLine] + " cut", "next"}},
		"exactly the limit": {[]string{long[:maxLine] + "\n"}, []string{long[:maxLine]}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			w := &lineWriter{emit: func(line []byte, cut bool) {
				text := string(line)
				if cut {
					text += " cut"
				}
				got = append(got, text)
			}}
			for _, s := range c.writes {
				if n, err := io.WriteString(w, s); n != len(s) || err != nil {
					t.Fatalf("got %d, %v", n, err)
				}
			}
			w.flush()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatASidecarWritesIsSafeToShow(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                           "plain",
		"a\tb\r":                          "a b",
		"\x1b]0;title\x07\x1b[31mred":     "]0;title[31mred",
		"\u202eturned\u2066 \u200bhidden": "turned hidden",
		"\xff\xfe bad":                    "\ufffd\ufffd bad",
		"next\u2028line":                  "nextline",
		strings.Repeat("é", 10):           "éééé",
	} {
		limit := 100
		if strings.HasPrefix(in, "é") {
			limit = 9
		}
		if got := clean(in, limit); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// speaking returns a stream of the fake's container "c1", which says lines as they are sent.
func speaking(t *testing.T, lines ...routetable.Report) (*Driver, *stream) {
	t.Helper()
	d, err := New(Options{Instance: "default", DockerHost: "unix:///nonexistent/docker.sock"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	s, _ := d.streams.claim(d.life, "c1", "web")
	for _, r := range lines {
		s.hear(r.Line())
	}
	return d, s
}

func TestAwaitingAGeneration(t *testing.T) {
	const generation = 7
	ready := routetable.Report{Event: routetable.EventReady, Generation: 7, Serving: true}
	for name, c := range map[string]struct {
		said  []routetable.Report
		want  error
		words []string
	}{
		"it serves":                        {said: []routetable.Report{ready}},
		"it serves after another":          {said: []routetable.Report{{Event: routetable.EventReady, Generation: 6, Serving: true}, ready}},
		"it serves, as it says when asked": {said: []routetable.Report{{Event: routetable.EventState, Generation: 7, Serving: true}}},
		"it refuses":                       {[]routetable.Report{{Event: routetable.EventRefused, Refused: 7, Error: "torn"}}, reconcile.ErrRoutesRefused, []string{"torn"}},
		"it refuses and says its state":    {[]routetable.Report{{Event: routetable.EventRefused, Refused: 7, Error: "torn"}, {Event: routetable.EventState, Generation: 6, Serving: true}}, reconcile.ErrRoutesRefused, nil},
		"it refuses what it cannot number": {[]routetable.Report{{Event: routetable.EventRefused, Error: "no JSON"}}, reconcile.ErrRoutesRefused, []string{"no JSON"}},
		"it refuses another":               {[]routetable.Report{{Event: routetable.EventRefused, Refused: 5, Generation: 4, Serving: true}}, context.DeadlineExceeded, []string{"generation 4"}},
		"it has it and does not listen":    {[]routetable.Report{{Event: routetable.EventReady, Generation: 7, Error: "no interface"}}, context.DeadlineExceeded, []string{"serving nothing", "no interface"}},
		"it says nothing":                  {nil, context.DeadlineExceeded, []string{"it said nothing"}},
		"it says what nobody knows":        {[]routetable.Report{{Event: "counters", Generation: 7, Serving: true}}, context.DeadlineExceeded, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, s := speaking(t, c.said...)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				report, err := d.await(ctx, s, answerTo{generation: generation}, 0)
				if !errors.Is(err, c.want) || c.want != nil && !mentions(err, c.words...) {
					t.Errorf("got %v", err)
				}
				if c.want == nil && (report.Generation != generation || !report.Serving) {
					t.Errorf("got %+v", report)
				}
			})
		})
	}
}

func TestOnlyTheAnswerToTheSignalCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := routetable.Report{Event: routetable.EventRefused, Refused: 2, Error: "old"}
		d, s := speaking(t, old)
		_, before, _ := s.since(0)
		answers := make(chan error, 1)
		go func() {
			_, err := d.await(t.Context(), s, answerTo{generation: 2}, before)
			answers <- err
		}()
		synctest.Wait()
		for range 3 * keptReports { // more than are kept
			s.hear(routetable.Report{Event: routetable.EventState, Generation: 1, Serving: true}.Line())
		}
		s.hear(routetable.Report{Event: routetable.EventReloaded, Generation: 2, Serving: true}.Line())
		if err := <-answers; err != nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestAWaiterThatIsFarBehindSeesTheLastReports(t *testing.T) {
	_, s := speaking(t)
	for i := range 3 * keptReports {
		s.hear(routetable.Report{Event: routetable.EventState, Generation: int64(i)}.Line())
	}
	reports, count, _ := s.since(1)
	if count != 3*keptReports || len(reports) != keptReports || reports[keptReports-1].Generation != 3*keptReports-1 {
		t.Errorf("got %d of %d", len(reports), count)
	}
	if reports, _, _ := s.since(count); len(reports) != 0 {
		t.Errorf("got %v", reports)
	}
}

func TestTheLastLinesAreKeptOverARestart(t *testing.T) {
	d, s := speaking(t)
	for i := range keptLines + 3 {
		s.note(fmt.Appendf(nil, "line %d", i))
	}
	s.end()
	again, fresh := d.streams.claim(d.life, "c1", "web")
	if !fresh {
		t.Fatal("a stream that has ended is no stream")
	}
	again.note([]byte("\x1b[2Jlast"))
	lines := d.LastLines("c1")
	if len(lines) != keptLines || lines[0] != "line 4" || lines[keptLines-1] != "[2Jlast" {
		t.Errorf("got %q", lines)
	}
	if lines := d.LastLines("c2"); lines != nil {
		t.Errorf("got %q", lines)
	}
}

func TestNoSignalIsSentBeforeASidecarHasSpoken(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("running")
	speak, hold := make(chan struct{}), make(chan struct{})
	f.attached(func(stdout, _ io.Writer) {
		<-speak
		_, _ = stdout.Write(routetable.Report{Event: routetable.EventReady, Generation: 1, Serving: true}.Line())
		<-hold
	})
	signals := make(chan string, 8)
	f.on("POST /containers/c1/kill", func(w http.ResponseWriter, r *http.Request) {
		signals <- r.URL.Query().Get("signal")
		reply(w, http.StatusNoContent, nil)
	})
	d := f.driver()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := d.Reload(ctx, "c1", 2)
		done <- err
	}()
	soon(t, "it is listened to", func() bool { return f.was("POST /containers/c1/attach") })
	close(speak)
	if got := <-signals; got != signalReload && got != signalTell {
		t.Errorf("got %s", got)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(hold)
}

func TestASidecarThatFloodsIsBounded(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("running")
	f.answer("POST /containers/c1/kill", http.StatusNoContent, nil)
	stalled := make(chan struct{})
	f.attached(func(stdout, _ io.Writer) {
		line := routetable.Report{Event: routetable.EventState, Generation: 1, Serving: true, Error: strings.Repeat("x", 500)}.Line()
		for range 100_000 {
			if _, err := stdout.Write(line); err != nil {
				close(stalled)
				return
			}
		}
		t.Error("all of it was read")
	})
	d := f.driver()
	o, err := d.Observe(t.Context())
	if err != nil || o.Sidecars[0].Report == nil {
		t.Fatalf("got %+v, %v", o, err)
	}
	if n := len(o.Sidecars[0].Report.Error); n > maxShown {
		t.Errorf("an error of %d bytes is kept", n)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	<-stalled
}

func TestACopyIsOneArchiveInOrder(t *testing.T) {
	packed, err := pack([]routetable.File{
		{Name: "tokens-3/CRED_PROXY_TOKEN_1", Mode: 0o400, Data: []byte("a")},
		{Name: "tokens-3/CRED_PROXY_TOKEN_2", Mode: 0o400, Data: []byte("b")},
		{Name: "routes.json", Mode: 0o600, Data: []byte("{}")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"tokens-3/ 700 65532:65532", "tokens-3/CRED_PROXY_TOKEN_1 400 65532:65532 a",
		"tokens-3/CRED_PROXY_TOKEN_2 400 65532:65532 b", "routes.json 600 65532:65532 {}",
	}
	if got := entries(t, packed); !slices.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}
