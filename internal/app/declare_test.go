package app

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

func object(name, file string) source.Object {
	return source.Object{File: file, CredProxy: &spec.CredProxy{ObjectMeta: metav1.ObjectMeta{Name: name}}}
}

func TestASnapshotIsDeclaredWithEveryNameOnce(t *testing.T) {
	broken := errors.New("disk")
	got := declared("/specs", source.Snapshot{
		Err: broken, KeepAll: true, KeepNames: sets.New("twice"),
		Specs:      []source.Object{object("good", "a.yaml")},
		Duplicates: []source.Duplicate{{Name: "twice", Places: []string{"a.yaml:1", "b.yaml:7"}}},
		Invalid: []source.InvalidObject{
			{Name: "twice", Problems: []spec.Problem{{File: "b.yaml", Line: 7, Message: "bad"}}},
			{Name: "bad", Problems: []spec.Problem{
				{File: "c.yaml", Line: 2, Field: "spec.port", Message: "too high"}, {File: "c.yaml", Line: 3, Message: "odd"},
			}},
			{Name: "good", Problems: []spec.Problem{{File: "a.yaml", Line: 1, Message: "bad now"}}},
		},
	})
	want := []reconcile.Rejected{
		{Name: "twice", Reason: "DuplicateName", Message: "declared more than once, in a.yaml:1 and b.yaml:7; keep one of them"},
		{Name: "bad", Reason: "InvalidSpec", Message: "c.yaml:2: spec.port: too high; c.yaml:3: odd"},
	}
	if diff := cmp.Diff(want, got.Rejected); diff != "" {
		t.Error(diff)
	}
	if got.Complete || !errors.Is(got.Err, broken) || !got.KeepAll || !got.KeepNames.Has("twice") || len(got.Specs) != 1 {
		t.Errorf("declared as %+v", got)
	}
}

func TestWhatIsToldOfANameIsShort(t *testing.T) {
	var problems []spec.Problem
	var places []string
	for i := range 1000 {
		problems = append(problems, spec.Problem{File: "a.yaml", Line: i + 1, Field: "spec.port", Message: "too high"})
		places = append(places, fmt.Sprintf("a.yaml:%d", i+1))
	}
	long := []spec.Problem{{File: strings.Repeat("ü", 1<<16), Message: "odd"}}
	got := declared("/specs", source.Snapshot{
		Duplicates: []source.Duplicate{{Name: "twice", Places: places}},
		Invalid: []source.InvalidObject{
			{Name: "many", File: "a.yaml", Problems: problems}, {Name: "long", File: "b.yaml", Problems: long},
		},
	}).Rejected
	for i, want := range []string{
		" and 926 more places; keep one of them", "; and 968 more problems: controller validate /specs/a.yaml", "ü…",
	} {
		if said := got[i].Message; len(said) > mostSaid+100 || !strings.HasSuffix(said, want) {
			t.Errorf("%d bytes are said of %s, which end with %q", len(said), got[i].Name, said[len(said)-60:])
		}
	}
}

func TestOnlyFilesThatKeepSidecarsAreNamedForIt(t *testing.T) {
	got := declared("/specs", source.Snapshot{Files: []source.FileStatus{
		{Path: "comments.yaml", State: source.FileEmpty}, {Path: "torn.yaml", State: source.FileInvalid, Keeps: true},
	}})
	if diff := cmp.Diff([]string{"torn.yaml"}, got.BadFiles); diff != "" {
		t.Error(diff)
	}
}

func TestSpecsAreCountedByState(t *testing.T) {
	paused := object("paused", "p.yaml")
	paused.CredProxy.Annotations = map[string]string{spec.AnnotationPaused: "true"}
	reg := prometheus.NewPedanticRegistry()
	metrics := newFileMetrics(reg, func() error { return errors.New("no watch") })
	metrics.record(source.Snapshot{
		Specs:      []source.Object{object("a", "a.yaml"), object("b", "a.yaml"), paused},
		Duplicates: []source.Duplicate{{Name: "c", Places: []string{"c.yaml:1", "c.yaml:9"}}},
		Invalid:    []source.InvalidObject{{Name: "d", File: "d.yaml"}, {Name: "e", File: "d.yaml"}},
		Files:      []source.FileStatus{badFile("d.yaml"), badFile("garbage.yaml"), badFile("c.yaml"), {Path: "a.yaml", State: source.FileValid}},
	})
	const want = `
# HELP credproxy_specs Specs at the last scan, by state; a bad file in which no name can be read counts as one that is invalid.
# TYPE credproxy_specs gauge
credproxy_specs{state="duplicate"} 1
credproxy_specs{state="invalid"} 3
credproxy_specs{state="paused"} 1
credproxy_specs{state="valid"} 2
# HELP credproxy_watch_up 1 while changes of spec and token files are noticed as they happen; otherwise only a periodic look finds them.
# TYPE credproxy_watch_up gauge
credproxy_watch_up 0
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "credproxy_specs", "credproxy_watch_up"); err != nil {
		t.Error(err)
	}
	if got := testutil.ToFloat64(metrics.lastScan); got != 0 {
		t.Errorf("an incomplete scan counts as a success at %v", got)
	}
}

func TestEachChangeOfTheFilesIsLoggedOnce(t *testing.T) {
	var log logBuffer
	f := newFiles(Options{Specs: "/specs", Log: slog.New(slog.NewTextHandler(&log, nil))},
		newFileMetrics(prometheus.NewRegistry(), func() error { return nil }))
	said := func(s source.Snapshot) int {
		before := strings.Count(log.String(), "\n")
		f.found(s)
		return strings.Count(log.String(), "\n") - before
	}
	good := source.FileStatus{Path: "a.yaml", State: source.FileValid}
	bad := badFile("a.yaml", problem(1, "x"), problem(2, "y"))
	whole := func(files ...source.FileStatus) source.Snapshot { return source.Snapshot{Complete: true, Files: files} }
	for i, step := range []struct {
		scan source.Snapshot
		want int
	}{
		{whole(good), 0},
		{whole(bad), 2},
		{whole(bad), 0},
		{whole(badFile("a.yaml", problem(1, "x"))), 1},
		{source.Snapshot{Err: errors.New("disk")}, 1},
		{source.Snapshot{Err: errors.New("disk")}, 0},
		{whole(good), 2}, // readable again, good again
		{whole(bad), 2},
		{whole(), 0},
		{whole(bad), 2}, // a new file of the name
	} {
		if got := said(step.scan); got != step.want {
			t.Errorf("scan %d was told in %d lines, want %d:\n%s", i, got, step.want, log.String())
		}
	}
}

func TestTheLogTellsWhatIsKnownOfAProblemAndNotTooMany(t *testing.T) {
	var log logBuffer
	f := newFiles(Options{Specs: "/specs", Log: slog.New(slog.NewTextHandler(&log, nil))},
		newFileMetrics(prometheus.NewRegistry(), func() error { return nil }))
	many := make([]spec.Problem, mostProblems+3)
	for i := range many {
		many[i] = problem(i+1, "odd")
	}
	f.found(source.Snapshot{Complete: true, Files: []source.FileStatus{
		badFile("a.yaml", spec.Problem{Message: "is empty"}), badFile("b.yaml", spec.Problem{Line: 3, Field: "spec.port", Message: "too high"}),
		badFile("team/c.yaml", many...),
	}})
	for _, want := range []string{
		`msg="bad spec file" file=a.yaml problem="is empty" last_good_in_force=false`,
		`msg="bad spec file" file=b.yaml line=3 field=spec.port problem="too high" last_good_in_force=false`,
		`msg="and 3 more: controller validate /specs/team/c.yaml" file=team/c.yaml`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
	if got := strings.Count(log.String(), "\n"); got != 2+mostProblems+1 {
		t.Errorf("%d lines:\n%s", got, log.String())
	}
}

func TestReadinessWaitsForACompleteScan(t *testing.T) {
	f := newFiles(Options{Specs: "/specs", Log: slog.New(slog.DiscardHandler)}, newFileMetrics(prometheus.NewRegistry(), func() error { return nil }))
	for _, step := range []struct {
		scan *source.Snapshot
		want string
	}{
		{nil, "the spec files were not yet read"},
		{&source.Snapshot{Err: errors.New("disk")}, "the spec files were not yet read completely: disk"},
		{&source.Snapshot{Complete: true}, ""},
		{&source.Snapshot{Err: errors.New("disk")}, ""},
		{&source.Snapshot{Err: fmt.Errorf("directory of specs /x %w: make it", source.ErrRoot)}, "directory of specs /x cannot be read: make it"},
		{&source.Snapshot{Complete: true}, ""},
	} {
		if step.scan != nil {
			f.found(*step.scan)
		}
		var got string
		if err := f.ready(); err != nil {
			got = err.Error()
		}
		if got != step.want {
			t.Errorf("got %q, want %q", got, step.want)
		}
	}
}

func TestLoggersAreOfKnownFormatsAndLevels(t *testing.T) {
	for _, tt := range []struct {
		format, level string
		good          bool
	}{{"text", "debug", true}, {"json", "error", true}, {"xml", "info", false}, {"text", "INFO", false}} {
		if _, err := NewLogger(io.Discard, tt.format, tt.level); (err == nil) != tt.good {
			t.Errorf("%s %s: %v", tt.format, tt.level, err)
		}
	}
}
