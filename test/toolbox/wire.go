package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Types of Ethernet frames, as they stand in them.
const (
	typeIPv4 = 0x0800
	typeARP  = 0x0806
)

// wire is a raw socket on the one interface of a container: it takes CAP_NET_RAW, which Docker gives by default.
type wire struct {
	fd   int
	name string
	mac  net.HardwareAddr
	ip   netip.Addr
	at   int
}

// openWire opens the first interface with an IPv4 address, other than the loopback.
func openWire() (*wire, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagLoopback != 0 || len(i.HardwareAddr) != 6 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return nil, err
		}
		for _, a := range addrs {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Is4() {
				return bind(&wire{name: i.Name, mac: i.HardwareAddr, ip: prefix.Addr(), at: i.Index})
			}
		}
	}
	return nil, errors.New("there is no interface with an IPv4 address")
}

func bind(w *wire) (*wire, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(toNetwork(unix.ETH_P_ALL)))
	if err != nil {
		return nil, fmt.Errorf("open a raw socket: %w", err)
	}
	w.fd = fd
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: toNetwork(unix.ETH_P_ALL), Ifindex: w.at}); err != nil {
		return nil, errors.Join(err, w.close())
	}
	short := unix.NsecToTimeval((20 * time.Millisecond).Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &short); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func toNetwork(v uint16) uint16 { return v<<8 | v>>8 }

func (w *wire) close() error { return unix.Close(w.fd) }

// send puts a frame on the wire, to a hardware address.
func (w *wire) send(to net.HardwareAddr, kind uint16, payload []byte) error {
	frame := append(append([]byte{}, to...), w.mac...)
	frame = append(binary.BigEndian.AppendUint16(frame, kind), payload...)
	address := &unix.SockaddrLinklayer{Ifindex: w.at, Halen: 6}
	copy(address.Addr[:], to)
	return unix.Sendto(w.fd, frame, 0, address)
}

// await reads packets until one is what is looked for. It reports false at the end of ctx.
func (w *wire) await(ctx context.Context, is func(packet) bool) (packet, bool, error) {
	buf := make([]byte, 65536)
	for ctx.Err() == nil {
		n, _, err := unix.Recvfrom(w.fd, buf, 0)
		switch {
		case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return packet{}, false, err
		}
		if p, ok := parse(buf[:n]); ok && is(p) {
			return p, true, nil
		}
	}
	return packet{}, false, nil
}

// packet is a TCP segment in an IPv4 packet (RFC 9293 section 3.1, RFC 791 section 3.1).
type packet struct {
	from, to netip.AddrPort
	flags    byte
}

// The flags of a segment.
const (
	flagSYN = 0x02
	flagRST = 0x04
	flagACK = 0x10
)

// parse reads a frame; it reports false for anything but TCP.
func parse(frame []byte) (packet, bool) {
	if len(frame) < 34 {
		return packet{}, false
	}
	ip := frame[14:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case typeIPv4:
	case typeIPv6:
		return parse6(ip)
	default:
		return packet{}, false
	}
	length := int(ip[0]&0x0f) * 4
	if ip[9] != unix.IPPROTO_TCP || len(ip) < length+20 {
		return packet{}, false
	}
	tcp := ip[length:]
	return packet{
		from:  netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[12:16])), binary.BigEndian.Uint16(tcp)),
		to:    netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[16:20])), binary.BigEndian.Uint16(tcp[2:])),
		flags: tcp[13],
	}, true
}

// synSegment asks for a connection, without the checksum.
func synSegment(from, to netip.AddrPort) []byte {
	tcp := make([]byte, 20)
	binary.BigEndian.PutUint16(tcp, from.Port())
	binary.BigEndian.PutUint16(tcp[2:], to.Port())
	binary.BigEndian.PutUint32(tcp[4:], 1)
	tcp[12], tcp[13] = 5<<4, flagSYN
	binary.BigEndian.PutUint16(tcp[14:], 64240)
	return tcp
}

// synPacket asks for a connection over IPv4.
func synPacket(from, to netip.AddrPort) []byte {
	tcp := synSegment(from, to)
	source, target := from.Addr().As4(), to.Addr().As4()
	pseudo := append(append(append([]byte{}, source[:]...), target[:]...), 0, unix.IPPROTO_TCP, 0, byte(len(tcp)))
	binary.BigEndian.PutUint16(tcp[16:], checksum(append(pseudo, tcp...)))

	ip := make([]byte, 20)
	ip[0], ip[8], ip[9] = 0x45, 64, unix.IPPROTO_TCP
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+len(tcp)))
	copy(ip[12:], source[:])
	copy(ip[16:], target[:])
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	return append(ip, tcp...)
}

// checksum is that of RFC 1071, of an even number of bytes.
func checksum(data []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(data); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(data[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// arpReply tells that an IPv4 address is at a hardware address (RFC 826).
func arpReply(hardware net.HardwareAddr, claims netip.Addr, to net.HardwareAddr, toIP netip.Addr) []byte {
	reply := []byte{0, 1, typeIPv4 >> 8, typeIPv4 & 0xff, 6, 4, 0, 2}
	claimed, target := claims.As4(), toIP.As4()
	reply = append(append(reply, hardware...), claimed[:]...)
	return append(append(reply, to...), target[:]...)
}
