// Command controller keeps the credential-proxy sidecars of agent environments as declared.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"credproxy.dev/controller/internal/cli"
	"credproxy.dev/controller/internal/nodump"
)

func main() {
	if err := nodump.Forbid(); err != nil {
		fmt.Fprintln(os.Stderr, "controller: a crash could leave a token behind:", err)
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // a write says so, too, and the step in hand is to be finished
	ctx, cancel := context.WithCancel(context.Background())
	go obey(signals(), cancel)
	os.Exit(cli.Run(ctx, os.Args[1:], cli.System{
		Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv, UID: os.Getuid(),
	}))
}

func signals() <-chan os.Signal {
	received := make(chan os.Signal, 2)
	signal.Notify(received, syscall.SIGTERM, syscall.SIGINT)
	return received
}

// obey lets the step in hand finish on the first signal, and ends at once on the second, with the exit code that
// a shell gives to a process which a signal ended.
func obey(received <-chan os.Signal, finish context.CancelFunc) {
	<-received
	finish()
	second := <-received
	if number, ok := second.(syscall.Signal); ok {
		os.Exit(128 + int(number))
	}
	os.Exit(1)
}
