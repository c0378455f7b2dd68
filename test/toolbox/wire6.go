package main

import (
	"encoding/binary"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// typeIPv6 is the type of a frame with an IPv6 packet, and headerIPv6 the length of its header (RFC 8200 section 3).
const (
	typeIPv6   = 0x86dd
	headerIPv6 = 40
)

// linkLocal is the address that a kernel makes of a hardware address (RFC 4291, appendix A).
func linkLocal(mac net.HardwareAddr) netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 8: mac[0] ^ 2, 9: mac[1], 10: mac[2], 11: 0xff, 12: 0xfe, 13: mac[3], 14: mac[4], 15: mac[5]})
}

// solicitation asks a neighbour for its hardware address, and tells it the asker's, so that it can answer what comes next
// (RFC 4861 section 4.3).
func solicitation(mac net.HardwareAddr, to netip.Addr) []byte {
	const kind, sourceAddress, hops = 135, 1, 255
	message := append([]byte{kind, 0, 0, 0, 0, 0, 0, 0}, to.AsSlice()...)
	message = append(append(message, sourceAddress, 1), mac...)
	return packet6(unix.IPPROTO_ICMPV6, hops, linkLocal(mac), to, message, 2)
}

// synPacket6 asks for a connection over IPv6.
func synPacket6(from, to netip.AddrPort) []byte {
	return packet6(unix.IPPROTO_TCP, 64, from.Addr(), to.Addr(), synSegment(from, to), 16)
}

// packet6 is a packet whose payload has its checksum at an offset (RFC 8200 section 8.1).
func packet6(protocol, hops byte, from, to netip.Addr, payload []byte, sumAt int) []byte {
	addresses := append(from.AsSlice(), to.AsSlice()...)
	pseudo := append(append([]byte{}, addresses...), 0, 0, 0, byte(len(payload)), 0, 0, 0, protocol)
	binary.BigEndian.PutUint16(payload[sumAt:], checksum(append(pseudo, payload...)))
	header := append([]byte{0x60, 0, 0, 0, 0, byte(len(payload)), protocol, hops}, addresses...)
	return append(header, payload...)
}

// parse6 reads an IPv6 packet; it reports false for anything but TCP right behind the header.
func parse6(ip []byte) (packet, bool) {
	if len(ip) < headerIPv6+20 || ip[6] != unix.IPPROTO_TCP {
		return packet{}, false
	}
	tcp := ip[headerIPv6:]
	return packet{
		from:  netip.AddrPortFrom(netip.AddrFrom16([16]byte(ip[8:24])), binary.BigEndian.Uint16(tcp)),
		to:    netip.AddrPortFrom(netip.AddrFrom16([16]byte(ip[24:40])), binary.BigEndian.Uint16(tcp[2:])),
		flags: tcp[13],
	}, true
}
