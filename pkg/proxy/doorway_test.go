package proxy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

func addrOf(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestPerimeter(t *testing.T) {
	table := routetable.Table{Listen: ":9099", InternalSubnets: []string{"10.1.2.7/24", "fd00:1::/64"}}
	named := table
	named.InternalGateways = []string{"10.1.2.254", "fd00:1::ff"}
	half := table
	half.InternalGateways = []string{"10.1.2.254"}
	hostless := table
	hostless.InternalGateways = []string{"10.1.2.0", "fd00:1::"} // addresses that nobody can have
	tests := map[string]struct {
		table  routetable.Table
		client string
		want   bool
	}{
		"an agent":                       {table, "10.1.2.3", true},
		"an agent over IPv6":             {table, "fd00:1::3", true},
		"an agent, mapped":               {table, "::ffff:10.1.2.3", true},
		"the host, by default":           {table, "10.1.2.1", false},
		"the host, mapped":               {table, "::ffff:10.1.2.1", false},
		"the host over IPv6, by default": {table, "fd00:1::1", false},
		"the named host":                 {named, "10.1.2.254", false},
		"the named host over IPv6":       {named, "fd00:1::ff", false},
		"the first, when another is":     {named, "10.1.2.1", true},
		"the host where none is named":   {half, "fd00:1::1", false},
		"the first, where one is named":  {half, "10.1.2.1", true},
		"the first, where no host is":    {hostless, "10.1.2.1", true},
		"a neighbour on egress":          {table, "10.1.3.3", false},
		"loopback":                       {table, "127.0.0.1", false},
		"a link-local neighbour":         {table, "fe80::1%eth0", false},
		"the internet":                   {table, "8.8.8.8", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := perimeterOf(tt.table)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.admits(addrOf(tt.client)); got != tt.want {
				t.Errorf("admitted: %v", got)
			}
		})
	}
}

// strangerConn is a connection from another address.
type strangerConn struct {
	net.Conn
	from net.Addr
}

func (c strangerConn) RemoteAddr() net.Addr { return c.from }

// disguised makes every connection come from an address.
type disguised struct {
	net.Listener
	from string
}

func (l disguised) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return strangerConn{conn, net.TCPAddrFromAddrPort(netip.AddrPortFrom(addrOf(l.from), 1234))}, nil
}

// disguise is a machine all of whose clients come from one address.
type disguise struct {
	*machine
	from string
}

func (d disguise) Listen(ctx context.Context, at Place, port uint16) (net.Listener, error) {
	l, err := d.machine.Listen(ctx, at, port)
	return disguised{l, d.from}, err
}

func TestStrangersAreClosedUnread(t *testing.T) {
	for from, heard := range map[string]bool{"10.1.2.3": true, "10.1.2.1": false, "10.1.3.3": false, "127.0.0.1": false, "fe80::1": false} {
		strangerIs(t, from, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", heard)
		strangerIs(t, from, preface, heard)
	}
}

// strangerIs has somebody begin a connection from an address, and says whether there should be an answer.
func strangerIs(t *testing.T, from, begins string, heard bool) {
	t.Helper()
	t.Run(from+" with "+begins[:3], func(t *testing.T) {
		at := Place{2, "eth0", addrOf("10.1.2.2")}
		m := disguise{newMachine(at), from}
		d := newDoorway(m, usualConnections, &guests{}, slog.New(slog.DiscardHandler))
		server := newServer(t.Context(), http.NotFoundHandler(), slog.New(slog.DiscardHandler))
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = server.Serve(d)
		}()
		defer func() {
			_ = server.Close()
			<-served
		}()
		p, err := perimeterOf(routetable.Table{Listen: ":0", InternalSubnets: []string{"10.1.2.0/24"}})
		if err != nil {
			t.Fatal(err)
		}
		d.watch(p)
		if err := d.adjust(t.Context()); err != nil {
			t.Fatal(err)
		}
		conn := dial(t, m.addr(at))
		// A stranger may find its connection closed before it has written.
		_, _ = io.WriteString(conn, begins)
		var first [1]byte
		if _, err := io.ReadFull(conn, first[:]); heard != (err == nil) {
			t.Errorf("answered with %q, %v", first, err)
		}
	})
}

func TestDoorwayListensInsideOnly(t *testing.T) {
	inside4, inside6 := Place{2, "eth0", addrOf("10.1.2.2")}, Place{2, "eth0", addrOf("fd00:1::2")}
	m := newMachine(
		Place{1, "lo", addrOf("127.0.0.1")}, Place{1, "lo", addrOf("::1")},
		inside4, inside6, Place{2, "eth0", addrOf("fe80::2")},
		Place{3, "eth1", addrOf("10.1.3.2")})
	d := newDoorway(m, usualConnections, &guests{}, slog.New(slog.DiscardHandler))
	defer func() { _ = d.Close() }()
	p, err := perimeterOf(routetable.Table{Listen: ":0", InternalSubnets: []string{"10.1.2.0/24", "fd00:1::/64"}})
	if err != nil {
		t.Fatal(err)
	}
	d.watch(p)
	for range 2 {
		if err := d.adjust(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.opened) != 2 || m.sockets[inside4] == nil || m.sockets[inside6] == nil {
		t.Errorf("it listens at %v", m.opened)
	}
}

// broken is a machine that cannot listen.
type broken struct{ *machine }

func (broken) Listen(context.Context, Place, uint16) (net.Listener, error) {
	return nil, errors.New("address in use")
}

func TestDoorwaySaysWhyItIsShut(t *testing.T) {
	d := newDoorway(broken{newMachine(internal())}, usualConnections, &guests{}, slog.New(slog.DiscardHandler))
	p, err := perimeterOf(routetable.Table{Listen: ":0", InternalSubnets: []string{"127.0.0.0/8"}})
	if err != nil {
		t.Fatal(err)
	}
	d.watch(p)
	if err := d.adjust(t.Context()); err == nil || err.Error() != "address in use" {
		t.Errorf("got %v", err)
	}
	_ = d.Close()
	if err := d.adjust(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed doorway: %v", err)
	}
	if _, err := d.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed doorway accepts: %v", err)
	}
}

// exhausted is a machine whose first Accept fails.
type exhausted struct {
	*machine
	failed chan struct{}
}

func (e exhausted) Listen(ctx context.Context, at Place, port uint16) (net.Listener, error) {
	l, err := e.machine.Listen(ctx, at, port)
	return &failingOnce{Listener: l, failed: e.failed}, err
}

type failingOnce struct {
	net.Listener
	failed chan struct{}
	done   bool
}

func (l *failingOnce) Accept() (net.Conn, error) {
	if !l.done {
		l.done = true
		close(l.failed)
		return nil, errors.New("too many open files")
	}
	return l.Listener.Accept()
}

func TestFailedAcceptIsTriedAgain(t *testing.T) {
	m := exhausted{newMachine(internal()), make(chan struct{})}
	d := newDoorway(m, usualConnections, &guests{}, slog.New(slog.DiscardHandler))
	d.watch(everybody(t))
	if err := d.adjust(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-m.failed
	dial(t, m.addr(internal()))
	conn, err := d.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	// A connection that nobody takes any more does not hold up the end.
	dial(t, m.addr(internal()))
	_ = d.Close()
}

func TestLastCallLetsInWhoIsThereAndTellsOfWhoIsLate(t *testing.T) {
	for name, is := range map[string]struct{ late, full bool }{
		"nobody is late": {}, "somebody is late": {late: true}, "the house is full": {full: true}, "full and late": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(internal())
			d := newDoorway(m, usualConnections, &guests{}, slog.New(slog.DiscardHandler))
			if is.full {
				d.seats = make(chan struct{})
			}
			d.watch(everybody(t))
			if err := d.adjust(t.Context()); err != nil {
				t.Fatal(err)
			}
			const early = 3
			for range early {
				dial(t, m.addr(internal()))
			}
			d.stopHandshakes()
			if is.late {
				_, err := net.DialTimeout("tcp", m.addr(internal()), knock/10)
				if !unanswered(err) {
					t.Errorf("a late client got %v", err)
				}
			}
			accepted := make(chan int)
			go func() {
				n := 0
				for conn, err := d.Accept(); err == nil; conn, err = d.Accept() {
					_ = conn.Close()
					n++
				}
				accepted <- n
			}()
			if knocked := d.lastCall(t.Context()); knocked != is.late {
				t.Errorf("somebody knocked in vain: %v", knocked)
			}
			if n := <-accepted; n != early {
				t.Errorf("%d connections were let in", n)
			}
		})
	}
}

// everybody is a perimeter around all of loopback.
func everybody(t *testing.T) perimeter {
	t.Helper()
	p, err := perimeterOf(routetable.Table{Listen: ":0", InternalSubnets: []string{"127.0.0.0/8"}, InternalGateways: []string{"127.9.9.9"}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
