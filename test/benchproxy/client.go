package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// toolbox and builtSidecar are what make builds, the latter for the image.
const (
	toolbox      = "bin/toolbox"
	builtSidecar = "bin/sidecar/cred-proxy-linux-" + runtime.GOARCH
)

// loaded is what the toolbox says of a load, and followed of streams. Times are in microseconds.
type loaded struct {
	Requests, Failed int
	Why              string
	P50, P99         float64
}

type followed struct {
	Streams, Events, Failed int
	Why                     string
	First, Event            struct{ P50, P99 float64 }
}

// ask has the toolbox ask as a client, and reads what it says.
func (l *lab) ask(ctx context.Context, answer any, args ...string) error {
	out, err := command(ctx, l.client, append([]string{toolbox}, args...)...).Output()
	if err != nil {
		return fmt.Errorf("toolbox %v: %w", args, err)
	}
	return json.Unmarshal(out, answer)
}

// held are streams that stay open.
type held struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

// holdStreams opens streams that stay until they are let go, and returns once each has had its first event.
func (l *lab) holdStreams(ctx context.Context, n int, url string) (*held, error) {
	cmd := command(ctx, l.client, toolbox, "events", "-hold", "-c", fmt.Sprint(n), url)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	h := &held{cmd, stdin}
	giveUp := time.AfterFunc(patience, h.letGo)
	var stand followed
	if err := json.NewDecoder(stdout).Decode(&stand); err != nil || !giveUp.Stop() {
		return nil, fmt.Errorf("%d streams at a time did not all begin within %s: %w", n, patience, err)
	}
	if stand.Failed > 0 {
		h.letGo()
		return nil, fmt.Errorf("%d of %d streams failed: %s", stand.Failed, n, stand.Why)
	}
	return h, nil
}

func (h *held) letGo() {
	_ = h.stdin.Close()
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	_ = h.cmd.Wait()
}
