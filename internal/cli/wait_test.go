package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	// current is the reason of a condition Current that is not True; empty for none.
	current string
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
	more := ""
	if now.current != "" {
		more = fmt.Sprintf(`,{"type":"Current","status":"False","reason":%q,"message":"web.yaml:3: spec: is missing"}`, now.current)
	}
	fmt.Fprintf(w, `{"status":{"conditions":[{"type":"Ready","status":%q,"reason":%q,"message":%q}%s]}}`,
		now.ready, now.reason, now.message, more)
}

func TestWaitBelievesOnlyWhatLasts(t *testing.T) {
	serving := answer{ready: "True", reason: "Running"}
	changed := answer{ready: "False", reason: "Progressing", message: "the declaration changed"}
	leaving := answer{ready: "False", reason: "Progressing", message: "its sidecar is being removed"}
	kept := answer{ready: "False", reason: "PruneBlocked", message: "mend web.yaml"}
	gone := answer{}
	older := answer{ready: "True", reason: "Running", current: "LastGood"}
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
		"an edit that is refused":       {[]answer{serving, older}, nil, 0, "warning: what serves is not what the file says now: web.yaml:3: spec: is missing\n", 2},
		"a file that was mended":        {[]answer{older, serving}, nil, 0, "web is Ready\n", 2},
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

func TestWaitForCurrentTellsAnEditInForceFromOneThatIsRefused(t *testing.T) {
	dir := specs(t, "web.yaml", goodSpec)
	server := started(t, newConsole(t, &fakeController{}), dir)
	await := func(args ...string) (int, string) {
		c := newConsole(t, nil)
		code := c.run(t, append([]string{"wait", "web", "--server", server}, args...)...)
		return code, c.out.String() + c.err.String()
	}
	if code, text := await("--for", "Current"); code != 0 || text != "web is Current\n" {
		t.Errorf("a good file: exit code %d:\n%s", code, text)
	}

	bad := strings.Replace(goodSpec, "kind: CredProxy", "kind: CredProxi", 1)
	if err := os.WriteFile(filepath.Join(dir, "web.yaml"), []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	untilRefused(t, server)
	code, text := await("--for", "Current", "--timeout", "1s")
	if code != 1 || !strings.Contains(text, "web is not Current after 1s: LastGood: web.yaml:2: kind: ") {
		t.Errorf("a bad file: exit code %d:\n%s", code, text)
	}
	code, text = await()
	if code != 0 || !strings.Contains(text, "warning: what serves is not what the file says now: web.yaml:2: kind: ") {
		t.Errorf("a bad file whose sidecar serves: exit code %d:\n%s", code, text)
	}

	if err := os.WriteFile(filepath.Join(dir, "web.yaml"), []byte(goodSpec), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, text := await("--for", "Current"); code != 0 || text != "web is Current\n" {
		t.Errorf("a file that was mended: exit code %d:\n%s", code, text)
	}
}
