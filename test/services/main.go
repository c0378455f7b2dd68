// Command services plays the upstreams of an agent's clients, in a container: Anthropic's and OpenAI's API, registries of npm
// and pip, and a forge with git and an API. Each has a port of its own, answers those alone who bring the token, and notes
// every request with its header.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: services run NAME TOKEN | records

  run      serve as the host NAME: 8001 anthropic, 8002 openai, 8003 npm, 8004 pip, 8005 forge
  records  print what came, to be run in its container`

// recordsAddress is where the records are: only the container itself gets there.
const recordsAddress = "127.0.0.1:8081"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	var err error
	switch {
	case len(os.Args) == 4 && os.Args[1] == "run":
		err = run(ctx, os.Args[2], os.Args[3])
	case len(os.Args) == 2 && os.Args[1] == "records":
		err = printRecords(ctx)
	default:
		err = errors.New(usage)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, name, token string) error {
	forge, err := newForge(ctx)
	if err != nil {
		return err
	}
	packages, err := newPackages("http://" + name + ":8003")
	if err != nil {
		return err
	}
	index, err := newIndex()
	if err != nil {
		return err
	}
	records := &records{}
	ended := make(chan error, 1)
	serve := func(address string, handler http.Handler) error {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return err
		}
		server := &http.Server{Handler: handler}
		context.AfterFunc(ctx, func() { _ = server.Close() })
		go func() { ended <- server.Serve(listener) }()
		return nil
	}
	for port, service := range map[string]http.Handler{":8001": anthropic(), ":8002": openai(), ":8003": packages, ":8004": index, ":8005": forge} {
		if err := serve(port, records.note(port, authorized(token, service))); err != nil {
			return err
		}
	}
	if err := serve(recordsAddress, records); err != nil {
		return err
	}
	fmt.Println("serving")
	if err := <-ended; ctx.Err() == nil {
		return err
	}
	return nil
}
