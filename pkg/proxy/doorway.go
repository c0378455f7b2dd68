package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// acceptRetry is how long a socket rests after an error such as too many open files.
const acceptRetry = 50 * time.Millisecond

// doorway is one net.Listener over the sockets that are open on the internal network at the moment. Sockets come and
// go with the interface; connections of others than the network's own are closed before a byte of theirs is read.
type doorway struct {
	network Network
	log     *slog.Logger

	accepted chan net.Conn
	// arrived hears of connections once they are passed on or turned away.
	arrived chan struct{}
	closed  chan struct{}
	closing sync.Once
	running sync.WaitGroup
	// leaving is closed when the last call begins, before the first socket is made deaf.
	leaving chan struct{}
	calling sync.Once
	// seats holds one element for each connection that is let in.
	seats  chan struct{}
	guests *guests

	mu        sync.Mutex
	shut      bool
	perimeter perimeter
	sockets   map[Place]net.Listener
}

// newDoorway makes one without sockets, with seats for so many connections.
func newDoorway(n Network, seats int, in *guests, log *slog.Logger) *doorway {
	return &doorway{
		network: n, guests: in, log: log,
		accepted: make(chan net.Conn), arrived: make(chan struct{}, 1), closed: make(chan struct{}),
		leaving: make(chan struct{}), seats: make(chan struct{}, seats),
		sockets: map[Place]net.Listener{},
	}
}

// watch says what the internal network is from now on. Another port closes the sockets of the old one.
func (d *doorway) watch(p perimeter) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.port != d.perimeter.port {
		d.closeExcept(nil)
	}
	d.perimeter = p
}

// adjust makes the open sockets match the places inside the perimeter. It fails while none is open.
func (d *doorway) adjust(ctx context.Context) error {
	places, err := d.network.Places()
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return net.ErrClosed
	}
	wanted := map[Place]bool{}
	for _, p := range places {
		if d.perimeter.inside(p.Addr) {
			wanted[p] = true
		}
	}
	d.closeExcept(wanted)
	var failures []error
	for p := range wanted {
		if err := d.open(ctx, p); err != nil {
			failures = append(failures, err)
		}
	}
	if len(d.sockets) > 0 {
		return nil
	}
	if len(failures) > 0 {
		return errors.Join(failures...)
	}
	return fmt.Errorf("no network interface has an address inside %s: is the sidecar connected to its internal network?",
		joinPrefixes(d.perimeter.subnets))
}

func joinPrefixes(prefixes []netip.Prefix) string {
	var words []string
	for _, p := range prefixes {
		words = append(words, p.String())
	}
	return strings.Join(words, ", ")
}

// open starts to accept at one place, unless it does already.
func (d *doorway) open(ctx context.Context, at Place) error {
	if d.sockets[at] != nil {
		return nil
	}
	socket, err := d.network.Listen(ctx, at, d.perimeter.port)
	if err != nil {
		return err
	}
	d.sockets[at] = socket
	d.log.Info("listening on the internal network", "address", socket.Addr().String(), "interface", at.Name)
	d.running.Go(func() { d.accept(at, socket) })
	return nil
}

// closeExcept closes the sockets of all other places.
func (d *doorway) closeExcept(wanted map[Place]bool) {
	for at, socket := range d.sockets {
		if !wanted[at] {
			_ = socket.Close()
			delete(d.sockets, at)
		}
	}
}

func (d *doorway) accept(at Place, socket net.Listener) {
	for {
		conn, err := socket.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			d.log.Warn("a connection could not be accepted", "interface", at.Name, "error", err)
			if !d.rest() {
				return
			}
			continue
		case !d.admits(conn):
			_ = conn.Close()
		default:
			d.hear(conn)
			d.pass(conn)
		}
		select {
		case d.arrived <- struct{}{}:
		default:
		}
	}
}

// rest waits a little; false when the doorway was closed meanwhile.
func (d *doorway) rest() bool {
	timer := time.NewTimer(acceptRetry)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-d.closed:
		return false
	}
}

func (d *doorway) admits(conn net.Conn) bool {
	remote, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.perimeter.admits(remote.Addr())
}

func (d *doorway) pass(conn net.Conn) {
	seated, ok := d.seat(conn)
	if !ok {
		_ = conn.Close()
		return
	}
	select {
	case d.accepted <- seated:
	case <-d.closed:
		_ = seated.Close()
	}
}

// Accept implements net.Listener.
func (d *doorway) Accept() (net.Conn, error) {
	select {
	case conn := <-d.accepted:
		return conn, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It returns once no connection can be accepted any more.
func (d *doorway) Close() error {
	d.closing.Do(func() { close(d.closed) })
	d.shutSockets()
	return nil
}

// shutSockets closes the sockets for good, and returns once the connections that they had accepted are passed on or,
// after Close, closed.
func (d *doorway) shutSockets() {
	d.mu.Lock()
	d.shut = true
	d.closeExcept(nil)
	d.mu.Unlock()
	d.running.Wait()
}

// Addr implements net.Listener; it has no single address.
func (d *doorway) Addr() net.Addr { return &net.TCPAddr{} }
