package proxy

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func loopback(t *testing.T) Place {
	t.Helper()
	places, err := hostNetwork{}.Places()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range places {
		if p.Addr.IsLoopback() && p.Addr.Is4() {
			return p
		}
	}
	t.Fatalf("no loopback address among %v", places)
	return Place{}
}

func TestSocketIsBoundToItsInterface(t *testing.T) {
	at := loopback(t)
	l, err := hostNetwork{}.Listen(t.Context(), at, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	conn, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var device string
	var optErr error
	err = conn.Control(func(fd uintptr) {
		device, optErr = unix.GetsockoptString(int(fd), syscall.SOL_SOCKET, unix.SO_BINDTODEVICE)
	})
	if err != nil || optErr != nil || device != at.Name {
		t.Errorf("bound to %q instead of %q: %v, %v", device, at.Name, err, optErr)
	}
	if host, _, _ := net.SplitHostPort(l.Addr().String()); host != at.Addr.String() {
		t.Errorf("listens on %s instead of %s", host, at.Addr)
	}
	if !reachable(l.Addr().String()) {
		t.Error("nobody can connect")
	}
}

// TestDeafSocketCompletesWhatWasBegun holds what the farewell needs of the kernel.
func TestDeafSocketCompletesWhatWasBegun(t *testing.T) {
	places, err := hostNetwork{}.Places()
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range places {
		if at.Addr.IsLoopback() {
			t.Run(at.Addr.String(), func(t *testing.T) { deafAt(t, at) })
		}
	}
}

func deafAt(t *testing.T, at Place) {
	l, err := hostNetwork{}.Listen(t.Context(), at, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	addr := l.Addr().String()
	early := dial(t, addr)
	if err := stopHandshakes(l); err != nil {
		t.Fatal(err)
	}
	wantOf(t, l, true, false)
	if conn, err := net.DialTimeout("tcp", addr, 20*time.Millisecond); !unanswered(err) {
		t.Errorf("a later client got %v, %v", conn, err)
	}
	wantOf(t, l, true, true)

	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	wantOf(t, l, false, true)
	_ = l.Close()
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a late client got %v", err)
	}
	write(t, early, "hello\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "hello\n" {
		t.Errorf("got %q, %v", line, err)
	}
}

func TestDeafConnectionHearsWhatItMissed(t *testing.T) {
	l, err := hostNetwork{}.Listen(t.Context(), loopback(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	early := dial(t, l.Addr().String())
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// As it is when it was made by a socket that was deaf already.
	if err := control(conn, func(fd int) error { return askHops(fd, 255) }); err != nil {
		t.Fatal(err)
	}
	write(t, early, "hello\n")
	if err := hear(conn); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "hello\n" {
		t.Errorf("got %q, %v", line, err)
	}
}

// TestHandshakeInFlightCompletes holds a handshake up until the doorway is deaf: with TCP_DEFER_ACCEPT it ends with the
// first data (tcp(7)).
func TestHandshakeInFlightCompletes(t *testing.T) {
	m := newMachine(internal())
	d := newDoorway(m, usualConnections, &guests{}, slog.New(slog.DiscardHandler))
	d.watch(everybody(t))
	if err := d.adjust(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := control(m.sockets[internal()], func(fd int) error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 5)
	}); err != nil {
		t.Fatal(err)
	}
	client := dial(t, m.addr(internal()))
	d.stopHandshakes()
	write(t, client, "first\n")
	over := make(chan struct{})
	go func() {
		defer close(over)
		d.lastCall(t.Context())
	}()
	conn, err := d.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	<-over
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(conn)
	for _, want := range []string{"first\n", "second\n"} {
		if line, err := from.ReadString('\n'); line != want {
			t.Fatalf("got %q, %v; want %q", line, err, want)
		}
		write(t, client, "second\n")
	}
}

// wantOf checks what the kernel knows of a listening socket.
func wantOf(t *testing.T, l net.Listener, wantQueued, wantTurnedAway bool) {
	t.Helper()
	waiting, err := queued(l)
	if err != nil || waiting != wantQueued {
		t.Errorf("queued: %v, %v", waiting, err)
	}
	some, err := turnedAway(l)
	if err != nil || some != wantTurnedAway {
		t.Errorf("turned away: %v, %v", some, err)
	}
}

// The kernel says the same in two ways: proc_net_route has the addresses in hexadecimal digits, as the machine stores them.
func TestGatewaysAreThoseOfTheRoutes(t *testing.T) {
	got, err := hostNetwork{}.Gateways()
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("/proc/net/route")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[2] == "Gateway" || fields[2] == "00000000" {
			continue
		}
		number, err := strconv.ParseUint(fields[2], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		want := netip.AddrFrom4([4]byte(binary.NativeEndian.AppendUint32(nil, uint32(number))))
		if !slices.Contains(got, want) {
			t.Errorf("the gateway %s is not among %v", want, got)
		}
	}
}

func TestInterfaceThatIsGoneCannotBeListenedOn(t *testing.T) {
	at := loopback(t)
	at.Name = "gone0"
	if l, err := (hostNetwork{}).Listen(t.Context(), at, 0); err == nil {
		_ = l.Close()
		t.Error("it listens although the interface does not exist")
	}
}

func TestSubscriptionEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := (hostNetwork{}).Changes(ctx); err != nil {
		t.Fatal(err)
	}
	// The goroutine that reads would be found as leaked.
	cancel()
}
