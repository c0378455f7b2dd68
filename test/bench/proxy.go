package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

const (
	requests    = 15000 // a turn
	connections = 8
	turns       = 3
	// ticksPerSecond is the unit of /proc/PID/stat, which is 100 wherever Linux runs Docker.
	ticksPerSecond = 100
)

// measureProxy sends the same requests through a sidecar and through a bare ReverseProxy in a container with the
// same limits, in turns, and compares the CPU that the two processes used.
func measureProxy(ctx context.Context, b *bed) ([]row, error) {
	const name, bare = "load", "bareproxy"
	if err := b.drop(name); err != nil {
		return nil, err
	}
	_, err := docker(ctx, "run", "-d", "--name", b.name(bare), "--network", b.egress, "--user", "65532:65532",
		"--read-only", "--cap-drop", "ALL", "--memory", "64m", "--memory-swap", "64m", "--cpus", "1",
		b.toolbox, "reverseproxy", "http://"+b.upstream+":8080")
	if err != nil {
		return nil, err
	}
	if _, err := docker(ctx, "network", "connect", "--alias", bare, b.internal, b.name(bare)); err != nil {
		return nil, err
	}
	if err := b.until(ctx, "the sidecar is ready", func() bool { return b.ready(ctx, name) }); err != nil {
		return nil, err
	}
	ours, floor := &target{b, b.name(name), "http://" + name + ":9099/api/bytes/1024", nil},
		&target{b, b.name(bare), "http://" + bare + ":9099/bytes/1024", nil}
	for turn := range turns + 1 {
		for _, t := range []*target{ours, floor} {
			if err := t.load(ctx, turn > 0); err != nil { // the first turn warms up
				return nil, err
			}
		}
	}
	return []row{{"proxy, 1 KiB, kept connections: CPU a request", "µs", median(ours.cpu), median(floor.cpu),
		"bare ReverseProxy", 1.1}}, b.clear(ctx, name, b.name(bare))
}

// clear removes a spec and a container.
func (b *bed) clear(ctx context.Context, spec, container string) error {
	if err := b.engine.remove(ctx, container); err != nil {
		return err
	}
	return b.erase(ctx, spec)
}

// target is a proxy under load.
type target struct {
	b         *bed
	container string
	url       string
	// cpu is what a request took in each turn, in microseconds.
	cpu []float64
}

func (t *target) load(ctx context.Context, counts bool) error {
	before, err := cpuSeconds(ctx, t.container)
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "docker", "exec", t.b.client, "/toolbox", "load",
		"-n", strconv.Itoa(requests), "-c", strconv.Itoa(connections), t.url).Output()
	if err != nil {
		return err
	}
	var went struct{ Requests, Failed int }
	if err := json.Unmarshal(out, &went); err != nil {
		return err
	}
	if went.Failed > 0 {
		return fmt.Errorf("%d of %d requests to %s failed", went.Failed, went.Requests, t.url)
	}
	after, err := cpuSeconds(ctx, t.container)
	if counts {
		t.cpu = append(t.cpu, 1e6*(after-before)/requests)
	}
	return err
}

// cpuSeconds is the CPU time, in user and kernel mode, of a container's first process, proc(5).
func cpuSeconds(ctx context.Context, container string) (float64, error) {
	pid, err := docker(ctx, "inspect", "-f", "{{.State.Pid}}", container)
	if err != nil {
		return 0, err
	}
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, err
	}
	// The second field is the program's name in parentheses; utime and stime are fields 14 and 15.
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%s/stat is %q", pid, stat)
	}
	var ticks float64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return ticks / ticksPerSecond, nil
}
