//go:build !linux

package proxy

import (
	"context"
	"errors"
	"net"
	"net/netip"
)

// hostNetwork lets the package build where the sidecar cannot run.
type hostNetwork struct{}

var errNotLinux = errors.New("the sidecar runs on Linux only: nothing else can bind a listener to one interface")

func (hostNetwork) Places() ([]Place, error) { return nil, errNotLinux }

func (hostNetwork) Gateways() ([]netip.Addr, error) { return nil, errNotLinux }

func (hostNetwork) Listen(context.Context, Place, uint16) (net.Listener, error) {
	return nil, errNotLinux
}

func (hostNetwork) Changes(context.Context) (<-chan struct{}, error) { return nil, errNotLinux }
