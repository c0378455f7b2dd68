package dockerdriver

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/docker/docker/api/types/network"
	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/reconcile"
)

// What shuts a network in has another name in each engine.
func TestNetworksAreMadeShutIn(t *testing.T) {
	for name, c := range map[string]struct {
		api      string
		internal bool
		want     map[string]string
	}{
		"Docker 20.10, internal": {"1.41", true, map[string]string{"com.docker.network.bridge.inhibit_ipv4": "true"}},
		"Docker 27, internal":    {"1.47", true, map[string]string{"com.docker.network.bridge.inhibit_ipv4": "true"}},
		"Docker 28, internal": {"1.48", true, map[string]string{
			"com.docker.network.bridge.gateway_mode_ipv4": "isolated", "com.docker.network.bridge.gateway_mode_ipv6": "isolated"}},
		"Docker 20.10, egress": {"1.41", false, map[string]string{"com.docker.network.bridge.enable_icc": "false"}},
		"Docker 28, egress":    {"1.51", false, map[string]string{"com.docker.network.bridge.enable_icc": "false"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeEngine(t)
			f.api = c.api
			f.answer("GET /networks", http.StatusOK, []fields{})
			asked := f.networksAsked(fields{"Id": "n1"})
			id, err := f.driver().EnsureNetwork(t.Context(), reconcile.NetworkRequest{Name: "web", SpecName: "web", Internal: c.internal})
			if err != nil || id != "n1" {
				t.Fatalf("got %q, %v", id, err)
			}
			got := <-asked
			if diff := cmp.Diff(c.want, got.Options); diff != "" {
				t.Error(diff)
			}
			if got.Internal != c.internal || got.Driver != bridge || got.EnableIPv6 != nil && *got.EnableIPv6 || got.IPAM != nil && len(got.IPAM.Config) > 0 {
				t.Errorf("it is asked for as %+v", got)
			}
		})
	}
}

// Podman has no such options. It warns, and makes the network all the same; what came of it is seen in its list.
func TestWhatAnEngineIgnoredIsSeen(t *testing.T) {
	f := newFakeEngine(t)
	f.answer("GET /networks", http.StatusOK, []fields{})
	f.answer("GET /containers/json", http.StatusOK, []fields{})
	asked := f.networksAsked(fields{"Id": "n1", "Warning": `"com.docker.network.bridge.inhibit_ipv4: true" is not a recognized option`})
	d := f.driver()
	if _, err := d.EnsureNetwork(t.Context(), reconcile.NetworkRequest{Name: "web", SpecName: "web", Internal: true}); err != nil {
		t.Fatal(err)
	}
	made := <-asked
	f.answer("GET /networks", http.StatusOK, []fields{{"Id": "n1", "Name": "web", "Driver": bridge, "Internal": true, "Labels": made.Labels, "Options": fields{}}})
	o, err := d.Observe(t.Context())
	if err != nil || len(o.Networks) != 1 || !o.Networks[0].HostReachable || o.Networks[0].SpecName != "web" {
		t.Errorf("got %+v, %v", o, err)
	}
}

// networksAsked answers requests to make a network, and hands them on.
func (f *fakeEngine) networksAsked(answer any) <-chan network.CreateRequest {
	asked := make(chan network.CreateRequest, 100)
	f.on("POST /networks/create", func(w http.ResponseWriter, r *http.Request) {
		var req network.CreateRequest
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
			f.t.Error(err)
		}
		asked <- req
		reply(w, http.StatusCreated, answer)
	})
	return asked
}

// The way out of a sidecar is its egress network, where an engine can be told.
func TestTheWayOutIsTheNetworkWithoutAnAlias(t *testing.T) {
	for name, c := range map[string]struct {
		api     string
		aliases []string
		want    int
	}{
		"egress":                      {"1.48", nil, 1},
		"internal":                    {"1.48", []string{"cred-proxy"}, 0},
		"an engine that does not ask": {"1.47", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeEngine(t)
			f.api = c.api
			asked := make(chan network.ConnectOptions, 1)
			f.on("POST /networks/n1/connect", func(w http.ResponseWriter, r *http.Request) {
				var req network.ConnectOptions
				if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
					t.Error(err)
				}
				asked <- req
				reply(w, http.StatusOK, nil)
			})
			if err := f.driver().Connect(t.Context(), "c1", "n1", c.aliases...); err != nil {
				t.Fatal(err)
			}
			if got := <-asked; got.EndpointConfig.GwPriority != c.want {
				t.Errorf("it is connected as %+v", got.EndpointConfig)
			}
		})
	}
}
