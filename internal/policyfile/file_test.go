package policyfile

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

const (
	good = "apiVersion: credproxy.dev/v1alpha1\nkind: TokenPolicy\nmetadata: {name: fleet}\nspec:\n  rules:\n" +
		"  - {name: all, folders: [\"**\"], networks: [\"*\"]}\n"
	wider = good + "  - {name: more, folders: [\".\"], networks: [\"*\"]}\n"
	bad   = "kind: TokenPolicy\n"
)

// stage is a policy's file beside a directory of specs.
type stage struct {
	t           *testing.T
	path, specs string
	log         bytes.Buffer
	now         time.Time
	registry    *prometheus.Registry
}

func newStage(t *testing.T) *stage {
	t.Helper()
	dir := t.TempDir()
	s := &stage{t: t, path: filepath.Join(dir, "policy.yaml"), specs: filepath.Join(dir, "specs"), now: time.Now(), registry: prometheus.NewRegistry()}
	if err := os.Mkdir(s.specs, 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) write(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) try() (*File, error) {
	return Open(Options{
		Path: s.path, Specs: []string{s.specs}, SingleUser: []byte(good),
		Log: slog.New(slog.NewTextHandler(&s.log, nil)), Registerer: s.registry,
	})
}

func (s *stage) open() *File {
	s.t.Helper()
	f, err := s.try()
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}

// after looks once more after some time.
func (s *stage) after(f *File, d time.Duration) bool {
	s.now = s.now.Add(d)
	return f.look(s.now)
}

func (s *stage) valid(want float64) {
	s.t.Helper()
	text := fmt.Sprintf("# HELP credproxy_policy_valid %s\n# TYPE credproxy_policy_valid gauge\ncredproxy_policy_valid %v\n", policyValid().Help, want)
	if err := testutil.GatherAndCompare(s.registry, strings.NewReader(text), "credproxy_policy_valid"); err != nil {
		s.t.Error(err)
	}
}

func TestAChangedPolicyIsTakenOnceItIsAtRest(t *testing.T) {
	s := newStage(t)
	s.write(good)
	f := s.open()
	before := f.State().Policy
	if before == nil || s.after(f, time.Minute) {
		t.Fatal("a policy that is as it was has changed")
	}
	s.write(strings.TrimSuffix(wider, "networks: [\"*\"]}\n") + "}\n") // half written, and good by itself
	if s.after(f, 0) {
		t.Error("taken at the first look")
	}
	s.write(wider)
	if s.after(f, settle) || s.after(f, settle/2) || f.State().Policy != before {
		t.Error("taken before it was at rest")
	}
	if !s.after(f, settle/2) || f.State().Policy == before || f.State().Err != nil {
		t.Errorf("not taken: %+v", f.State())
	}
	if s.after(f, settle) {
		t.Error("taken twice")
	}
	s.valid(1)
}

func TestAPolicyThatTurnsBadKeepsItsLastGoodVersion(t *testing.T) {
	for how, spoil := range map[string]func(*stage){
		"not a policy":       func(s *stage) { s.write(bad) },
		"empty":              func(s *stage) { s.write("") },
		"gone":               func(s *stage) { _ = os.Remove(s.path) },
		"writable by others": func(s *stage) { _ = os.Chmod(s.path, 0o622) },
		"too large":          func(s *stage) { s.write(good + strings.Repeat("#\n", 1<<19)) },
		"a directory": func(s *stage) {
			_ = os.Remove(s.path)
			_ = os.Mkdir(s.path, 0o700)
		},
		"a link into the specs": func(s *stage) {
			_ = os.Remove(s.path)
			_ = os.WriteFile(filepath.Join(s.specs, "mine.yaml"), []byte(wider), 0o600)
			_ = os.Symlink(filepath.Join(s.specs, "mine.yaml"), s.path)
		},
	} {
		t.Run(how, func(t *testing.T) {
			s := newStage(t)
			s.write(good)
			f := s.open()
			before := f.State().Policy
			spoil(s)
			s.after(f, 0)
			if !s.after(f, settle) {
				t.Fatal("not noticed")
			}
			state := f.State()
			if state.Policy != before || state.Err == nil || !state.Given {
				t.Errorf("%+v", state)
			}
			s.valid(0)
			if log := s.log.String(); strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, "its last good version stays in force") {
				t.Errorf("log:\n%s", log)
			}
			_ = os.RemoveAll(s.path)
			s.write(good)
			s.after(f, 0)
			if !s.after(f, settle) || f.State().Err != nil {
				t.Errorf("not mended: %+v", f.State())
			}
			s.valid(1)
		})
	}
}

func TestABadPolicyAtTheStartJudgesNothing(t *testing.T) {
	s := newStage(t)
	f := s.open() // there is no file
	if state := f.State(); !state.Given || state.Policy != nil || state.Err == nil {
		t.Errorf("%+v", state)
	}
	s.valid(0)
	s.write(good)
	s.after(f, 0)
	if !s.after(f, settle) || f.State().Policy == nil {
		t.Errorf("not taken once it was there: %+v", f.State())
	}
}

func TestAPolicyThatOthersCouldChangeIsRefused(t *testing.T) {
	for want, expose := range map[string]func(*stage){
		"chmod go-w": func(s *stage) {
			s.write(good)
			_ = os.Chmod(s.path, 0o664)
		},
		"beneath --specs": func(s *stage) {
			s.path = filepath.Join(s.specs, "policy.yaml")
			s.write(good)
		},
		"keep it elsewhere": func(s *stage) {
			s.write(good)
			link := filepath.Join(s.specs, "policy.yaml")
			_ = os.Symlink(s.path, link)
			s.path = link
		},
	} {
		s := newStage(t)
		expose(s)
		if _, err := s.try(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestTheReadyMadePolicyNeedsNoFile(t *testing.T) {
	s := newStage(t)
	s.path = SingleUser
	f := s.open()
	if state := f.State(); !state.Given || state.Policy == nil || f.Look() {
		t.Errorf("%+v", state)
	}
}

func TestWithoutAPathThereIsNoPolicy(t *testing.T) {
	s := newStage(t)
	s.path = ""
	f := s.open()
	if f.State() != (State{}) || f.Look() {
		t.Errorf("%+v", f.State())
	}
	s.valid(1)
}
