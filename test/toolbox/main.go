// Command toolbox is everything that a container of the demo, the tests and the benchmarks has to do, in one static
// binary for an image from scratch: play an agent, play an upstream, and look around as an intruder would.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: toolbox COMMAND [ARG…]

  sleep                     do nothing until SIGTERM
  env                       print the environment
  upstream [-name N] [-listen :8080] [-records 127.0.0.1:8081] [-tls [-certificate FILE] [-http1]]
                            answer requests with who answers and what was asked for, never with what was sent along;
                            the records, headers and all, are served at /, on an address that only it can reach
  get [-X M] [-H 'K: V']… [-E 'K: VARIABLE']… [-d BODY] [-t 15s] [-i] [-f] [-unix SOCKET] URL…
                            make one request after the other and print the answers
  sysctl KEY VALUE          set a parameter of the kernel, such as net.ipv6.conf.all.disable_ipv6
  records                   print an upstream's records; to be run in its container
  tally                     print how many requests came to it with which credential, for each URI; likewise
  sse URL                   read the two events of an upstream's /sse/ID, the second asked for after the first
  ws URL MESSAGE            send a message over a WebSocket and print the echo
  freeport                  print a free TCP port of 127.0.0.1
  probe ADDR…               dial each address, HOST:PORT or unix:PATH, send a request, and print as JSON what came back
  knock -mac MAC IP:PORT    ask for a connection in a frame made by hand, and print syn-ack, rst or silence
  spoof IP MAC CLAIMED      tell the victim at IP and MAC that the address CLAIMED is here, and print as JSON whether it
                            sent something for that address
  load [-n N] [-c C] [-upload BYTES] URL
                            make N requests over C connections that are kept, and print as JSON how it went
  events [-n N] [-c C] [-hold] URL
                            read N streams of an upstream's /events/COUNT/PAUSE, C at a time, and print as JSON how it went
  visit [-c C] [-keep] [-pause D]
                            request URLs over and over, each time over a new connection to the first address of the
                            name that accepts; follow the lines of stdin, and answer each with one: "ask NAME URL"
                            begins, "leave NAME" ends when no request is underway, "turn" waits until none is that began
                            before, "tell" prints the counts as JSON
  reverseproxy [-listen :9099] [-roots FILE] URL
                            be the barest proxy there is, which adds one header
  grep PATH…                look for the text on stdin in files and environments; exit 1 when it is nowhere
`

// errFailed ends the program with status 1 after the command has said all there is to say.
var errFailed = errors.New("failed")

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx, os.Args[1], os.Args[2:], os.Stdin, os.Stdout)
	stop()
	if err == nil {
		return
	}
	if !errors.Is(err, errFailed) {
		fmt.Fprintln(os.Stderr, "toolbox:", err)
	}
	os.Exit(1)
}

func run(ctx context.Context, command string, args []string, stdin io.Reader, stdout io.Writer) error { //nolint:gocyclo // a table
	switch command {
	case "sleep", "agent":
		<-ctx.Done()
		return nil
	case "env":
		for _, kv := range os.Environ() {
			fmt.Fprintln(stdout, kv)
		}
		return nil
	case "upstream":
		return upstream(ctx, args, stdout)
	case "get":
		return get(ctx, args, stdout)
	case "sysctl":
		return sysctl(args)
	case "records":
		return get(ctx, append(args, "http://"+recordsAddress), stdout)
	case "tally":
		return get(ctx, append(args, "http://"+recordsAddress+"/tally"), stdout)
	case "freeport":
		return freePort(ctx, stdout)
	case "sse":
		return readEvents(ctx, args, stdout)
	case "ws":
		return echoOnce(ctx, args, stdout)
	case "probe":
		return probe(ctx, args, stdout)
	case "knock":
		return knock(ctx, args, stdout)
	case "spoof":
		return spoof(ctx, args, stdout)
	case "load":
		return load(ctx, args, stdout)
	case "events":
		return followEvents(ctx, args, stdin, stdout)
	case "visit":
		return visit(ctx, args, stdin, stdout)
	case "reverseproxy":
		return reverseProxy(ctx, args)
	case "grep":
		return search(args, stdin, stdout)
	default:
		return fmt.Errorf("unknown command %q\n\n%s", command, usage)
	}
}
