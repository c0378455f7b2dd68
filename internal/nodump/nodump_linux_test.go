package nodump

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The kernel is asked, of this process: it holds nothing that anybody would want to look at in a dump.
func TestNoCoreCanBeDumped(t *testing.T) {
	if err := Forbid(); err != nil {
		t.Fatal(err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil || limit != (unix.Rlimit{}) {
		t.Errorf("the limit is %+v, %v", limit, err)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("dumpable is %d, %v", dumpable, err)
	}
	if out, err := exec.Command("sh", "-c", "ulimit -Hc").Output(); err != nil || strings.TrimSpace(string(out)) != "0" {
		t.Errorf("the limit of what it starts is %s, %v", out, err)
	}
	if _, err := os.ReadDir("/proc/self/fd"); err != nil {
		t.Errorf("it cannot count its own files any more: %v", err) // as its metrics do
	}
}
