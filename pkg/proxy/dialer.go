package proxy

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// headStart is what one address of a name gets before the next is tried beside it (RFC 8305 section 5).
const headStart = 250 * time.Millisecond

// dialer connects to upstreams. A name is looked up once, each of its addresses is judged, and what is dialled is an
// address that was judged: a name that answers differently the next time leads nowhere else.
type dialer struct {
	lookup  func(ctx context.Context, network, host string) ([]netip.Addr, error)
	connect func(ctx context.Context, network, address string) (net.Conn, error)
	atlas   atlas
	// around is asked for each connection: networks come and go.
	around func() (surroundings, error)
}

// WayOut is how the machine reaches others.
type WayOut interface {
	// LookupNetIP is net.Resolver's.
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	// DialContext is net.Dialer's. It gets addresses that have been judged, never names.
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// hostWayOut is that of the network namespace that the process is in.
type hostWayOut struct {
	*net.Resolver
	net.Dialer
}

func newHostWayOut() *hostWayOut {
	return &hostWayOut{net.DefaultResolver, net.Dialer{KeepAlive: 30 * time.Second}}
}

func newDialer(out WayOut, around func() (surroundings, error)) *dialer {
	return &dialer{lookup: out.LookupNetIP, connect: out.DialContext, atlas: newAtlas(), around: around}
}

// dial connects to a host and port, within dialTimeout. Of a host that may not be asked the error is a *destinationError.
func (d *dialer) dial(ctx context.Context, network, address string, allowPrivate bool) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	permitted, err := d.resolve(ctx, host, allowPrivate)
	if err != nil {
		return nil, err
	}
	return d.race(ctx, network, port, permitted)
}

// resolve returns the addresses of a host that may be asked, in the resolver's order: at least one.
func (d *dialer) resolve(ctx context.Context, host string, allowPrivate bool) ([]netip.Addr, error) {
	if namesHost(host) {
		return nil, &destinationError{block: block{kind: never, what: "that of the engine's host"}}
	}
	around, err := d.around()
	if err != nil {
		return nil, err
	}
	found, err := d.lookup(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var permitted []netip.Addr
	refused := error(&net.DNSError{Err: "no address", Name: host, IsNotFound: true})
	for _, addr := range found {
		if err := d.atlas.judge(addr, around, allowPrivate); err != nil {
			refused = err
			continue
		}
		permitted = append(permitted, addr.Unmap())
	}
	if len(permitted) == 0 {
		return nil, refused
	}
	return permitted, nil
}

// attempt is what came of one address.
type attempt struct {
	conn net.Conn
	err  error
}

// race connects to the first address that answers, and returns the first error when none does.
func (d *dialer) race(ctx context.Context, network, port string, addrs []netip.Addr) (net.Conn, error) {
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var (
		attempts     = make(chan attempt, len(addrs))
		begin        = time.NewTimer(0)
		begun, ended int
		failed       error
	)
	defer begin.Stop()
	for ended < len(addrs) {
		select {
		case <-begin.C:
			address := net.JoinHostPort(addrs[begun].String(), port)
			go func() {
				conn, err := d.connect(ctx, network, address)
				attempts <- attempt{conn, err}
			}()
			if begun++; begun < len(addrs) {
				begin.Reset(headStart)
			}
		case a := <-attempts:
			ended++
			if a.err == nil {
				go hangUp(attempts, begun-ended)
				return a.conn, nil
			}
			if failed == nil {
				failed = a.err
			}
			if ended == begun && begun < len(addrs) {
				begin.Reset(0)
			}
		}
	}
	return nil, failed
}

// hangUp closes the connections of attempts that came too late.
func hangUp(late <-chan attempt, n int) {
	for range n {
		if a := <-late; a.err == nil {
			_ = a.conn.Close()
		}
	}
}
