package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// answer is what a controller says to one question for "web".
type answer struct {
	// ready is the condition's status; empty when the name is not listed.
	ready, reason, message string
	// notReady is what /readyz says; empty for ok.
	notReady string
}

// scripted is a controller that gives its answers one after the other, and then the last one again and again.
type scripted struct {
	mu      sync.Mutex
	answers []answer
	asked   int
}

func script(t *testing.T, answers ...answer) (s *scripted, server string) {
	t.Helper()
	s = &scripted{answers: answers}
	page := httptest.NewServer(s)
	t.Cleanup(page.Close)
	return s, page.URL
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path != "/readyz" {
		s.asked++
	}
	now := s.answers[min(s.asked, len(s.answers))-1]
	switch {
	case r.URL.Path == "/readyz" && now.notReady != "":
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintf(w, "not ready: %s\n", now.notReady)
		return
	case r.URL.Path == "/readyz":
		return
	case now.ready == "":
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"kind":"Status","message":"not found"}`)
		return
	}
	fmt.Fprintf(w, `{"status":{"conditions":[{"type":"Ready","status":%q,"reason":%q,"message":%q}]}}`,
		now.ready, now.reason, now.message)
}

func TestWaitBelievesOnlyWhatLasts(t *testing.T) {
	serving := answer{ready: "True", reason: "Running"}
	changed := answer{ready: "False", reason: "Progressing", message: "the declaration changed"}
	leaving := answer{ready: "False", reason: "Progressing", message: "its sidecar is being removed"}
	kept := answer{ready: "False", reason: "PruneBlocked", message: "mend web.yaml"}
	gone := answer{}
	tests := map[string]struct {
		answers []answer
		args    []string
		want    int
		says    string
		asked   int // at least
	}{
		"an edit just before":           {[]answer{serving, changed, changed, serving}, nil, 0, "web is Ready", 4},
		"nothing happens":               {[]answer{serving}, nil, 0, "web is Ready", 2},
		"no time to ask twice":          {[]answer{serving}, []string{"--timeout", "50ms"}, 0, "web is Ready", 1},
		"no file any more":              {[]answer{serving, leaving, leaving, gone}, []string{"--for", "Deleted"}, 0, "web is Deleted", 4},
		"a removal that is held back":   {[]answer{kept}, []string{"--for", "Deleted", "--timeout", "250ms"}, 1, "web is not Deleted after 250ms: PruneBlocked: mend web.yaml", 2},
		"a removal that takes too long": {[]answer{leaving}, []string{"--for", "Deleted", "--timeout", "250ms"}, 1, "Progressing: its sidecar is being removed", 2},
		"a controller that knows not yet": {
			[]answer{{notReady: "the first comparison"}, {notReady: "the first comparison"}, leaving, gone},
			[]string{"--for", "Deleted"}, 0, "web is Deleted", 4,
		},
		"a controller that never knows": {
			[]answer{{notReady: "the engine is away"}}, []string{"--for", "Deleted", "--timeout", "250ms"}, 1, "not ready: the engine is away", 2,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, server := script(t, tt.answers...)
			c := newConsole(t, nil)
			got := c.run(t, append([]string{"wait", "web", "--server", server}, tt.args...)...)
			text := c.out.String() + c.err.String()
			if got != tt.want || !strings.Contains(text, tt.says) {
				t.Errorf("exit code %d, want %d and %q in:\n%s", got, tt.want, tt.says, text)
			}
			if s.asked < tt.asked {
				t.Errorf("asked %d times, want at least %d", s.asked, tt.asked)
			}
		})
	}
}
