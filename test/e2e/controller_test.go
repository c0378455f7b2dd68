//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// controller is one running controller process.
type controller struct {
	t      testing.TB
	listen string
	log    *logBuffer
	cmd    *exec.Cmd
	ended  chan struct{}
	err    error
}

// run starts `controller run` on the world's directories. More flags win over those given here.
func (w *world) run(flags ...string) *controller {
	w.t.Helper()
	return w.runWith(nil, nil, flags...)
}

// runWith is run with a command that the controller is started through, and with more environment.
func (w *world) runWith(through, env []string, flags ...string) *controller {
	w.t.Helper()
	c := &controller{t: w.t, listen: freeAddress(w.t), log: &logBuffer{}, ended: make(chan struct{})}
	line := append([]string{}, through...)
	line = append(line, controllerBinary, "run",
		"--specs", w.specs, "--token-dir", w.tokens, "--instance", w.id, "--name-prefix", w.id,
		"--state-dir", w.state, "--listen", c.listen, "--log-level", "debug")
	line = append(line, flags...)
	c.cmd = exec.Command(line[0], line[1:]...)
	c.cmd.Env = append(os.Environ(), env...)
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	if err := c.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.ended)
	}()
	w.t.Cleanup(c.finish)
	return c
}

// finish ends the controller with its story, and tells its log when the story failed.
func (c *controller) finish() {
	c.terminate()
	if strings.Contains(c.log.String(), "DATA RACE") {
		c.t.Error("the race detector found something in the controller")
	}
	if c.t.Failed() {
		c.t.Logf("the log of the controller:\n%s", c.log.String())
	}
}

// terminate asks the controller to end, as a service manager does, and waits for it.
func (c *controller) terminate() {
	c.t.Helper()
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-c.ended:
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		<-c.ended
		c.t.Errorf("the controller did not end within %s of SIGTERM", patience)
	}
}

// kill ends the controller as a power cut would.
func (c *controller) kill() {
	_ = c.cmd.Process.Kill() // it may have ended
	<-c.ended
}

// waitForEnd waits until the controller ends by itself, and returns its exit status.
func (c *controller) waitForEnd() int {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(patience):
		c.t.Fatalf("the controller still runs after %s", patience)
	}
	return exitStatus(c.t, c.err)
}

func exitStatus(t testing.TB, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return exit.ExitCode()
}

// logged waits until the log has a line with all the parts.
func (c *controller) logged(parts ...string) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("the log has a line with %q", parts), func() error {
		for line := range strings.Lines(c.log.String()) {
			if containsAll(line, parts) {
				return nil
			}
		}
		return errors.New("no such line")
	})
}

func containsAll(s string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(s, part) {
			return false
		}
	}
	return true
}

// logBuffer collects what a process writes while others read it.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// freeAddress is an address of this machine on which nothing listened a moment ago.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// verb runs any verb to its end and returns what it printed and its exit status.
func verb(t testing.TB, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	return verbWith(t, nil, args...)
}

// verbWith is verb with more environment.
func verbWith(t testing.TB, env []string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	var out, errOut bytes.Buffer
	cmd := exec.CommandContext(ctx, controllerBinary, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("controller %s did not end: %s", strings.Join(args, " "), errOut.String())
	}
	return out.String(), errOut.String(), exitStatus(t, err)
}

// combined runs a command line to its end and returns all that it printed, and its exit status.
func combined(t testing.TB, line []string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, line[0], line[1:]...).CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s did not end: %s", strings.Join(line, " "), out)
	}
	return string(out), exitStatus(t, err)
}

// passFlags are the flags of one pass over the world, for apply and plan.
func (w *world) passFlags() []string {
	return []string{"--specs", w.specs, "--token-dir", w.tokens, "--instance", w.id, "--name-prefix", w.id}
}
