package dockerdriver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"credproxy.dev/controller/pkg/reconcile"
)

// explain turns the client's error into one of reconcile's kinds, with what was tried. ctx is the caller's; limit is
// how long the call was allowed to take. The client's error stays in the chain.
func explain(ctx context.Context, what string, limit time.Duration, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("%s: %w", what, context.Cause(ctx))
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w: no answer within %v: %w", what, reconcile.ErrEngineUnavailable, limit, err)
	case unreachable(err):
		return fmt.Errorf("%s: %w: %w", what, reconcile.ErrEngineUnavailable, err)
	case cerrdefs.IsNotFound(err):
		return fmt.Errorf("%s: %w", what, kindError{reconcile.ErrNotFound, err})
	}
	return fmt.Errorf("%s: %w", what, err)
}

// kindError is an error of one of reconcile's kinds whose own words say so already: an engine says itself what it did not find.
type kindError struct{ kind, err error }

// Error implements error.
func (e kindError) Error() string { return e.err.Error() }

// Unwrap returns the kind and the error.
func (e kindError) Unwrap() []error { return []error{e.kind, e.err} }

// unreachable reports whether the engine could not be asked, or broke off.
func unreachable(err error) bool {
	var network net.Error
	return client.IsErrConnectionFailed(err) || errors.As(err, &network) || cerrdefs.IsUnavailable(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// nameTaken reports whether an engine refused a container's name because another holds it. Docker answers 409;
// Podman 4 answers 500, so that only its words tell.
func nameTaken(err error) bool {
	return cerrdefs.IsConflict(err) || cerrdefs.IsInternal(err) && strings.Contains(err.Error(), "already in use")
}

// networkMissing reports whether a container was refused for a network that is not there. Docker answers 404, which is
// told apart elsewhere; Podman 500.
func networkMissing(err error) bool {
	return cerrdefs.IsInternal(err) && strings.Contains(err.Error(), "network not found")
}

// notRunning reports whether an engine refused a signal because the container does not run. Docker answers 409;
// Podman 500.
func notRunning(err error) bool {
	return cerrdefs.IsConflict(err) || cerrdefs.IsInternal(err) && strings.Contains(err.Error(), "running")
}

// overlaps reports whether an engine refused a subnet since something uses its addresses: another network, or a bridge or route
// of its host. Each says so with another status.
func overlaps(err error) bool {
	return strings.Contains(err.Error(), "overlap") || strings.Contains(err.Error(), "already used on the host")
}

// poolsExhausted reports whether an engine has no addresses of its own left for another network: Docker 20.10, newer ones, and
// Podman, in their words.
func poolsExhausted(err error) bool {
	return slices.ContainsFunc([]string{"non-overlapping IPv4 address pool", "have been fully subnetted", "could not find free subnet"},
		func(words string) bool { return strings.Contains(err.Error(), words) })
}
