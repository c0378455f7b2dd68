package proxy

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tcpFlags is the offset of the flags in a TCP header (RFC 9293 section 3.1), where a filter of a TCP socket begins to
// read.
const (
	tcpFlags = 13
	flagSYN  = 0x02
	flagACK  = 0x10
)

// stopHandshakes makes a listening socket deaf to requests for a connection, and to nothing else, so that those that
// are being made complete. A client asks again after a second, and is refused if the socket is closed by then. It
// needs no capability.
func stopHandshakes(l net.Listener) error {
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: tcpFlags},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: flagSYN | flagACK},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: flagSYN},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1<<32 - 1},
	}
	return control(l, func(fd int) error {
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	})
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

func control(l net.Listener, f func(fd int) error) error {
	socket, ok := l.(syscall.Conn)
	if !ok {
		return fmt.Errorf("%T is not a socket: %w", l, errors.ErrUnsupported)
	}
	conn, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) { failed = f(int(fd)) })
	return errors.Join(err, failed)
}
