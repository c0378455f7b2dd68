package proxy

import (
	"context"
	"net"
	"net/netip"
)

// Place is where a socket can listen: one address of one interface.
type Place struct {
	// Index and Name are the interface's; an interface that comes back under its name has another index.
	Index int
	Name  string
	Addr  netip.Addr
}

// Network is the machine's side of the listener.
type Network interface {
	// Places lists the addresses that the machine has now.
	Places() ([]Place, error)
	// Gateways lists the addresses by which the machine's routes lead on: where the engine's host is.
	Gateways() ([]netip.Addr, error)
	// Listen opens a TCP socket that hears one place only.
	Listen(ctx context.Context, at Place, port uint16) (net.Listener, error)
	// Changes sends when places may have changed, until ctx ends. It may miss some.
	Changes(ctx context.Context) (<-chan struct{}, error)
}
