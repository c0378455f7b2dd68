package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// hostNetwork is the network namespace that the process is in.
type hostNetwork struct{}

func (hostNetwork) Places() ([]Place, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("listing the network interfaces: %w", err)
	}
	var places []Place
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			// It went away between the two looks.
			continue
		}
		for _, a := range addrs {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				places = append(places, Place{Index: i.Index, Name: i.Name, Addr: prefix.Addr()})
			}
		}
	}
	return places, nil
}

// Gateways asks the kernel for its routes (rtnetlink(7)).
func (hostNetwork) Gateways() ([]netip.Addr, error) {
	dump, err := syscall.NetlinkRIB(unix.RTM_GETROUTE, unix.AF_UNSPEC)
	if err != nil {
		return nil, fmt.Errorf("listing the routes: %w", err)
	}
	messages, err := syscall.ParseNetlinkMessage(dump)
	if err != nil {
		return nil, fmt.Errorf("reading the routes: %w", err)
	}
	var found []netip.Addr
	for _, m := range messages {
		if m.Header.Type != unix.RTM_NEWROUTE {
			continue
		}
		attributes, err := syscall.ParseNetlinkRouteAttr(&m)
		if err != nil {
			return nil, fmt.Errorf("reading a route: %w", err)
		}
		for _, a := range attributes {
			if addr, ok := netip.AddrFromSlice(a.Value); ok && a.Attr.Type == unix.RTA_GATEWAY {
				found = append(found, addr)
			}
		}
	}
	return found, nil
}

// Listen binds to the interface before the address: Linux answers for an address on any interface otherwise.
// SO_BINDTODEVICE needs no capability on a socket that is not bound to a device yet, since Linux 5.7.
func (hostNetwork) Listen(ctx context.Context, at Place, port uint16) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, conn syscall.RawConn) error {
		var bindErr error
		err := conn.Control(func(fd uintptr) { bindErr = unix.BindToDevice(int(fd), at.Name) })
		if errors.Is(bindErr, unix.EPERM) {
			return fmt.Errorf("binding to the interface %s needs Linux 5.7 or newer: %w", at.Name, bindErr)
		}
		return errors.Join(err, bindErr)
	}}
	// Plain TCP: a multipath socket cannot be made deaf or counted, and there is but one path.
	config.SetMultipathTCP(false)
	l, err := config.Listen(ctx, "tcp", netip.AddrPortFrom(at.Addr, port).String())
	if err != nil {
		return nil, fmt.Errorf("listening on %s of %s: %w", at.Addr, at.Name, err)
	}
	return l, nil
}

// Changes subscribes to the kernel's notices about links and addresses (rtnetlink(7)).
func (hostNetwork) Changes(ctx context.Context) (<-chan struct{}, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("subscribing to network changes: %w", err)
	}
	socket := os.NewFile(uintptr(fd), "netlink")
	changed := make(chan struct{}, 1)
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	go func() {
		defer stop()
		defer func() { _ = socket.Close() }()
		forwardNotices(socket, changed)
	}()
	return changed, nil
}

// forwardNotices sends once for each read. What a notice says does not matter: the places are listed anew.
func forwardNotices(socket *os.File, changed chan<- struct{}) {
	notice := make([]byte, os.Getpagesize())
	for {
		_, err := socket.Read(notice)
		// ENOBUFS tells that notices were lost, which is a change too.
		if err != nil && !errors.Is(err, unix.ENOBUFS) {
			return
		}
		select {
		case changed <- struct{}{}:
		default:
		}
	}
}
