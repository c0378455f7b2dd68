package fakeengine

import (
	"maps"
	"slices"
	"testing"

	"credproxy.dev/controller/internal/drivertest"
	"credproxy.dev/controller/pkg/reconcile"
)

func TestContract(t *testing.T) { contract(t, Docker) }

func TestContractWithPodmansManners(t *testing.T) { contract(t, Podman) }

func contract(t *testing.T, manners Manners) {
	drivertest.Run(t, func(*testing.T) drivertest.Env {
		e := New(0)
		e.SetManners(manners)
		return drivertest.Env{
			Driver:   e.Driver("one"),
			Again:    func() drivertest.Driver { return e.Driver("one") },
			Stranger: e.Driver("other"),
			Instance: "one", Prefix: "contract",
			Requests: func() int { return requests(e) },
			Podman:   manners == Podman,
			Hands:    hands{e},
		}
	})
}

// requests is how many requests a real driver would have made for the calls so far.
func requests(e *Engine) (n int) {
	for verb, times := range e.Calls() {
		n += times
		if verb == Observe {
			n += times // one list of containers, and one of networks
		}
	}
	return n
}

// hands are drivertest.Hands on the fake.
type hands struct{ *Engine }

func (h hands) AddNetwork(_ *testing.T, name string, internal bool) string {
	return h.Engine.AddNetwork(name, internal)
}

func (h hands) RemoveNetwork(_ *testing.T, id string) { h.Engine.RemoveNetwork(id) }

func (h hands) AddContainer(_ *testing.T, c drivertest.Container) string {
	image := "image-of-" + c.Name
	h.AddImage(image, Mute, c.ImageLabels)
	f := Foreign{Name: c.Name, Image: image, Reach: c.Reach}
	if c.NetworkID != "" {
		f.Networks = map[string][]string{c.NetworkID: c.Aliases}
	}
	return h.Engine.AddContainer(f)
}

func (h hands) CrashingImage(*testing.T) string { return h.AddImage("crashing", Crashing, nil) }

func (h hands) Stop(_ *testing.T, id string) { h.StopContainer(id) }
func (h hands) Kill(_ *testing.T, id string) { h.KillContainer(id) }

func (h hands) ForbidRestarts(_ *testing.T, id string) { h.Engine.ForbidRestarts(id) }

func (h hands) RemoveContainer(_ *testing.T, id string) { h.Engine.RemoveContainer(id, false) }

func (h hands) Connect(_ *testing.T, id, network string, aliases ...string) {
	h.ConnectContainer(id, network, aliases...)
}

func (h hands) Disconnect(_ *testing.T, id, network string) { h.DisconnectContainer(id, network) }

func (h hands) Upstream(*testing.T, string) string { return "http://upstream.test" }

func (h hands) Ask(_ *testing.T, q drivertest.Question) {
	h.UpstreamAnswers(q.ContainerID, q.Route, q.Status)
}

func (h hands) Name(_ *testing.T, id string) string {
	c, _ := h.Container(id)
	return c.Name
}

func (h hands) Running(_ *testing.T, id string) bool {
	c, _ := h.Container(id)
	return c.State == reconcile.StateRunning
}

func (h hands) Variable(_ *testing.T, id, name string) string {
	c, _ := h.Container(id)
	return c.Env[name]
}

func (h hands) Volume(_ *testing.T, id string) string {
	c, _ := h.Container(id)
	return c.Volume
}

func (h hands) Files(_ *testing.T, id string) (names []string) {
	c, _ := h.Container(id)
	for _, v := range h.Snapshot().Volumes {
		if v.Name == c.Volume {
			names = slices.Sorted(maps.Keys(v.Files))
		}
	}
	return names
}

func (h hands) VolumeExists(_ *testing.T, name string) bool {
	for _, v := range h.Snapshot().Volumes {
		if v.Name == name {
			return true
		}
	}
	return false
}
