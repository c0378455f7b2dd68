package proxy

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stopHandshakes makes a listening socket deaf to requests for a connection, so that those that are being made
// complete and no other begins. It does so by asking for more hops to live than anybody sends with: the kernel looks
// at that for a packet to the listening socket and not for one that completes a handshake. (A filter would say it
// plainly, and needs a capability on some kernels.) A client asks again after a second, and is refused if the socket
// is closed by then. Connections made after this inherit the deafness; see hear.
func stopHandshakes(l net.Listener) error {
	return control(l, func(fd int) error { return askHops(fd, 255) })
}

// hear makes a connection hear that was accepted after stopHandshakes. What it has missed is sent again.
func hear(conn net.Conn) error { return control(conn, func(fd int) error { return askHops(fd, 0) }) }

// askHops says how many hops a packet has to have left to be heard (RFC 5082).
func askHops(fd, hops int) error {
	family, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return err
	}
	if family == unix.AF_INET6 {
		return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MINHOPCOUNT, hops)
	}
	return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MINTTL, hops)
}

// queued reports whether connections are made and not accepted yet.
func queued(l net.Listener) (some bool, err error) {
	err = control(l, func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		// Of a listening socket this field is the length of its queue.
		some = err == nil && info.Unacked > 0
		return err
	})
	return some, err
}

// turnedAway reports whether a listening socket has dropped packets, such as requests for a connection after
// stopHandshakes.
func turnedAway(l net.Listener) (some bool, err error) {
	err = control(l, func(fd int) error {
		var info [unix.SK_MEMINFO_VARS]uint32
		size := uint32(unsafe.Sizeof(info))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0) //nolint:gosec // x/sys/unix has no function for it
		if errno != 0 {
			return errno
		}
		some = info[unix.SK_MEMINFO_DROPS] > 0
		return nil
	})
	return some, err
}

func control(of any, f func(fd int) error) error {
	socket, ok := of.(syscall.Conn)
	if !ok {
		return fmt.Errorf("%T is not a socket: %w", of, errors.ErrUnsupported)
	}
	conn, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) { failed = f(int(fd)) })
	return errors.Join(err, failed)
}
