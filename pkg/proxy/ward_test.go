package proxy

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

// An upstream whose name leads to the internal network, where agents are, gets nothing: least of all the token. Neither does
// the host, nor the sidecar itself, whatever the route permits.
func TestNothingLeavesByTheInternalNetwork(t *testing.T) {
	f := &faraway{answers: map[string][][]netip.Addr{"impostor": {addrs("10.9.9.9")}}}
	egress := Place{3, "eth1", addrOf("10.7.7.2")}
	m := newMachine(internal(), egress)
	outside := &ward{network: m}
	d := newDialer(newHostWayOut(), outside.around)
	d.lookup, d.connect = f.lookup, f.connect
	outlets := newOutlets(func(w way, own *tls.Certificate) (http.RoundTripper, error) {
		return newTransport(d, usualConnections, w, own)
	})
	proxy := serveOutlets(t, outlets,
		routetable.Route{Path: "/name", Upstream: "http://impostor", Auth: bearer(), AllowPrivate: true},
		routetable.Route{Path: "/address", Upstream: "http://10.9.9.9", Auth: bearer(), AllowPrivate: true},
		routetable.Route{Path: "/host", Upstream: "http://93.184.216.1", Auth: bearer(), AllowPrivate: true},
		routetable.Route{Path: "/bridge", Upstream: "http://172.17.0.1", Auth: bearer(), AllowPrivate: true},
		routetable.Route{Path: "/itself", Upstream: "http://10.7.7.2", Auth: bearer(), AllowPrivate: true},
	)
	where, err := perimeterOf(routetable.Table{Listen: ":1", InternalSubnets: []string{"10.9.0.0/16"}, HostAddresses: []string{"172.17.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	outside.watch(where)
	for path, want := range map[string]string{"/name": "internal network", "/address": "internal network", "/host": "host", "/bridge": "host", "/itself": "own"} {
		res, body := get(t, proxy.url(path+"/x"))
		wantRefusal(t, res, body, http.StatusForbidden, "denied")
		if !strings.Contains(body, want) || path == "/name" && strings.Contains(body, "10.9.9.9") {
			t.Errorf("%s: %s", path, body)
		}
	}
	if got := f.connections(); len(got) != 0 {
		t.Errorf("it dialled %q", got)
	}
}

// The whole sidecar dials like that, without being told to.
func TestASidecarJudgesWhatItDials(t *testing.T) {
	impostor := newRecorder(t)
	m := newMachine(internal())
	s := startOn(t, m, nil, nil)
	s.machine = m
	s.push(t, seal(t, 1, routetable.Route{Path: "/r", Upstream: impostor.URL, Auth: bearer(), AllowPrivate: true}))
	s.wantReport(t, ready(1))
	res, body := get(t, "http://"+s.addr(internal())+"/r/x")
	wantRefusal(t, res, body, http.StatusForbidden, "denied")
	if got := impostor.all(); len(got) != 0 {
		t.Errorf("it heard %+v", got)
	}
}
