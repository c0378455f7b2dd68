//go:build page

package page

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/internal/pagetest"
	"credproxy.dev/controller/internal/web"
)

// serveUntil serves what is known, as the controller itself does, until the context ends.
func serveUntil(ctx context.Context, t *testing.T, k *pagetest.Known) (address string, ended <-chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	handler, err := web.Handler(web.Options{
		Controller: k, Sources: k.Sources, Ready: k.Ready, Bell: &k.Bell, Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- web.Serve(ctx, listener, handler, slog.New(slog.DiscardHandler)) }()
	return listener.Addr().String(), done
}
