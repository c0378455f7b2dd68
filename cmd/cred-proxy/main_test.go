package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

const asMain = "CRED_PROXY_TEST_AS_MAIN"

// TestMain lets the test's own binary be the sidecar.
func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func sidecar(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asMain+"=1")
	return cmd
}

func volume(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	_, files, err := routetable.Seal(routetable.Table{
		Listen: ":0", InternalSubnets: []string{"127.0.0.0/8"}, InternalGateways: []string{"127.255.255.254"},
		Routes: []routetable.Route{{Path: "/r", Upstream: "https://a.test", Auth: &routetable.Auth{Scheme: "Bearer", TokenFile: "CRED_PROXY_TOKEN_1"}}},
	}, 1, map[string]string{"CRED_PROXY_TOKEN_1": "t"}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, f.Mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func send(t *testing.T, cmd *exec.Cmd, s os.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, from *bufio.Reader, event routetable.ReportEvent) {
	t.Helper()
	line, err := from.ReadBytes('\n')
	for bytes.HasPrefix(line, []byte(`{"event":"counters"`)) { // it tells what it counts, too
		line, err = from.ReadBytes('\n')
	}
	if err != nil {
		t.Fatal(err)
	}
	if r, err := routetable.ParseReport(line); err != nil || r.Event != event || !r.Serving {
		t.Errorf("got %q, %v; want %s", line, err, event)
	}
}

// noDumps holds that the kernel would write no core of a process that runs.
func noDumps(t *testing.T, pid int) {
	t.Helper()
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil || !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		t.Errorf("a core of it could be dumped: %v\n%s", err, limits)
	}
}

func TestProcessAnswersItsSignals(t *testing.T) {
	cmd := sidecar(t, "-dir", volume(t))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(out)
	want(t, from, routetable.EventReady)
	noDumps(t, cmd.Process.Pid)
	send(t, cmd, syscall.SIGUSR1)
	want(t, from, routetable.EventState)
	send(t, cmd, syscall.SIGHUP)
	want(t, from, routetable.EventReloaded)
	// What is written to a stdout that nobody holds any more raises SIGPIPE.
	_ = out.Close()
	send(t, cmd, syscall.SIGUSR1)
	send(t, cmd, syscall.SIGPIPE)
	send(t, cmd, syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v: %s", err, &log)
	}
	if !strings.Contains(log.String(), "draining") {
		t.Errorf("it did not drain: %s", &log)
	}
}

func TestBadVariableEndsTheProcess(t *testing.T) {
	cmd := sidecar(t)
	cmd.Env = append(cmd.Env, "CRED_PROXY_DRAIN_TIMEOUT=soon")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "CRED_PROXY_DRAIN_TIMEOUT is \"soon\"") {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestVersionIsPrinted(t *testing.T) {
	cmd := sidecar(t, "-version")
	cmd.Stderr = io.Discard
	out, err := cmd.Output()
	if err != nil || !strings.HasPrefix(string(out), "cred-proxy ") {
		t.Errorf("got %q, %v", out, err)
	}
}

// With "try" the same binary is one request, and no sidecar.
func TestTryIsOneRequest(t *testing.T) {
	cmd := sidecar(t, routetable.TrialCommand, "-timeout", "5s", "http://127.0.0.1:1/r")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if trial, err := routetable.ParseTrial(out); err != nil || trial.Status != 0 || trial.Stage != routetable.StageConnect {
		t.Errorf("got %q, %v", out, err)
	}
}
