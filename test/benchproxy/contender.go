package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// contender is one proxy that is measured, or the way without any.
type contender struct {
	name string
	// port and prefix are where it is asked.
	port   int
	prefix string
	// prepare writes what it needs into a directory, and returns the command that runs it; nil for the way without a proxy.
	prepare func(l *lab, dir string, to demand) ([]string, error)
	// environment is added to that of the benchmark.
	environment []string
	// limited is whether it has the memory of a sidecar's container.
	limited bool
	process *exec.Cmd
}

// The names by which they are compared.
const (
	nameDirect     = "(no proxy)"
	nameOurs       = "ours"
	nameUnscrubbed = "ours, unscrubbed"
	nameBefore     = "ours, before"
	nameBare       = "bare ReverseProxy"
	nameCaddy      = "Caddy"
	nameNginx      = "nginx"
	nameHAProxy    = "HAProxy"
)

// contenders are all that are to be measured. The one without scrubbing is for bodies only.
func contenders(l *lab, withUnscrubbed bool) []*contender {
	goProcs := fmt.Sprintf("GOMAXPROCS=%d", l.options.workers)
	all := []*contender{
		{name: nameDirect},
		l.sidecar(nameOurs, builtSidecar, 9099, false),
		{name: nameBare, port: 9101, prepare: bareProxy, environment: []string{goProcs}},
		{name: nameCaddy, port: 9102, prepare: caddy, environment: []string{goProcs, "HOME=" + l.dir}},
		{name: nameNginx, port: 9103, prepare: nginx},
		{name: nameHAProxy, port: 9104, prepare: haproxy, environment: []string{"LD_LIBRARY_PATH=" + l.libraries()}},
	}
	all = slices.DeleteFunc(all, func(c *contender) bool {
		return len(l.options.among) > 0 && c.name != nameDirect && c.name != nameOurs && !slices.Contains(l.options.among, c.name)
	})
	if withUnscrubbed {
		all = append(all, l.sidecar(nameUnscrubbed, builtSidecar, 9098, true))
	}
	if l.options.before != "" {
		all = append(all, l.sidecar(nameBefore, l.options.before, 9097, false))
	}
	return all
}

// url is what a client asks for.
func (c *contender) url(path string) string {
	if c.prepare == nil {
		return fmt.Sprintf("http://%s:%d%s", upstreamAside, plainSource().port, path)
	}
	return fmt.Sprintf("http://%s:%d%s%s", proxiesInside, c.port, c.prefix, path)
}

// start runs it, and returns once it answers.
func (c *contender) start(ctx context.Context, l *lab, to demand) error {
	if c.prepare == nil {
		return nil
	}
	dir, err := os.MkdirTemp(l.dir, "proxy")
	if err != nil {
		return err
	}
	args, err := c.prepare(l, dir, to)
	if err != nil {
		return err
	}
	log, err := os.Create(logOf(dir))
	if err != nil {
		return err
	}
	defer log.Close()
	c.process = exec.CommandContext(ctx, args[0], args[1:]...)
	c.process.Env = append(os.Environ(), c.environment...)
	if c.limited {
		c.process.Env = append(c.process.Env, to.softLimit())
	}
	c.process.Stdout, c.process.Stderr = log, log
	c.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.process.Start(); err != nil {
		return err
	}
	err = l.until(ctx, c.name+" answers", func() bool { return l.answers(ctx, c.url("/bytes/1")) })
	if err != nil {
		said, _ := os.ReadFile(logOf(dir))
		err = errors.Join(err, fmt.Errorf("it said: %s", said))
	}
	return err
}

func (c *contender) stop() {
	if c.process != nil && c.process.Process != nil {
		end(c.process)
		c.process = nil
	}
}

// cpu is what it has used so far, in microseconds, and resident its memory in KB; 0 of none.
func (c *contender) cpu() (float64, error) {
	if c.process == nil {
		return 0, nil
	}
	return cpuMicros(c.process.Process.Pid)
}

func (c *contender) resident() (float64, error) {
	if c.process == nil {
		return 0, nil
	}
	return residentKB(c.process.Process.Pid)
}

// logOf is the file to which a proxy writes a line for each request.
func logOf(dir string) string { return filepath.Join(dir, "log") }

// tool is the path of a program that was unpacked, or else is installed.
func (l *lab) tool(name string) (string, error) {
	for _, dir := range []string{"usr/sbin", "usr/bin"} {
		path := filepath.Join(l.options.proxies, dir, name)
		if _, err := os.Stat(path); err == nil && l.options.proxies != "" {
			return path, nil
		}
	}
	return exec.LookPath(name)
}

// libraries are those that were unpacked along.
func (l *lab) libraries() string {
	found, _ := filepath.Glob(filepath.Join(l.options.proxies, "usr/lib/*-linux-gnu*")) // the pattern is good
	return strings.Join(found, ":")
}
