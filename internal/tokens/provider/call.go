package provider

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// leftoverPause is how long after its end a plugin's children may hold its output open.
const leftoverPause = time.Second

var (
	errTimeout = errors.New("the call took too long")
	errFlood   = errors.New("the answer is too long")
)

// call runs a provider's command for a key and returns its answer. The process has nothing of the controller's: no input,
// no directory, no variables but those declared; what it writes to stderr is shown to nobody, since it may hold a secret.
func call(ctx context.Context, p Provider, key string, lookup func(string) (string, bool)) (answer, *failure) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ctx, cancel := context.WithTimeoutCause(ctx, p.Timeout, errTimeout)
	defer cancel()
	out := &bounded{limit: maxAnswer, full: func() { stop(errFlood) }}
	cmd := exec.CommandContext(ctx, p.Command, p.Args...) //nolint:gosec // declared by the operator; the key is in its environment alone
	cmd.Env, cmd.Dir, cmd.Stdout = environment(p, key, lookup), "/", out
	cmd.WaitDelay = leftoverPause
	err := runAlone(cmd)
	if err == nil || errors.Is(err, exec.ErrWaitDelay) { // what it left behind may hold its output; the answer is there
		return decode(out.data, time.Now())
	}
	return answer{}, explain(err, context.Cause(ctx), p.Timeout)
}

// runAlone runs a command in a process group of its own, and ends whatever is left of that group with it. The thread stays,
// since the process would end with the thread that started it.
func runAlone(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	setApart(cmd)
	cmd.Cancel = func() error { return killGroup(cmd) }
	if err := cmd.Start(); err != nil {
		return err
	}
	forbidCoreDumps(cmd.Process.Pid)
	err := cmd.Wait()
	_ = killGroup(cmd) // mostly there is nobody left
	return err
}

// killGroup ends all of a command's process group. The group is gone when there was nobody but the command.
func killGroup(cmd *exec.Cmd) error {
	err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// explain says why a command gave no answer, in words that hold nothing of what it wrote.
func explain(err, cause error, timeout time.Duration) *failure {
	var exit *exec.ExitError
	switch {
	case errors.Is(err, errFlood), errors.Is(cause, errFlood):
		return invalidAnswer(fmt.Sprintf("its command wrote more than %d KiB", maxAnswer>>10))
	case errors.Is(cause, errTimeout):
		return failed(resultTimeout, fmt.Sprintf("its command did not end within %v, its timeout", timeout))
	case cause != nil:
		return failed(resultFailed, "the call was given up, since the controller ends")
	case errors.As(err, &exit) && exit.Exited():
		return failed(resultFailed, fmt.Sprintf("its command ended with exit status %d", exit.ExitCode()))
	case errors.As(err, &exit):
		return failed(resultFailed, "its command was ended by a signal")
	case errors.Is(err, fs.ErrNotExist):
		return failed(resultFailed, "its command, or the interpreter that it names, is not there")
	case errors.Is(err, fs.ErrPermission):
		return failed(resultFailed, "its command may not be executed by the user that runs the controller")
	case errors.Is(err, syscall.ENOEXEC):
		return failed(resultFailed, "its command is not a program: a script begins with #!")
	}
	return failed(resultFailed, "its command could not be run")
}

// bounded keeps what is written up to a limit. Whoever writes more is stopped. It is no io.ReaderFrom, as a bytes.Buffer is,
// which would go on until the end.
type bounded struct {
	data  []byte
	limit int
	full  func()
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if len(b.data)+len(p) > b.limit {
		b.full()
		return 0, errFlood
	}
	b.data = append(b.data, p...)
	return len(p), nil
}
