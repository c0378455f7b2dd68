package attacks

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// host is an upstream.
type host struct {
	name string
	// at is its address.
	at string
	// answers are what its name is looked up as, one after the other, of which the last stays; none for its address.
	answers []string
	// adds are the fields that its route adds, and query what begins the query.
	adds  []field
	query string
	// passes are fields of a client's own that may arrive.
	passes []string
	// early is what it sends before it has read a body; empty for nothing.
	early string
	// answer makes what it sends in answer to a request; nil sends ok.
	answer func(*request) string
	// deaf reads nothing of what it is sent.
	deaf bool
	// serve answers by hand, and is the last of its connection; nil leaves it to answer.
	serve func(net.Conn, *request)
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"

// internet is the way out: names, addresses, and what is there.
type internet struct {
	mu    sync.Mutex
	hosts []*host
	// arrived are requests, and dials of addresses that are no upstream's, in order.
	arrived []*request
	dialled []string
	// more is closed when one more has arrived.
	more    chan struct{}
	talking sync.WaitGroup
	// ended is closed in the end.
	ended chan struct{}
	open  []net.Conn
}

// LookupNetIP implements proxy.WayOut.
func (i *internet) LookupNetIP(_ context.Context, _, name string) ([]netip.Addr, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if addr, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{addr}, nil
	}
	for _, h := range i.hosts {
		if strings.EqualFold(h.name, name) {
			return h.lookup(), nil
		}
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// lookup is the next answer to who asks for its name.
func (h *host) lookup() (all []netip.Addr) {
	answer := h.at
	if len(h.answers) > 0 {
		answer = h.answers[0]
		h.answers = h.answers[min(1, len(h.answers)-1):]
	}
	for one := range strings.FieldsSeq(answer) {
		all = append(all, netip.MustParseAddr(one))
	}
	return all
}

// DialContext implements proxy.WayOut. Upstreams are behind pipes: what a request is made of is the same, byte for byte.
func (i *internet) DialContext(_ context.Context, _, address string) (net.Conn, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	ip, _, err := net.SplitHostPort(address)
	found := slices.IndexFunc(i.hosts, func(h *host) bool { return h.at == ip })
	if err != nil || found < 0 {
		i.dialled = append(i.dialled, "dialled "+address)
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	ours, theirs := net.Pipe()
	i.open = append(i.open, ours)
	i.talking.Go(func() { i.talk(ours, i.hosts[found]) })
	return theirs, nil
}

// talk is one connection to an upstream.
func (i *internet) talk(conn net.Conn, h *host) {
	defer conn.Close()
	if h.deaf {
		<-i.ended
		return
	}
	in := wire{bufio.NewReader(conn)}
	for {
		r, err := in.next(h.name, func(r *request) { i.goOn(conn, h, r) })
		if r == nil {
			return
		}
		i.note(r)
		if err != nil {
			return
		}
		reply := ok
		switch {
		case r.isHonest():
		case h.serve != nil:
			h.serve(conn, r)
			return
		case h.answer != nil:
			reply = h.answer(r)
		case r.method == "HEAD":
			reply = strings.TrimSuffix(ok, "ok\n")
		}
		if _, err := io.WriteString(conn, reply); err != nil || strings.Contains(reply, "\r\nConnection: close\r\n") {
			return
		}
	}
}

// goOn has a client send the body that it asked about (RFC 9110 section 10.1.1), or says what it is to hear before that.
func (i *internet) goOn(conn net.Conn, h *host, r *request) {
	if h.early != "" && !r.isHonest() {
		_, _ = io.WriteString(conn, h.early)
		<-i.ended // it reads nothing of the body
	}
	if len(r.values("Expect")) > 0 {
		_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
	}
}

func (i *internet) note(r *request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.arrived = append(i.arrived, r)
	close(i.more)
	i.more = make(chan struct{})
}

// soFar is what has arrived.
func (i *internet) soFar() ([]*request, <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.arrived), i.more
}

// end hangs up on whoever is still there, and returns all that came.
func (i *internet) end() (arrived []*request, dialled []string) {
	close(i.ended)
	i.mu.Lock()
	for _, conn := range i.open {
		_ = conn.Close()
	}
	i.mu.Unlock()
	i.talking.Wait()
	return i.arrived, i.dialled
}
