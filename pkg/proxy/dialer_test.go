package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// faraway is a world of names and addresses of which nothing is really dialled.
type faraway struct {
	mu sync.Mutex
	// answers are what a name is, one after the other; the last one stays.
	answers map[string][][]netip.Addr
	// at is where an address really leads; nobody answers at others.
	at map[string]string
	// asked are the names and dialled the addresses, in order.
	asked, dialled []string
}

func (f *faraway) lookup(_ context.Context, _, host string) ([]netip.Addr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, host)
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	answers := f.answers[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(answers) > 1 {
		f.answers[host] = answers[1:]
	}
	return answers[0], nil
}

func (f *faraway) connect(ctx context.Context, network, address string) (net.Conn, error) {
	f.mu.Lock()
	f.dialled = append(f.dialled, address)
	to := f.at[address]
	f.mu.Unlock()
	if to == "" {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	var d net.Dialer
	return d.DialContext(ctx, network, to)
}

// connections is how many were tried, and forget starts counting anew.
func (f *faraway) connections() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.dialled)
}

func (f *faraway) dialer() *dialer {
	d := newDialer(newHostWayOut(), func() (surroundings, error) { return nearby(), nil })
	d.lookup, d.connect = f.lookup, f.connect
	return d
}

// outlets are those of a sidecar in such a world.
func (f *faraway) outlets() *outlets {
	d := f.dialer()
	return newOutlets(func(w way, own *tls.Certificate) (http.RoundTripper, error) {
		return newTransport(d, usualConnections, w, own)
	})
}

func addrs(all ...string) (list []netip.Addr) {
	for _, one := range all {
		list = append(list, addrOf(one))
	}
	return list
}

func serveFaraway(t *testing.T, f *faraway, routes ...routetable.Route) *running {
	t.Helper()
	outlets := f.outlets()
	t.Cleanup(func() { outlets.keep(&table{}) })
	return serveOutlets(t, outlets, routes...)
}

// The first answer is harmless, and so is what is dialled for it; the second one, for the next connection, is judged anew.
func TestANameThatIsRebound(t *testing.T) {
	upstream := newRecorder(t)
	f := &faraway{
		answers: map[string][][]netip.Addr{"rebinds.example": {addrs("93.184.216.34"), addrs("169.254.169.254"), addrs("10.0.0.1"), addrs("93.184.216.34")}},
		at:      map[string]string{"93.184.216.34:80": upstream.Listener.Addr().String(), "169.254.169.254:80": upstream.Listener.Addr().String(), "10.0.0.1:80": upstream.Listener.Addr().String()},
	}
	proxy := serveFaraway(t, f, routeTo("http://rebinds.example"))
	for _, want := range []int{200, 403, 403, 200} {
		if res, body := get(t, proxy.url("/r/x"), "Connection", "close"); res.StatusCode != want {
			t.Errorf("%d, want %d: %s", res.StatusCode, want, body)
		}
		upstream.CloseClientConnections()
	}
	if got := f.connections(); !slices.Equal(got, []string{"93.184.216.34:80", "93.184.216.34:80"}) {
		t.Errorf("it dialled %q", got)
	}
	if len(f.asked) != 4 {
		t.Errorf("for four connections it asked %q", f.asked)
	}
}

func TestOfSeveralAddressesOnlyThePermittedAreDialled(t *testing.T) {
	upstream := newRecorder(t)
	f := &faraway{
		answers: map[string][][]netip.Addr{"mixed.example": {addrs("127.0.0.1", "172.20.0.9", "10.0.0.1", "::ffff:93.184.216.34", "fd00:ec2::254")}},
		at:      map[string]string{"93.184.216.34:80": upstream.Listener.Addr().String()},
	}
	res, _ := get(t, serveFaraway(t, f, routeTo("http://mixed.example")).url("/r/x"))
	if got := f.connections(); res.StatusCode != http.StatusOK || !slices.Equal(got, []string{"93.184.216.34:80"}) {
		t.Errorf("%d; it dialled %q", res.StatusCode, got)
	}
}

// Two routes to one host share no connection when only one of them may be where it leads.
func TestAPrivateConnectionIsForTheRouteThatMayHaveIt(t *testing.T) {
	upstream := newRecorder(t)
	f := &faraway{at: map[string]string{"10.1.2.3:80": upstream.Listener.Addr().String()}}
	permitted := routetable.Route{Path: "/p", Upstream: "http://10.1.2.3", AllowPrivate: true}
	proxy := serveFaraway(t, f, permitted, routeTo("http://10.1.2.3"))
	if res, body := get(t, proxy.url("/p/x")); res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	res, body := get(t, proxy.url("/r/x"))
	wantRefusal(t, res, body, http.StatusForbidden, "denied")
	upstream.only(t)
}

func TestTheHostIsNotReachedByItsNames(t *testing.T) {
	f := &faraway{answers: map[string][][]netip.Addr{"host.docker.internal": {addrs("192.168.65.254")}}}
	route := routeTo("http://host.docker.internal:8080")
	route.AllowPrivate = true
	res, body := get(t, serveFaraway(t, f, route).url("/r/x"))
	wantRefusal(t, res, body, http.StatusForbidden, "denied")
	if len(f.asked)+len(f.connections()) > 0 {
		t.Errorf("it asked for %q and dialled %q", f.asked, f.connections())
	}
}

func TestWithoutKnowingWhatIsAroundNothingIsDialled(t *testing.T) {
	f := &faraway{}
	d := f.dialer()
	d.around = (&ward{network: newMachine()}).around
	if _, err := d.dial(t.Context(), "tcp", "93.184.216.34:80", true); !errors.Is(err, errNowhere) {
		t.Errorf("before there is a table: %v", err)
	}
	if len(f.connections()) > 0 {
		t.Errorf("it dialled %q", f.connections())
	}
}

// An address at which nobody answers, not even to refuse, holds the others up for a moment only.
func TestAnAddressThatIsSilentDoesNotHoldTheOthersUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer func() { _, _ = ours.Close(), theirs.Close() }()
		f := &faraway{answers: map[string][][]netip.Addr{"two.example": {addrs("2606:2800::1", "93.184.216.34")}}}
		d := f.dialer()
		d.connect = func(ctx context.Context, _, address string) (net.Conn, error) {
			if address == "93.184.216.34:443" {
				return ours, nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}
		begun := time.Now()
		conn, err := d.dial(t.Context(), "tcp", "two.example:443", false)
		if err != nil || conn != ours || time.Since(begun) != headStart {
			t.Errorf("%v, %v after %s", conn, err, time.Since(begun))
		}
	})
}

func TestAConnectionThatComesTooLateIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, theirs := net.Pipe()
		f := &faraway{answers: map[string][][]netip.Addr{"two.example": {addrs("93.184.216.34", "93.184.216.35")}}}
		d := f.dialer()
		d.connect = func(ctx context.Context, _, address string) (net.Conn, error) {
			if address == "93.184.216.35:443" {
				other, _ := net.Pipe()
				return other, nil
			}
			<-ctx.Done()
			return first, nil
		}
		conn, err := d.dial(t.Context(), "tcp", "two.example:443", false)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := theirs.Read(make([]byte, 1)); err == nil {
			t.Error("the other one is open")
		}
	})
}

func TestWhenNobodyAnswersTheFirstErrorIsTold(t *testing.T) {
	f := &faraway{answers: map[string][][]netip.Addr{"two.example": {addrs("93.184.216.34", "93.184.216.35")}}}
	_, err := f.dialer().dial(t.Context(), "tcp", "two.example:443", false)
	if got := f.connections(); !errors.Is(err, syscall.ECONNREFUSED) || len(got) != 2 {
		t.Errorf("%v after %q", err, got)
	}
	if _, err = f.dialer().dial(t.Context(), "tcp", "none.example:443", false); stageOf(err) != routetable.StageDNS {
		t.Errorf("a name that is not there: %v", err)
	}
}
