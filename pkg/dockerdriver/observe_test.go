package dockerdriver

import (
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

func TestAContainerThatGoesBetweenListAndInspectionIsNotThere(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("running")
	f.answer("GET /containers/c1/json", http.StatusNotFound, failure("no such container"))
	o, err := f.driver().Observe(t.Context())
	if err != nil || len(o.Sidecars)+len(o.Others) != 0 {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestLabelsWhoseOriginCannotBeToldDoNotCount(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("exited")
	f.answer("GET /containers/c1/json", http.StatusOK, fields{"Id": "c1", "Image": "gone", "Config": fields{"Labels": map[string]string{
		LabelInstance: "default", LabelName: "web"}}})
	o, err := f.driver().Observe(t.Context())
	if err != nil || len(o.Sidecars) != 0 || len(o.Others) != 1 {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestWhatIsInspectedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(*fakeEngine, *Driver)
		want      bool
	}{
		"nothing happened":          {func(*fakeEngine, *Driver) {}, false},
		"its state changed":         {func(f *fakeEngine, _ *Driver) { f.sidecarOn("dead") }, true},
		"an event was about it":     {func(_ *fakeEngine, d *Driver) { d.marks.put("c1") }, true},
		"an event was about others": {func(_ *fakeEngine, d *Driver) { d.marks.put("c2") }, false},
		"all was forgotten":         {func(_ *fakeEngine, d *Driver) { d.Forget() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeEngine(t)
			f.sidecarOn("exited")
			registry := prometheus.NewRegistry()
			d := f.driver(func(o *Options) { o.Registerer = registry })
			look := func() map[string]float64 {
				before := requests(t, registry)
				if _, err := d.Observe(t.Context()); err != nil {
					t.Fatal(err)
				}
				made := difference(requests(t, registry), before)
				delete(made, "volume_list") // has reasons of its own
				delete(made, "version")     // so has this
				return made
			}
			look()
			c.meanwhile(f, d)
			want := map[string]float64{"container_list": 1, "network_list": 1}
			settled := want
			if c.want {
				want = map[string]float64{"container_list": 1, "network_list": 1, "container_inspect": 1}
			}
			if diff := cmp.Diff(want, look()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(settled, look()); diff != "" {
				t.Errorf("and then: %s", diff)
			}
		})
	}
}

func TestASidecarThatDoesNotAnswerIsSeenWithoutAReport(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("running")
	hold := make(chan struct{})
	defer close(hold)
	f.attached(func(_, _ io.Writer) { <-hold })
	f.answer("POST /containers/c1/kill", http.StatusNoContent, nil)
	o, err := f.driver().Observe(t.Context())
	if err != nil || len(o.Sidecars) != 1 || o.Sidecars[0].Report != nil {
		t.Fatalf("got %+v, %v", o, err)
	}
	if !f.was("POST /containers/c1/kill") {
		t.Error("it was not asked")
	}
}

func TestAStreamThatEndsIsAttachedToAgain(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("running")
	f.answer("POST /containers/c1/kill", http.StatusNoContent, nil)
	say := func(generation int64) func(stdout, _ io.Writer) {
		return func(stdout, _ io.Writer) {
			_, _ = stdout.Write(routetable.Report{Event: routetable.EventState, Generation: generation, Serving: true}.Line())
		}
	}
	f.attached(say(1))
	d := f.driver()
	if _, err := d.Observe(t.Context()); err != nil {
		t.Fatal(err)
	}
	soon(t, "the stream ended", func() bool { return !d.streams.heard("c1") })
	hold := make(chan struct{})
	defer close(hold)
	f.attached(func(stdout, stderr io.Writer) { say(2)(stdout, stderr); <-hold })
	soon(t, "the second stream is heard", func() bool {
		o, err := d.Observe(t.Context())
		return err == nil && o.Sidecars[0].Report != nil && o.Sidecars[0].Report.Generation == 2
	})
}

func TestAnEndpointsNetworkIsFoundWhateverItIsCalled(t *testing.T) {
	d := newFakeEngine(t).driver()
	table := d.newNetworkTable([]network.Summary{
		{ID: "n1", Name: "web-internal"}, {ID: "n2", Name: "twice"}, {ID: "n3", Name: "twice"},
	})
	for name, c := range map[string]struct{ id, key, want string }{
		"Docker, running":                        {"n1", "web-internal", "n1"},
		"Docker 20.10, never run":                {"", "web-internal", "n1"},
		"never run, created by the network's ID": {"", "n1", "n1"},
		"Podman: the ID is a name":               {"web-internal", "web-internal", "n1"},
		"a name that two networks bear":          {"", "twice", ""},
		"the ID decides between two":             {"n3", "twice", "n3"},
		"a network that is gone":                 {"n9", "gone", ""},
		"a name that another network took over":  {"n9", "web-internal", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := table.find(c.id, c.key); got.ID != c.want {
				t.Errorf("got %q", got.ID)
			}
		})
	}
}

func TestGateways(t *testing.T) {
	for name, c := range map[string]struct {
		config network.IPAMConfig
		want   []string
	}{
		"reported":                   {network.IPAMConfig{Subnet: "10.1.0.0/16", Gateway: "10.1.0.7"}, []string{"10.1.0.7"}},
		"reported with its prefix":   {network.IPAMConfig{Subnet: "10.1.0.0/16", Gateway: "10.1.0.7/16"}, []string{"10.1.0.7"}},
		"not reported":               {network.IPAMConfig{Subnet: "10.1.0.0/16"}, []string{"10.1.0.1"}},
		"not reported, with a range": {network.IPAMConfig{Subnet: "10.1.0.0/16", IPRange: "10.1.128.0/17"}, []string{"10.1.0.1", "10.1.128.0", "10.1.128.1"}},
		"not reported, version 6":    {network.IPAMConfig{Subnet: "fd00::/64"}, []string{"fd00::1"}},
		"no subnet at all":           {network.IPAMConfig{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, gateways(c.config, true)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Where the host has no address, an engine may give to a container what would have been the host's.
func TestOnlyAReportedGatewayIsOneWhereTheHostHasNone(t *testing.T) {
	if got := gateways(network.IPAMConfig{Subnet: "10.1.0.0/28"}, false); got != nil {
		t.Errorf("got %q", got)
	}
	if got := gateways(network.IPAMConfig{Subnet: "10.1.0.0/28", Gateway: "10.1.0.1"}, false); !slices.Equal(got, []string{"10.1.0.1"}) {
		t.Errorf("got %q", got)
	}
}

func TestWhereTheHostCanBeDialled(t *testing.T) {
	for name, c := range map[string]struct {
		driver  string
		options map[string]string
		want    bool
	}{
		"a bridge":                        {bridge, nil, true},
		"a bridge without its address":    {bridge, map[string]string{optionInhibitIPv4: "true"}, false},
		"as the engine reads it":          {bridge, map[string]string{optionInhibitIPv4: "1"}, false},
		"with its address, said so":       {bridge, map[string]string{optionInhibitIPv4: "false"}, true},
		"said in a way that no one knows": {bridge, map[string]string{optionInhibitIPv4: "yes"}, true},
		"an isolated gateway":             {bridge, map[string]string{optionGatewayMode: "isolated"}, false},
		"a routed gateway":                {bridge, map[string]string{optionGatewayMode: "routed"}, true},
		"an overlay":                      {overlay, nil, false},
		"a driver that is not known":      {"macvlan", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := hostReachable(network.Summary{Driver: c.driver, Options: c.options}); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestAContainersOwnNameIsToldFromLinks(t *testing.T) {
	if got := nameIn(container.Summary{Names: []string{"/other/alias", "/own"}}); got != "own" {
		t.Errorf("got %q", got)
	}
	if got := nameIn(container.Summary{ID: "0123456789abcdef"}); got != "0123456789ab" {
		t.Errorf("got %q", got)
	}
}

func TestNewerEnginesListTheNamesThatResolve(t *testing.T) {
	var c container.InspectResponse
	c.ContainerJSONBase = &container.ContainerJSONBase{ID: "0123456789abcdef"}
	c.NetworkSettings = &container.NetworkSettings{Networks: map[string]*network.EndpointSettings{
		"in": {Aliases: []string{"given", "0123456789ab"}, DNSNames: []string{"agent", "given", "0123456789ab", "host-name"}},
	}}
	if got := resolvable(c)["in"]; !slices.Equal(got, []string{"agent", "given", "host-name"}) {
		t.Errorf("got %q", got)
	}
	if got := aliasesOf(c)["in"]; !slices.Equal(got, []string{"given"}) {
		t.Errorf("got %q", got)
	}
}

func TestPodmansStatesHaveDockersNames(t *testing.T) {
	for word, want := range map[string]reconcile.ContainerState{
		"configured": reconcile.StateCreated, "stopped": reconcile.StateExited, "running": reconcile.StateRunning,
	} {
		if got := stateOf(word); got != want {
			t.Errorf("%s is %s", word, got)
		}
	}
}
