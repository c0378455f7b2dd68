//go:build e2e && soak

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// How much more the controller may have at the end than at the start, with a fleet of the same size, before it counts as
// a leak: what the runtime keeps for a while fits in, what grows with every edit does not.
const (
	moreMemory     = 32 << 20 // bytes resident
	moreGoroutines = 20
	moreFiles      = 20
)

// consumption is what the controller uses at a moment.
type consumption struct {
	resident          int64 // bytes
	goroutines, files int
}

// A fleet is edited at random for as long as SOAK says, and at the end the controller uses no more than at the start.
func TestSoak(t *testing.T) {
	long, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Fatalf("SOAK has to be a duration, such as 10m: %v", err)
	}
	w := newFleetWorld(t)
	c := w.runWith(released(t), nil, "--drain-timeout", "5s", "--log-level", "info")
	f := newFleet(w, c, uint64(time.Now().UnixNano()))
	f.whole()
	f.soak(long)
	f.conforms()
	f.visitors.lostNone("who asks the fleet")
}

// released starts the controller without the race detector, which would not be flat.
func released(t *testing.T) []string {
	t.Helper()
	binary, err := filepath.Abs("../../bin/controller")
	if err != nil {
		t.Fatal(err)
	}
	return []string{"sh", "-c", `shift; exec ` + binary + ` "$@"`, "sh"}
}

// whole makes as many members as there may be.
func (f *fleet) whole() {
	f.w.t.Helper()
	f.settle(0)
	for len(f.members) < fleetSize {
		f.create()
	}
	f.settle(0)
}

func (f *fleet) soak(long time.Duration) {
	began := time.Now()
	start := f.c.consumption()
	f.report("start", start)
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	for time.Since(began) < long {
		f.step()
		f.settle(unsettledAtMost)
		select {
		case <-minute.C:
			f.report(time.Since(began).Round(time.Second).String(), f.c.consumption())
		default:
		}
	}
	f.whole()
	end := f.c.consumption()
	f.report("end", end)
	for _, of := range []struct {
		what        string
		start, end  int64
		mayGrowByAt int64
	}{
		{"bytes of memory", start.resident, end.resident, moreMemory},
		{"goroutines", int64(start.goroutines), int64(end.goroutines), moreGoroutines},
		{"file descriptors", int64(start.files), int64(end.files), moreFiles},
	} {
		if of.end > of.start+of.mayGrowByAt {
			f.w.t.Errorf("%s grew from %d to %d, by more than %d", of.what, of.start, of.end, of.mayGrowByAt)
		}
	}
}

// report prints a line of figures.
func (f *fleet) report(when string, used consumption) {
	visits := f.visitors.total()
	f.w.t.Logf("%-6s %d members, edits %v, %d calls to the engine; %d requests, %d failed, %d addresses silent; %.1f MB, %d goroutines, %d file descriptors",
		when, len(f.members), f.calls, f.c.engineCalls(), visits.OK+visits.Failed, visits.Failed, visits.Silent,
		float64(used.resident)/1e6, used.goroutines, used.files)
}

func (c *controller) consumption() consumption {
	c.t.Helper()
	used := consumption{}
	process := fmt.Sprintf("/proc/%d", c.cmd.Process.Pid)
	status, err := os.ReadFile(process + "/status")
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kB int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kB); n == 1 {
			used.resident = kB << 10
		}
	}
	files, err := os.ReadDir(process + "/fd")
	if err != nil {
		c.t.Fatal(err)
	}
	goroutines, err := c.metric("go_goroutines")
	if err != nil {
		c.t.Fatal(err)
	}
	used.goroutines, used.files = int(goroutines), len(files)
	return used
}

// engineCalls is how many calls the controller has made.
func (c *controller) engineCalls() (all int) {
	for line := range strings.Lines(c.page("/metrics")) {
		var n int
		if strings.HasPrefix(line, "credproxy_docker_requests_total{") {
			if _, err := fmt.Sscan(line[strings.LastIndex(line, " ")+1:], &n); err == nil {
				all += n
			}
		}
	}
	return all
}
