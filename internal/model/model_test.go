package model

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// enough is how many random scripts make an empty cell of the table a failure.
const enough = 10_000

// TestModel is described at the package.
func TestModel(t *testing.T) {
	var census census
	checks := divide(t, shards)
	t.Run("part", func(t *testing.T) {
		t.Run("faults", func(t *testing.T) { t.Parallel(); testFaults(t, &census) })
		t.Run("deaths", func(t *testing.T) { t.Parallel(); testDeaths(t, &census) })
		t.Run("stories", func(t *testing.T) { t.Parallel(); testStories(t, &census) })
		for i := range shards {
			t.Run(fmt.Sprint("random ", i+1), func(t *testing.T) { t.Parallel(); testRandom(t, &census) })
		}
	})
	if empty := census.print(t); checks >= enough && len(empty) > 0 {
		t.Errorf("faults that never met their step: %q", empty)
	}
}

// shards is how many parts of the random scripts run beside each other.
const shards = 2

// few is how many random scripts there are unless -rapid.checks says otherwise.
const few = 300

// divide shares -rapid.checks among parts, and returns how many there are in all.
func divide(t *testing.T, parts int) int {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	checks, err := strconv.Atoi(f.Value.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(strconv.Itoa(checks)) })
	asked := os.Getenv("RAPID_CHECKS") != ""
	flag.Visit(func(set *flag.Flag) { asked = asked || set == f })
	if !asked {
		checks = few
	}
	if err := f.Value.Set(strconv.Itoa(max(1, checks/parts))); err != nil {
		t.Fatal(err)
	}
	return checks
}

// testRandom plays random scripts.
func testRandom(t *testing.T, census *census) {
	generator := scripts()
	rapid.Check(t, func(rt *rapid.T) {
		s := generator.Draw(rt, "script")
		w, err := play(t, s.workers, s.perform)
		census.add(w)
		if err != nil {
			rt.Fatalf("%v\n\nscript: %s\n%s", err, s, w.story())
		}
	})
}
