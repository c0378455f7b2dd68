package proxy

import (
	"context"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func loopback(t *testing.T) place {
	t.Helper()
	places, err := hostNetwork{}.places()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range places {
		if p.addr.IsLoopback() && p.addr.Is4() {
			return p
		}
	}
	t.Fatalf("no loopback address among %v", places)
	return place{}
}

func TestSocketIsBoundToItsInterface(t *testing.T) {
	at := loopback(t)
	l, err := hostNetwork{}.listen(t.Context(), at, 0)
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
	if err != nil || optErr != nil || device != at.name {
		t.Errorf("bound to %q instead of %q: %v, %v", device, at.name, err, optErr)
	}
	if host, _, _ := net.SplitHostPort(l.Addr().String()); host != at.addr.String() {
		t.Errorf("listens on %s instead of %s", host, at.addr)
	}
	if !reachable(l.Addr().String()) {
		t.Error("nobody can connect")
	}
}

func TestInterfaceThatIsGoneCannotBeListenedOn(t *testing.T) {
	at := loopback(t)
	at.name = "gone0"
	if l, err := (hostNetwork{}).listen(t.Context(), at, 0); err == nil {
		_ = l.Close()
		t.Error("it listens although the interface does not exist")
	}
}

func TestSubscriptionEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := (hostNetwork{}).changes(ctx); err != nil {
		t.Fatal(err)
	}
	// The goroutine that reads would be found as leaked.
	cancel()
}
