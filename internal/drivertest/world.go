package drivertest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

const (
	// patience bounds what a story waits for; nothing is expected to take that long.
	patience = time.Minute

	specName = "web"
	specHash = "v1:0123"
	hostname = "cred-proxy"
	slot     = routetable.SlotPrefix + "1"
)

// world is what a story is told in.
type world struct {
	*testing.T
	Env
}

// ctx ends with the test, or when patience does.
func (w *world) ctx() context.Context {
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	w.Cleanup(cancel)
	return ctx
}

// name makes a name of the engine's for something.
func (w *world) name(what string) string { return w.Prefix + "-" + what }

// noError ends the story when something fails that has to work.
func (w *world) noError(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// wants fails the story when an error is not of a kind.
func (w *world) wants(err, kind error) {
	w.Helper()
	if !errors.Is(err, kind) {
		w.Errorf("error is %v; it has to be of the kind %q", err, kind)
	}
}

func (w *world) observe() *reconcile.Observation {
	w.Helper()
	o, err := w.Driver.Observe(w.ctx())
	w.noError(err)
	return o
}

// sidecar returns the one sidecar that there is.
func (w *world) sidecar() reconcile.Sidecar {
	w.Helper()
	found := w.observe().Sidecars
	if len(found) != 1 {
		w.Fatalf("there are %d sidecars instead of one: %+v", len(found), found)
	}
	return found[0]
}

// seen returns the network of an ID as Observe shows it; false when it does not.
func (w *world) seen(networkID string) (reconcile.Network, bool) {
	w.Helper()
	networks := w.observe().Networks
	i := slices.IndexFunc(networks, func(n reconcile.Network) bool { return n.ID == networkID })
	if i < 0 {
		return reconcile.Network{}, false
	}
	return networks[i], true
}

// internal and egress are the networks of the story's environment.
func (w *world) internal() string {
	w.Helper()
	return w.ensure("internal", true)
}

func (w *world) egress() string {
	w.Helper()
	return w.ensure("egress", false)
}

func (w *world) ensure(what string, internal bool) string {
	w.Helper()
	id, err := w.Driver.EnsureNetwork(w.ctx(), reconcile.NetworkRequest{Name: w.name(what), SpecName: specName, Internal: internal})
	w.noError(err)
	return id
}

// request asks for a sidecar on the internal network.
func (w *world) request() reconcile.CreateRequest {
	w.Helper()
	image, err := w.Driver.EnsureImage(w.ctx(), "")
	w.noError(err)
	return reconcile.CreateRequest{
		ContainerName: w.name("sidecar"), SpecName: specName, SpecHash: specHash, ImageID: image,
		Network: w.internal(), Alias: hostname,
		Resources: spec.Resources{Memory: "64Mi", CPUs: "500m", Pids: 64},
	}
}

// create makes a sidecar and does not start it.
func (w *world) create() string {
	w.Helper()
	id, err := w.Driver.Create(w.ctx(), w.request())
	w.noError(err)
	return id
}

// sealed is one generation with one route, and one token unless it is empty.
func (w *world) sealed(generation int64, token string) []routetable.File {
	w.Helper()
	return w.sealedFor(generation, token, fmt.Sprintf("https://a.invalid/%d", generation))
}

func (w *world) sealedFor(generation int64, token, upstream string) []routetable.File {
	w.Helper()
	network, ok := w.seen(w.internal())
	if !ok {
		w.Fatal("the internal network is not seen")
	}
	route := routetable.Route{Path: "/a", Upstream: upstream, AllowPrivate: true} // that of the stories is a container
	tokens := map[string]string{}
	if token != "" {
		route.Auth = &routetable.Auth{Scheme: "Bearer", TokenFile: slot}
		tokens[slot] = token
	}
	table := routetable.Table{
		Listen: ":9099", InternalSubnets: network.Subnets, InternalGateways: network.Gateways, Routes: []routetable.Route{route},
	}
	_, files, err := routetable.Seal(table, generation, tokens, rand.Reader)
	w.noError(err)
	return files
}

// serve makes a sidecar that serves generation 1.
func (w *world) serve() string {
	w.Helper()
	id := w.create()
	w.noError(w.Driver.CopyRoutes(w.ctx(), id, w.sealed(1, "one")))
	w.noError(w.Driver.Start(w.ctx(), id))
	_, err := w.Driver.WaitReady(w.ctx(), id, 1)
	w.noError(err)
	return id
}

// eventually observes until something holds.
func (w *world) eventually(what string, holds func(*reconcile.Observation) bool) {
	w.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !holds(w.observe()); <-tick.C {
		if time.Now().After(deadline) {
			w.Fatalf("still not so: %s", what)
		}
	}
}

// place is a sidecar's endpoint on a network; false when it has none.
func place(endpoints []reconcile.Endpoint, networkID string) (reconcile.Endpoint, bool) {
	i := slices.IndexFunc(endpoints, func(e reconcile.Endpoint) bool { return e.NetworkID == networkID })
	if i < 0 {
		return reconcile.Endpoint{}, false
	}
	return endpoints[i], true
}
