package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/internal/doctor"
	"credproxy.dev/controller/internal/tokens/provider"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/subnet"
)

// inotifyLimits is where Linux tells them.
const inotifyLimits = "/proc/sys/fs/inotify"

// Examine looks at all that a controller with these options would need, for a user, and changes nothing. What cannot
// be looked at is among the checks.
func Examine(ctx context.Context, opts Options, parts Parts, uid int) []doctor.Check {
	facts := doctor.Facts{Engine: parts.examine(ctx, opts), Instance: opts.Instance, UID: uid}
	facts.Pools, facts.HostSubnets = poolsOf(opts.NetworkPools, subnet.Host())
	facts.Socket = doctor.LookAtSocket(facts.Engine.Host)
	facts.Specs = parts.lookAtSpecs(ctx, opts)
	facts.TokenDir = doctor.LookAtTokenDir(opts.TokenDir, opts.Specs)
	facts.Providers = lookAtProviders(opts)
	facts.Policy = doctor.Policy{Path: opts.Policy}
	if opts.Policy != "" {
		_, facts.Policy.Err = readPolicy(opts, opts.Specs)
	}
	facts.StateDir = doctor.LookAtStateDir(opts.StateDir)
	facts.Listen = doctor.LookAtListen(ctx, opts.Listen, opts.AllowRemoteAPI)
	facts.Inotify = doctor.LookAtInotify(inotifyLimits)
	return doctor.Judge(facts)
}

// poolsOf are the pools of IPv4, with what of them is taken. Of IPv6 there is always enough, and where only that is given, IPv4
// addresses are the engine's.
func poolsOf(given []subnet.Pool, taken []subnet.Taken) (pools []reconcile.AddressPool, used []string) {
	for _, p := range given {
		if p.Is6() {
			continue
		}
		pools = append(pools, reconcile.AddressPool{Base: p.String(), Size: p.Bits()})
		for _, t := range p.Concerning(taken) {
			used = append(used, t.Prefix.String())
		}
	}
	return pools, used
}

func (p Parts) examine(ctx context.Context, opts Options) reconcile.EngineFacts {
	engine, err := p.engine(opts, prometheus.NewRegistry())
	if err != nil {
		return reconcile.EngineFacts{Host: opts.DockerHost, Err: err}
	}
	defer func() { _ = engine.Close() }() // of a connection that is not used any more
	return engine.Examine(ctx)
}

// lookAtProviders reads the file of providers, and calls none of them.
func lookAtProviders(opts Options) doctor.Providers {
	found := doctor.Providers{Path: opts.TokenProviders}
	if found.Path == "" {
		return found
	}
	declared, err := provider.Load(opts.TokenProviders, opts.Specs)
	found.Count, found.Err = len(declared), err
	for _, p := range declared {
		if _, err := exec.LookPath(p.Command); err != nil {
			found.Err = errors.Join(found.Err, fmt.Errorf("provider %s cannot be run as this user: %w", p.Name, err))
		}
	}
	return found
}

func (p Parts) lookAtSpecs(ctx context.Context, opts Options) doctor.Specs {
	found := doctor.Specs{Dir: opts.Specs}
	if opts.Specs == "" {
		return found
	}
	directory, err := p.source(opts)
	if err != nil {
		found.Err = err
		return found
	}
	snap := directory.Scan(ctx)
	found.Valid, found.Err = len(snap.Specs), snap.Err
	for _, file := range snap.Files {
		if len(file.Errors) > 0 {
			found.Bad++
			problem := file.Errors[0]
			problem.File = file.Path
			found.Problem = cmp.Or(found.Problem, problem.String())
		}
	}
	return found
}
