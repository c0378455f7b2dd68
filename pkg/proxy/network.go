package proxy

import (
	"context"
	"net"
	"net/netip"
)

// place is where a socket can listen: one address of one interface.
type place struct {
	// index and name are the interface's; an interface that comes back under its name has another index.
	index int
	name  string
	addr  netip.Addr
}

// network is the machine's side of the listener.
type network interface {
	// places lists the addresses that the machine has now.
	places() ([]place, error)
	// gateways lists the addresses by which the machine's routes lead on: where the engine's host is.
	gateways() ([]netip.Addr, error)
	// listen opens a TCP socket that hears one place only.
	listen(ctx context.Context, at place, port uint16) (net.Listener, error)
	// changes sends when places may have changed, until ctx ends. It may miss some.
	changes(ctx context.Context) (<-chan struct{}, error)
}
