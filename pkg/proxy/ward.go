package proxy

import (
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"
)

// errNowhere is why nothing is dialled.
var errNowhere = errors.New("no table says yet which network is the internal one")

// ward knows what is next to the sidecar.
type ward struct {
	network Network
	where   atomic.Pointer[perimeter]
}

// watch tells where the internal network is.
func (w *ward) watch(p perimeter) { w.where.Store(&p) }

// around looks at what is there now. The host is the gateway of every way out, whatever the table says of it.
func (w *ward) around() (surroundings, error) {
	where := w.where.Load()
	if where == nil {
		return surroundings{}, errNowhere
	}
	gateways, err := w.network.Gateways()
	if err != nil {
		return surroundings{}, err
	}
	places, err := w.network.Places()
	if err != nil {
		return surroundings{}, err
	}
	s := surroundings{internal: *where, hosts: slices.Concat(where.hosts, gateways)}
	for _, p := range places {
		s.own = append(s.own, plain(p.Addr))
	}
	return s, nil
}

// plain is an address in the form in which addresses are compared.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
