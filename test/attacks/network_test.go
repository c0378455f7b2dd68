package attacks

import (
	"context"
	"net"
	"net/netip"
	"sync"

	"credproxy.dev/controller/pkg/proxy"
)

const (
	subnet  = "10.9.0.0/24"
	gateway = "10.9.0.1" // the host, on the internal network
	sidecar = "10.9.0.2"
	agentIP = "10.9.0.7"

	egressGateway = "172.30.0.1"
	egressSidecar = "172.30.0.2"
)

// door is where agents connect.
type door interface{ dial() (net.Conn, error) }

// network is the sidecar's side of the internal network. Its sockets are real ones on the loopback, where nobody else is; or pipes,
// so that time can stand still.
type network struct {
	piped bool
	// opened hands out the sockets that are there.
	opened chan door

	mu sync.Mutex
	// from is where whoever connects seems to be.
	from string
}

func newNetwork(piped bool) *network {
	return &network{piped: piped, opened: make(chan door, 1), from: agentIP}
}

// Places implements proxy.Network.
func (n *network) Places() ([]proxy.Place, error) {
	return []proxy.Place{
		{Index: 2, Name: "eth0", Addr: netip.MustParseAddr(sidecar)},
		{Index: 3, Name: "eth1", Addr: netip.MustParseAddr(egressSidecar)},
	}, nil
}

// Gateways implements proxy.Network.
func (n *network) Gateways() ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr(egressGateway)}, nil
}

// Changes implements proxy.Network: there are none.
func (n *network) Changes(context.Context) (<-chan struct{}, error) { return nil, nil }

// Listen implements proxy.Network.
func (n *network) Listen(ctx context.Context, _ proxy.Place, _ uint16) (net.Listener, error) {
	if n.piped {
		l := &pipes{network: n, dialled: make(chan net.Conn), closed: make(chan struct{})}
		n.opened <- l
		return l, nil
	}
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &socket{l, n}
	n.opened <- s
	return s, nil
}

// caller is the address of whoever connects next.
func (n *network) caller() net.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(n.from), 40000))
}

// callFrom has whoever connects from now on be at an address.
func (n *network) callFrom(addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.from = addr
}

// socket is a real one.
type socket struct {
	net.Listener
	network *network
}

func (s *socket) Accept() (net.Conn, error) {
	conn, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tcpCaller{conn.(*net.TCPConn), s.network.caller()}, nil
}

func (s *socket) dial() (net.Conn, error) { return net.Dial("tcp", s.Addr().String()) }

// tcpCaller is a connection from somewhere else than it seems.
type tcpCaller struct {
	*net.TCPConn
	from net.Addr
}

func (c *tcpCaller) RemoteAddr() net.Addr { return c.from }

// pipes is a socket in memory.
type pipes struct {
	network *network
	dialled chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.dialled:
		return &pipeCaller{conn, p.network.caller()}, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) dial() (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.dialled <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

type pipeCaller struct {
	net.Conn
	from net.Addr
}

func (c *pipeCaller) RemoteAddr() net.Addr { return c.from }
