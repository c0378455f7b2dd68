//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// visitors are clients in the agent's container that make requests all the while, and count those that fail. Each
// request has a new connection, to the first of the name's addresses that accepts, unless they are told to -keep them.
type visitors struct {
	t     testing.TB
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

// visits is how the requests to one name went.
type visits struct {
	OK, Failed int
	// Silent is how many addresses neither accepted nor refused in time, so that the next one was tried: those of
	// containers that the engine took off the network just before it took them off the name.
	Silent int
	// Slowest is the longest that a request took, in milliseconds.
	Slowest int
	Errors  []string
}

func (w *world) visitors(flags ...string) *visitors {
	w.t.Helper()
	line := append([]string{"exec", "-i", w.agent, "/toolbox", "visit"}, flags...)
	v := &visitors{t: w.t, cmd: exec.Command("docker", line...)}
	stdin, err := v.cmd.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	stdout, err := v.cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	v.stdin, v.lines = stdin, bufio.NewScanner(stdout)
	v.lines.Buffer(nil, 1<<20)
	if err := v.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(v.finish)
	return v
}

func (v *visitors) finish() {
	_ = v.stdin.Close() // with that they end
	impatience := time.AfterFunc(patience, func() { _ = v.cmd.Process.Kill() })
	defer impatience.Stop()
	if err := v.cmd.Wait(); err != nil {
		v.t.Errorf("the visitors ended with %v", err)
	}
}

// say tells the visitors something and returns their answer.
func (v *visitors) say(format string, args ...any) string {
	v.t.Helper()
	line := fmt.Sprintf(format, args...)
	impatience := time.AfterFunc(patience, func() { _ = v.cmd.Process.Kill() })
	defer impatience.Stop()
	if _, err := fmt.Fprintln(v.stdin, line); err != nil {
		v.t.Fatalf("the visitors do not hear %q: %v", line, err)
	}
	if !v.lines.Scan() {
		v.t.Fatalf("the visitors do not answer %q: %v", line, v.lines.Err())
	}
	return v.lines.Text()
}

// ask begins to request a URL, over and over.
func (v *visitors) ask(name, url string) {
	v.t.Helper()
	v.say("ask %s %s", name, url)
}

// leave returns when no request is underway to a name, and none will be.
func (v *visitors) leave(name string) {
	v.t.Helper()
	v.say("leave %s", name)
}

// turn returns when no request is underway that began before.
func (v *visitors) turn() {
	v.t.Helper()
	v.say("turn")
}

// counts is how the requests went so far, by name.
func (v *visitors) counts() map[string]visits {
	v.t.Helper()
	var all map[string]visits
	if err := json.Unmarshal([]byte(v.say("tell")), &all); err != nil {
		v.t.Fatal(err)
	}
	return all
}

// total is counts for all names together; each error says to which name it was.
func (v *visitors) total() visits {
	v.t.Helper()
	var sum visits
	for name, one := range v.counts() {
		sum.OK += one.OK
		sum.Failed += one.Failed
		sum.Silent += one.Silent
		sum.Slowest = max(sum.Slowest, one.Slowest)
		for _, e := range one.Errors {
			sum.Errors = append(sum.Errors, e+" ("+name+")")
		}
	}
	slices.Sort(sum.Errors)
	return sum
}

// lostNone fails when a request did.
func (v *visitors) lostNone(who string) visits {
	v.t.Helper()
	sum := v.total()
	v.t.Logf("%s: %d requests, %d failed; %d addresses were silent, the slowest request took %d ms",
		who, sum.OK+sum.Failed, sum.Failed, sum.Silent, sum.Slowest)
	if sum.Failed > 0 {
		v.t.Errorf("%s: %d of %d requests failed:\n%s", who, sum.Failed, sum.OK+sum.Failed, strings.Join(sum.Errors, "\n"))
	}
	return sum
}
