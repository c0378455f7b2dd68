package proxy

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"syscall"
)

// errInside is why a connection is not made.
var errInside = errors.New("the address is one of the internal network")

// ward keeps requests from leaving by the internal network. The engine's resolver knows the names of containers on both
// networks: one beside the agent that bears an upstream's name, or the agent itself, would get that upstream's token,
// as soon as nobody outside bears it.
type ward struct{ where atomic.Pointer[perimeter] }

// watch tells where the internal network is.
func (w *ward) watch(p perimeter) { w.where.Store(&p) }

// check is a net.Dialer's ControlContext: it is asked with each address before a connection is made.
func (w *ward) check(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if p := w.where.Load(); p == nil || p.inside(to.Addr()) {
		return errInside
	}
	return nil
}
