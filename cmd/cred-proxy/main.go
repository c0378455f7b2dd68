// The cred-proxy command is the sidecar, and with `try` an agent's request to one.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	// Roots for an image from scratch; the system's own are preferred where there are any.
	_ "golang.org/x/crypto/x509roots/fallback"

	"credproxy.dev/controller/internal/nodump"
	"credproxy.dev/controller/pkg/proxy"
	"credproxy.dev/controller/pkg/routetable"
)

func main() {
	// First of all: a signal that arrives before this ends a process 1 that runs Go. SIGPIPE is among them so that a
	// broken stdout is an error and not the end.
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGINT, syscall.SIGPIPE)

	if err := nodump.Forbid(); err != nil {
		fmt.Fprintln(os.Stderr, "cred-proxy: a crash could leave a token behind:", err)
	}
	if len(os.Args) > 1 && os.Args[1] == routetable.TrialCommand {
		os.Exit(proxy.Try(context.Background(), os.Args[2:], os.Getenv, os.Stdout, os.Stderr))
	}
	dir := flag.String("dir", routetable.Dir, "the volume with routes.json and the token files")
	version := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *version {
		_, _ = fmt.Fprintln(os.Stdout, "cred-proxy", buildVersion())
		return
	}
	if limit := proxy.MemoryLimit("/sys/fs/cgroup"); limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
	err := proxy.Run(context.Background(), proxy.Options{
		Dir: *dir, Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals, Getenv: os.Getenv,
		MemoryLimit: debug.SetMemoryLimit(-1), // a negative one only asks
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "cred-proxy:", err)
		os.Exit(1)
	}
}

func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
