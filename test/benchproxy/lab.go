package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long anything may take before the benchmark gives up.
const patience = time.Minute

// Where everybody is. The proxies are in the middle, in the namespace of the benchmark itself; the client and the upstream each have
// one of their own, as containers do, and a link past the proxies.
const (
	clientInside   = "10.203.1.2"
	proxiesInside  = "10.203.1.3"
	insideSubnet   = "10.203.1.0/24"
	insideGateway  = "10.203.1.1" // nobody's
	upstreamBeyond = "10.203.2.2"
	proxiesBeyond  = "10.203.2.3"
	clientAside    = "10.203.3.2"
	upstreamAside  = "10.203.3.3"
)

// source is a way to reach the upstream.
type source struct {
	scheme string
	port   int
}

func (s source) secure() bool { return s.scheme == "https" }

func plainSource() source { return source{"http", 8080} }

// tlsSource speaks HTTP/1.1 over TLS, which all can; http2Source lets the proxy choose.
func tlsSource() source   { return source{"https", 8443} }
func http2Source() source { return source{"https", 8444} }

func (s source) url() string { return fmt.Sprintf("%s://%s:%d", s.scheme, upstreamBeyond, s.port) }

// demand is what a proxy is set up for: where it leads, and whether what comes back are streams of events.
type demand struct {
	source
	streams bool
	// memory is that of a sidecar's container, in MiB; 0 is the default. It decides how many connections are served.
	memory int
}

// softLimit is what a sidecar in a container with so much memory takes for its soft limit: four fifths.
func (d demand) softLimit() string {
	return fmt.Sprintf("GOMEMLIMIT=%dKiB", cmp.Or(d.memory, 64)*kiB*4/5)
}

// lab is what is measured in.
type lab struct {
	options options
	// dir has everybody's files, in memory.
	dir string
	// client and upstream are processes that hold their namespaces.
	client, upstream int
	running          []*exec.Cmd
}

func newLab(ctx context.Context, o options) (*lab, error) {
	dir, err := os.MkdirTemp("", "benchproxy")
	if err != nil {
		return nil, err
	}
	l := &lab{options: o, dir: dir}
	if err := l.lay(ctx); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *lab) lay(ctx context.Context) error {
	// This is a mount namespace of our own, or it fails for lack of right.
	if err := shell(ctx, "mount", "-t", "tmpfs", "tmpfs", l.dir); err != nil {
		return err
	}
	var err error
	if l.client, err = l.hold(ctx); err != nil {
		return err
	}
	if l.upstream, err = l.hold(ctx); err != nil {
		return err
	}
	self := os.Getpid()
	for _, link := range []struct {
		left, right       int
		leftIP, rightIP   string
		leftName, newName string
	}{
		{self, l.client, proxiesInside, clientInside, "inside", "inside"},
		{self, l.upstream, proxiesBeyond, upstreamBeyond, "beyond", "beyond"},
		{l.client, l.upstream, clientAside, upstreamAside, "aside", "aside"},
	} {
		if err := connect(ctx, link.left, link.leftName, link.leftIP, link.right, link.newName, link.rightIP); err != nil {
			return err
		}
	}
	return l.startSources(ctx)
}

// hold begins a process in a network namespace of its own.
func (l *lab) hold(ctx context.Context) (pid int, err error) {
	cmd := exec.CommandContext(ctx, toolbox, "sleep")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := l.start(cmd); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, within(ctx, cmd.Process.Pid, "ip", "link", "set", "lo", "up")
}

// connect makes a link between two namespaces.
func connect(ctx context.Context, left int, leftName, leftIP string, right int, rightName, rightIP string) error {
	err := within(ctx, left, "ip", "link", "add", leftName, "type", "veth", "peer", "name", rightName, "netns", strconv.Itoa(right))
	if err != nil {
		return err
	}
	for _, end := range []struct {
		pid      int
		name, ip string
	}{{left, leftName, leftIP}, {right, rightName, rightIP}} {
		if err := within(ctx, end.pid, "ip", "addr", "add", end.ip+"/24", "dev", end.name); err != nil {
			return err
		}
		if err := within(ctx, end.pid, "ip", "link", "set", end.name, "up"); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) startSources(ctx context.Context) error {
	for i, args := range [][]string{
		{"-listen", fmt.Sprintf(":%d", plainSource().port)},
		{"-listen", fmt.Sprintf(":%d", tlsSource().port), "-tls", "-http1", "-certificate", l.rootsOf(tlsSource())},
		{"-listen", fmt.Sprintf(":%d", http2Source().port), "-tls", "-certificate", l.rootsOf(http2Source())},
	} {
		args = append([]string{toolbox, "upstream", "-records", fmt.Sprintf("127.0.0.1:%d", 9000+i)}, args...)
		cmd := command(ctx, l.upstream, args...)
		if err := l.start(cmd); err != nil {
			return err
		}
	}
	return l.until(ctx, "the upstreams listen", func() bool {
		for _, s := range []source{tlsSource(), http2Source()} {
			if _, err := os.Stat(l.rootsOf(s)); err != nil {
				return false
			}
		}
		return l.answers(ctx, fmt.Sprintf("http://%s:%d/bytes/1", upstreamAside, plainSource().port))
	})
}

// rootsOf is the file with the certificate of a source.
func (l *lab) rootsOf(s source) string { return filepath.Join(l.dir, fmt.Sprintf("%d.pem", s.port)) }

// answers reports whether a client gets an answer.
func (l *lab) answers(ctx context.Context, url string) bool {
	var went loaded
	return l.ask(ctx, &went, "load", "-n", "1", "-c", "1", url) == nil && went.Failed == 0
}

// start begins a process that ends with the lab.
func (l *lab) start(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	l.running = append(l.running, cmd)
	return nil
}

// until asks every few milliseconds.
func (l *lab) until(ctx context.Context, what string, so func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

func (l *lab) close() error {
	for _, cmd := range l.running {
		end(cmd)
	}
	_ = syscall.Unmount(l.dir, syscall.MNT_DETACH)
	return os.RemoveAll(l.dir)
}

// end asks a process to end, and ends it.
func end(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(3*time.Second, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait()
	timer.Stop()
}

// command is a command in the network namespace of a process.
func command(ctx context.Context, pid int, args ...string) *exec.Cmd {
	args = append([]string{"--target", strconv.Itoa(pid), "--net", "--"}, args...)
	cmd := exec.CommandContext(ctx, "nsenter", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func within(ctx context.Context, pid int, args ...string) error {
	return told(command(ctx, pid, args...))
}

func shell(ctx context.Context, name string, args ...string) error {
	return told(exec.CommandContext(ctx, name, args...))
}

func told(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
