package dockerdriver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/network"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/subnet"
)

// registry is the networks of a fake engine, which lists those that it made.
type registry struct {
	t  *testing.T
	mu sync.Mutex
	// hidden are subnets that are refused, and that no list shows.
	hidden []string
	made   []network.CreateRequest
}

// registry makes the fake make networks.
func (f *fakeEngine) registry(hidden ...string) *registry {
	r := &registry{t: f.t, hidden: hidden}
	f.on("GET /networks", func(w http.ResponseWriter, _ *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		listed := []fields{}
		for i, n := range r.made {
			listed = append(listed, fields{"Id": fmt.Sprint("n", i+1), "Name": n.Name, "Driver": n.Driver, "IPAM": n.IPAM})
		}
		reply(w, http.StatusOK, listed)
	})
	f.on("POST /networks/create", r.create)
	return r
}

func (r *registry) create(w http.ResponseWriter, req *http.Request) {
	var asked network.CreateRequest
	if err := json.NewDecoder(req.Body).Decode(&asked); err != nil {
		r.t.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range subnetsOf(asked) {
		if slices.Contains(r.hidden, s) {
			reply(w, http.StatusForbidden, failure("Pool overlaps with other one on this address space"))
			return
		}
		for _, n := range r.made {
			for _, u := range subnetsOf(n) {
				if netip.MustParsePrefix(u).Overlaps(netip.MustParsePrefix(s)) {
					r.t.Errorf("%s is asked for with %s, which %s has", asked.Name, s, n.Name)
				}
			}
		}
	}
	r.made = append(r.made, asked)
	reply(w, http.StatusCreated, fields{"Id": fmt.Sprint("n", len(r.made))})
}

func subnetsOf(n network.CreateRequest) (subnets []string) {
	if n.IPAM == nil {
		return nil
	}
	for _, c := range n.IPAM.Config {
		subnets = append(subnets, c.Subnet)
	}
	return subnets
}

// withPools makes a driver with pools, on a host that uses some ranges.
func (f *fakeEngine) withPools(host []string, pools ...string) *Driver {
	d := f.driver(func(o *Options) {
		for _, cidr := range pools {
			p, err := subnet.Parse(cidr)
			if err != nil {
				f.t.Fatal(err)
			}
			o.Pools = append(o.Pools, p)
		}
	})
	d.addresses.host = func() (taken []subnet.Taken) {
		for _, cidr := range host {
			taken = append(taken, subnet.Taken{Prefix: netip.MustParsePrefix(cidr), By: "interface eth0"})
		}
		return taken
	}
	return d
}

func request(name string, internal bool) reconcile.NetworkRequest {
	return reconcile.NetworkRequest{Name: name, SpecName: "web", Internal: internal}
}

// Networks get the next free subnets of the operator's, and IPv6 only where it leads out.
func TestNetworksGetTheOperatorsAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		host, pools, hidden []string
		internal, egress    []string
		v6                  bool
	}{
		"one pool":                {nil, []string{"10.200.0.0/16"}, nil, []string{"10.200.0.0/28"}, []string{"10.200.0.16/28"}, false},
		"what the host uses":      {[]string{"10.200.0.0/24"}, []string{"10.200.0.0/16"}, nil, []string{"10.200.1.0/28"}, []string{"10.200.1.16/28"}, false},
		"what nobody told":        {nil, []string{"10.200.0.0/16"}, []string{"10.200.0.0/28", "10.200.0.16/28"}, []string{"10.200.0.32/28"}, []string{"10.200.0.48/28"}, false},
		"a second pool":           {nil, []string{"10.200.0.0/28", "10.201.0.0/16"}, nil, []string{"10.200.0.0/28"}, []string{"10.201.0.0/28"}, false},
		"both families":           {nil, []string{"fd12::/48", "10.200.0.0/16"}, nil, []string{"10.200.0.0/28"}, []string{"10.200.0.16/28", "fd12::/64"}, true},
		"IPv4 of the engine's":    {nil, []string{"fd12::/48"}, nil, nil, []string{"fd12::/64"}, true},
		"all of the engine's":     {nil, nil, nil, nil, nil, false},
		"a host that is on other": {[]string{"192.168.0.0/16"}, []string{"10.200.0.0/16"}, nil, []string{"10.200.0.0/28"}, []string{"10.200.0.16/28"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeEngine(t)
			r := f.registry(c.hidden...)
			d := f.withPools(c.host, c.pools...)
			for _, req := range []reconcile.NetworkRequest{request("in", true), request("out", false)} {
				if _, err := d.EnsureNetwork(t.Context(), req); err != nil {
					t.Fatal(err)
				}
			}
			if in := r.made[0]; !slices.Equal(subnetsOf(in), c.internal) || in.EnableIPv6 != nil {
				t.Errorf("the internal one has %q, %v", subnetsOf(in), in.EnableIPv6)
			}
			if out := r.made[1]; !slices.Equal(subnetsOf(out), c.egress) || (out.EnableIPv6 != nil && *out.EnableIPv6) != c.v6 {
				t.Errorf("the egress one has %q, %v", subnetsOf(out), out.EnableIPv6)
			}
		})
	}
}

// Workers that make networks at the same time never ask for the same addresses.
func TestNetworksMadeAtOnceGetAddressesOfTheirOwn(t *testing.T) {
	f := newFakeEngine(t)
	r := f.registry()
	d := f.withPools(nil, "10.200.0.0/24")
	var group sync.WaitGroup
	for i := range 16 { // a /24 has just so many
		group.Go(func() {
			if _, err := d.EnsureNetwork(t.Context(), request(fmt.Sprint("net", i), i%2 == 0)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(r.made) != 16 || len(d.addresses.reserved) != 0 {
		t.Errorf("%d were made, and %v is reserved", len(r.made), d.addresses.reserved)
	}
	_, err := d.EnsureNetwork(t.Context(), request("one too many", true))
	if !mentions(err, "one too many", "10.200.0.0/24", "16 ranges in it are in use", "--network-pool") {
		t.Errorf("got %v", err)
	}
}

// An engine that refuses everything is not asked for ever.
func TestRefusedAddressesAreGivenUpSometime(t *testing.T) {
	f := newFakeEngine(t)
	f.answer("GET /networks", http.StatusOK, []fields{})
	f.answer("POST /networks/create", http.StatusInternalServerError, failure("subnet is already used on the host or by another config"))
	d := f.withPools(nil, "10.200.0.0/16")
	if _, err := d.EnsureNetwork(t.Context(), request("net", true)); !mentions(err, "already used") {
		t.Errorf("got %v", err)
	}
	if n := f.times("POST /networks/create"); n != overlapsTried || len(d.addresses.reserved) != 0 {
		t.Errorf("%d tries, and %v is reserved", n, d.addresses.reserved)
	}
}

// Where the engine's own addresses are at an end, it is said how to give it others.
func TestTheEndOfTheEnginesAddressesNamesTheFlag(t *testing.T) {
	for engine, words := range map[string]string{
		"Docker 20.10": "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
		"Docker 28":    "all predefined address pools have been fully subnetted",
		"Podman":       "could not find free subnet from subnet pools",
	} {
		t.Run(engine, func(t *testing.T) {
			f := newFakeEngine(t)
			f.answer("GET /networks", http.StatusOK, []fields{})
			f.answer("POST /networks/create", http.StatusInternalServerError, failure(words))
			if _, err := f.driver().EnsureNetwork(t.Context(), request("net", true)); !mentions(err, words, "--network-pool") {
				t.Errorf("got %v", err)
			}
		})
	}
}
