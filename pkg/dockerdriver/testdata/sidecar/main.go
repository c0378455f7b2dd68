// The sidecar of the tests on a real engine: it speaks as the real one does and serves nothing. What it does beyond
// that is asked for by the upstream of its first route.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"credproxy.dev/controller/pkg/routetable"
)

// run tells the binaries of two test runs apart.
var run string

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGTERM)
	fmt.Fprintln(os.Stderr, "run", run)
	var served routetable.Table
	load(&served, routetable.EventReady)
	for s := range signals {
		switch s {
		case syscall.SIGHUP:
			load(&served, routetable.EventReloaded)
		case syscall.SIGUSR1:
			say(served, routetable.EventState)
		default:
			fmt.Fprintln(os.Stderr, "drained")
			os.Exit(0)
		}
	}
}

// load takes what is in the volume, and says how that went.
func load(served *routetable.Table, event routetable.ReportEvent) {
	var found routetable.Table
	data, err := os.ReadFile(filepath.Join(routetable.Dir, routetable.FileName))
	if err == nil {
		err = json.Unmarshal(data, &found)
	}
	if err == nil && found.Version != routetable.Version {
		err = fmt.Errorf("version \x1b[31m%d\x1b[0m is not known", found.Version)
	}
	if err != nil {
		report := routetable.Report{Event: routetable.EventRefused, Generation: served.Generation, Refused: found.Generation,
			Serving: served.Generation != 0, Error: err.Error()}
		os.Stdout.Write(report.Line())
		return
	}
	*served = found
	if len(found.Routes) > 0 && found.Routes[0].Upstream == "crash" {
		fmt.Fprintln(os.Stderr, "no \x1b[31mluck\x1b[0m\u202e at all")
		os.Exit(3)
	}
	say(*served, event)
}

func say(served routetable.Table, event routetable.ReportEvent) {
	fmt.Fprintf(os.Stderr, "%s generation %d as %d\n", event, served.Generation, os.Getuid())
	os.Stdout.Write(routetable.Report{Event: event, Generation: served.Generation, Digest: served.Digest,
		RoutesDigest: served.RoutesDigest, Serving: served.Generation != 0}.Line())
}
