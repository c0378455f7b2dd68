package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// asMain is set in the environment of a test binary that is to be the command.
const asMain = "CONTROLLER_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a controller that runs on an empty directory and an engine that is not there.
type process struct {
	cmd     *exec.Cmd
	address string
	stderr  *bufio.Reader
}

func start(t *testing.T) *process {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "run", "--specs", dir, "--state-dir", dir+"/locks", "--listen", "127.0.0.1:0",
		"--docker-host", "unix://"+dir+"/none.sock")
	cmd.Env = append(os.Environ(), asMain+"=1")
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	p := &process{cmd: cmd, stderr: bufio.NewReader(pipe)}
	p.address = p.find(t, regexp.MustCompile(`listen=(\S+)`))
	return p
}

// find reads the log until a line matches, and returns what the first group matched.
func (p *process) find(t *testing.T, pattern *regexp.Regexp) string {
	t.Helper()
	for {
		line, err := p.stderr.ReadString('\n')
		if found := pattern.FindStringSubmatch(line); found != nil {
			return found[1]
		}
		if err != nil {
			t.Fatalf("the log ended without %v: %v", pattern, err)
		}
	}
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (p *process) exitCode(t *testing.T) int {
	t.Helper()
	if _, err := io.Copy(io.Discard, p.stderr); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// noDumps holds that the kernel would write no core of a process that runs.
func noDumps(t *testing.T, pid int) {
	t.Helper()
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil || !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		t.Errorf("a core of it could be dumped: %v\n%s", err, limits)
	}
}

func TestOneSignalEndsRunInOrder(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := start(t)
		noDumps(t, p.cmd.Process.Pid)
		p.signal(t, s)
		p.find(t, regexp.MustCompile("(controller stopped)"))
		if code := p.exitCode(t); code != 0 {
			t.Errorf("after %v the exit code is %d", s, code)
		}
	}
}

func TestASecondSignalEndsItAtOnce(t *testing.T) {
	for s, want := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130} {
		p := start(t)
		holdOpen(t, p.address)
		p.signal(t, syscall.SIGTERM)
		untilClosed(t, p.address)
		p.signal(t, s)
		if code := p.exitCode(t); code != want {
			t.Errorf("after a second %v the exit code is %d, want %d", s, code, want)
		}
	}
}

// holdOpen keeps a request unfinished, for which an orderly end waits.
func holdOpen(t *testing.T, address string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, "GET / HT"); err != nil {
		t.Fatal(err)
	}
	// Connections are accepted in turn: once a later one is answered, this one is held.
	later, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer later.Close()
	if _, err := io.WriteString(later, "GET /healthz HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(later); err != nil {
		t.Fatal(err)
	}
}

// untilClosed returns once nothing listens: the first signal has arrived.
func untilClosed(t *testing.T, address string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		_ = conn.Close()
	}
	t.Fatal("it still listens")
}

// As with most programs, nothing is said, and the exit code is that of a program that SIGPIPE ended.
func TestAPipeThatClosesEndsItQuietly(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	cmd := exec.Command(os.Args[0], "schema")
	cmd.Env = append(os.Environ(), asMain+"=1")
	cmd.Stdout = writer
	var said bytes.Buffer
	cmd.Stderr = &said
	var ended *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &ended) || ended.ExitCode() != 128+int(syscall.SIGPIPE) || said.Len() > 0 {
		t.Errorf("%v, and it says %q", err, said.String())
	}
}
