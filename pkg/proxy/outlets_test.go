package proxy

import (
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

// closing is a transport of which it is known whether its connections were given up.
type closing struct {
	http.RoundTripper
	closed int
}

func (c *closing) CloseIdleConnections() { c.closed++ }

func TestATransportStaysForAsLongAsARouteTakesItsWay(t *testing.T) {
	made := map[way]*closing{}
	outlets := newOutlets(func(w way, _ *tls.Certificate) (http.RoundTripper, error) {
		if made[w] != nil {
			return nil, errors.New("made twice")
		}
		made[w] = &closing{}
		return made[w], nil
	})
	private := routetable.Route{Path: "/p", Upstream: "https://p.test", AllowPrivate: true}
	proxy := serveOutlets(t, outlets, routeTo("https://r.test"), private)
	open, shut := made[way{}], made[way{allowPrivate: true}]
	if len(made) != 2 {
		t.Fatalf("%d transports for two ways", len(made))
	}
	for _, step := range []struct {
		routes       []routetable.Route
		open, closed int
	}{
		{[]routetable.Route{private, routeTo("https://other.test")}, 0, 0},
		{[]routetable.Route{routeTo("https://r.test")}, 0, 1},
	} {
		if err := proxy.Swap(load(t, step.routes...)); err != nil {
			t.Fatal(err)
		}
		if open.closed != step.open || shut.closed != step.closed {
			t.Errorf("%v: closed %d and %d times", step.routes, open.closed, shut.closed)
		}
	}
	if err := proxy.Swap(load(t, private)); err == nil || !strings.Contains(err.Error(), "route /p: made twice") {
		t.Errorf("a way that cannot be made: %v", err)
	}
	if proxy.table.Load().routes[0].path != "/r" || open.closed != 0 {
		t.Error("the table before does not serve on")
	}
}
