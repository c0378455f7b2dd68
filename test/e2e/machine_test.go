//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// machine is one for a reader of the documents: it has an engine at the usual place, the project in its working directory, and
// nobody else's containers, networks, addresses and files. What is done there leaves nothing on the host. It takes root.
type machine struct {
	t *testing.T
	// shared is seen inside at the place of the same name beneath /mnt/stories.
	shared string
	init   *exec.Cmd
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	project, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, shared: t.TempDir()}
	m.init = exec.Command("bash", "machine.sh", project, m.shared, t.TempDir())
	m.init.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS,
	}
	m.init.Env = m.environment()
	m.init.Stderr = os.Stderr
	said, err := m.init.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.init.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.cleanUp)
	if line, err := bufio.NewReader(said).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the machine did not start: %q, %v\n%s", line, err, m.engineLog())
	}
	return m
}

func (m *machine) engineLog() string {
	log, err := os.ReadFile(filepath.Join(m.shared, "engine.log"))
	if err != nil {
		return err.Error()
	}
	return string(log)
}

// cleanUp lets the engine end in order, so that it leaves no cgroups, and then all that runs.
func (m *machine) cleanUp() {
	ended := make(chan struct{})
	go func() {
		_ = m.init.Wait() // it was told to end
		close(ended)
	}()
	_ = m.init.Process.Signal(syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	select {
	case <-ended:
	case <-ctx.Done():
		m.t.Errorf("the engine did not end within %s", patience)
		_ = m.init.Process.Kill() // it is process 1 there: all others end with it
		<-ended
	}
}

// environment is that of a person who has just logged in, and who shares the caches of the tests.
func (m *machine) environment() []string {
	env := []string{"HOME=/mnt/home", "LC_ALL=C.UTF-8", "PATH=" + os.Getenv("PATH") + ":/mnt/clone/bin"}
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE", "GOENV", "GOPATH").Output()
	if err != nil {
		m.t.Fatal(err)
	}
	values := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i, name := range []string{"GOCACHE", "GOMODCACHE", "GOENV", "GOPATH"} {
		env = append(env, name+"="+values[i])
	}
	for _, kv := range os.Environ() {
		if strings.HasPrefix(kv, "GO") {
			env = append(env, kv)
		}
	}
	return env
}

// runs runs a script of bash there, and returns all that it printed.
func (m *machine) runs(script string) (string, error) {
	ctx, cancel := context.WithTimeout(m.t.Context(), 3*patience)
	defer cancel()
	var said strings.Builder
	cmd := exec.CommandContext(ctx, "nsenter", fmt.Sprintf("--target=%d", m.init.Process.Pid), "--mount", "--net", "--pid", "--uts",
		"bash", "-c", "cd /mnt/clone; . /mnt/profile; "+script)
	cmd.Env, cmd.Stdout, cmd.Stderr = m.environment(), &said, &said
	// What a command left running may hold the output open.
	cmd.WaitDelay = patience
	err := cmd.Run()
	return said.String(), err
}
