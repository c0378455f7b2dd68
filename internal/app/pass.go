package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// Pass is one look at the files, with a Controller to which they are declared: what plan and apply work on.
type Pass struct {
	Controller
	// Snapshot is what the files say.
	Snapshot source.Snapshot
	engine   Engine
	tokens   reconcile.Resolver
}

// OpenPass reads the files, and fails when it can read none of them. Offline, there is no engine, and only the plan for an
// empty one can be asked for.
func OpenPass(ctx context.Context, opts Options, parts Parts, offline bool) (*Pass, error) {
	directory, err := parts.source(opts)
	if err != nil {
		return nil, err
	}
	policy, err := readPolicy(opts, opts.Specs)
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	tokens, err := parts.tokens(opts, registry)
	if err != nil {
		return nil, err
	}
	rules, err := newRules(opts)
	if err != nil {
		return nil, err
	}
	pass := &Pass{Snapshot: directory.Scan(ctx), tokens: tokens}
	if !pass.Snapshot.Complete && len(pass.Snapshot.Files) == 0 {
		return nil, fmt.Errorf("no spec file could be read, so that nothing can be said or done; try again when that is over: %w", pass.Snapshot.Err)
	}
	var driver reconcile.Driver
	var locker reconcile.Locker
	if !offline {
		if pass.engine, err = parts.engine(opts, registry); err != nil {
			return nil, err
		}
		driver, locker = pass.engine, newLocker(&scope{engine: pass.engine}, opts)
	}
	pass.Controller = parts.controller(driver, tokens, locker, opts, registry)
	pass.Declare(rules.declare(pass.Snapshot, policy, func(string) bool { return false }))
	return pass, nil
}

// Problems are everything wrong with the files.
func (p *Pass) Problems() []spec.Problem {
	var out []spec.Problem
	for _, file := range p.Snapshot.Files {
		for _, problem := range file.Errors {
			problem.File = file.Path
			out = append(out, problem)
		}
	}
	return out
}

// ScanErr says why the files could not be read completely; nil when they were.
func (p *Pass) ScanErr() error {
	if p.Snapshot.Complete {
		return nil
	}
	return errors.Join(errors.New("not every spec file could be read, so nothing is removed"), p.Snapshot.Err)
}

// Close lets go of the engine and of the sources of tokens.
func (p *Pass) Close() error {
	err := closeTokens(p.tokens)
	if p.engine == nil {
		return err
	}
	return errors.Join(err, p.engine.Close())
}
