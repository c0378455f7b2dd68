package app

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/reconcile"
)

func newEngine(o Options, reg prometheus.Registerer) (Engine, error) {
	return nil, errors.New("not yet")
}

func newTokens(o Options) (reconcile.Resolver, error) { return nil, errors.New("not yet") }
