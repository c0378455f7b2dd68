package dockerdriver

import (
	"net/http"
	"slices"
	"testing"

	"github.com/docker/docker/api/types/events"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/reconcile"
)

// volumesOf makes the fake have volumes of ours, and one that claims nothing.
func (f *fakeEngine) volumesOf(specName string, names ...string) {
	all := []fields{{"Name": "nobody's", "Labels": map[string]string{LabelInstance: "default"}}}
	for _, name := range names {
		all = append(all, fields{"Name": name, "Labels": map[string]string{LabelInstance: "default", LabelName: specName}})
	}
	f.answer("GET /volumes", http.StatusOK, fields{"Volumes": all})
}

// straysOf looks, and returns the names of the strays.
func straysOf(t *testing.T, d *Driver) (names []string) {
	t.Helper()
	o, err := d.Observe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range o.StrayVolumes {
		names = append(names, v.Name)
	}
	return names
}

func TestVolumesAreListedWhenThereIsAReasonTo(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(*fakeEngine, *Driver)
		want      float64
	}{
		"nothing happened":     {func(*fakeEngine, *Driver) {}, 0},
		"a sidecar went":       {func(_ *fakeEngine, d *Driver) { d.translate(destroyed("default")) }, 1},
		"another's went":       {func(_ *fakeEngine, d *Driver) { d.translate(destroyed("other")) }, 0},
		"all was forgotten":    {func(_ *fakeEngine, d *Driver) { d.Forget() }, 1},
		"a sidecar is removed": {func(_ *fakeEngine, d *Driver) { d.Forget(); d.strays.move() }, 0},
		"one was removed":      {func(_ *fakeEngine, d *Driver) { d.Forget(); d.strays.move()() }, 1},
		"a look was given up":  {func(f *fakeEngine, d *Driver) { d.Forget(); failedLook(t, f, d) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeEngine(t)
			f.sidecarOn("exited")
			f.volumesOf("web", "v1")
			registry := prometheus.NewRegistry()
			d := f.driver(func(o *Options) { o.Registerer = registry })
			look := func() float64 {
				before := requests(t, registry)
				straysOf(t, d)
				return difference(requests(t, registry), before)["volume_list"]
			}
			if got := look(); got != 1 {
				t.Fatalf("at first they are listed %v times", got)
			}
			c.meanwhile(f, d)
			if got := look(); got != c.want {
				t.Errorf("they are listed %v times", got)
			}
			if got := look(); got != 0 {
				t.Errorf("and then %v times", got)
			}
		})
	}
}

// failedLook looks while the engine cannot list its containers.
func failedLook(t *testing.T, f *fakeEngine, d *Driver) {
	t.Helper()
	f.answer("GET /containers/json", http.StatusInternalServerError, failure("no list"))
	if _, err := d.Observe(t.Context()); err == nil {
		t.Error("it did not fail")
	}
	f.sidecarOn("exited")
}

func TestAVolumeThatAContainerUsesIsNoStray(t *testing.T) {
	mounts := []fields{{"Type": "volume", "Name": "v1", "Destination": volumeRoot}}
	for name, c := range map[string]struct {
		listed, inspected []fields
		status            int
		want              []string
	}{
		"the list says so":                  {mounts, nil, http.StatusOK, []string{"v2"}},
		"only the inspection says so":       {nil, mounts, http.StatusOK, []string{"v2"}},
		"nobody does":                       {nil, nil, http.StatusOK, []string{"v1", "v2"}},
		"the sidecar cannot be looked into": {nil, nil, http.StatusInternalServerError, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeEngine(t)
			f.sidecarWith(c.listed, c.inspected, c.status)
			f.volumesOf("web", "v2", "v1")
			if diff := cmp.Diff(c.want, straysOf(t, f.driver())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// sidecarWith makes the fake have one sidecar that uses volumes, as the list and the inspection tell them.
func (f *fakeEngine) sidecarWith(listed, inspected []fields, status int) {
	labels := map[string]string{LabelInstance: "default", LabelName: "web"}
	f.answer("GET /networks", http.StatusOK, []fields{})
	f.answer("GET /containers/json", http.StatusOK, []fields{{"Id": "c1", "State": "exited", "Labels": labels, "Mounts": listed}})
	f.answer("GET /containers/c1/json", status, fields{
		"Id": "c1", "State": fields{"Status": "exited"}, "Config": fields{"Labels": labels}, "Mounts": inspected,
		"HostConfig": fields{"Mounts": []fields{{"Type": "volume", "Target": volumeRoot, "VolumeOptions": fields{"Labels": labels}}}},
	})
}

func TestARemovalDuringALookMakesNoStray(t *testing.T) {
	f := newFakeEngine(t)
	f.volumesOf("web", "v1")
	f.answer("GET /networks", http.StatusOK, []fields{})
	d := f.driver()
	f.on("GET /containers/json", func(w http.ResponseWriter, _ *http.Request) {
		d.strays.move()() // it began after the volumes were listed, and was done before the containers were
		reply(w, http.StatusOK, []fields{})
	})
	if got := straysOf(t, d); got != nil {
		t.Errorf("%q is taken for a stray", got)
	}
	f.answer("GET /containers/json", http.StatusOK, []fields{})
	if got := straysOf(t, d); !slices.Equal(got, []string{"v1"}) {
		t.Errorf("then the strays are %q", got)
	}
}

func TestAnEngineThatCannotListItsVolumesIsLookedAtAllTheSame(t *testing.T) {
	f := newFakeEngine(t)
	f.sidecarOn("exited")
	f.answer("GET /volumes", http.StatusInternalServerError, failure("a plugin does not answer"))
	d := f.driver()
	for range 2 {
		if o, err := d.Observe(t.Context()); err != nil || len(o.Sidecars) != 1 || o.StrayVolumes != nil {
			t.Errorf("got %+v, %v", o, err)
		}
	}
	if n := f.times("GET /volumes"); n != 1 {
		t.Errorf("the volumes were listed %d times", n)
	}
}

func TestAVolumeInUseStays(t *testing.T) {
	f := newFakeEngine(t)
	f.answer("GET /networks", http.StatusOK, []fields{})
	f.answer("GET /containers/json", http.StatusOK, []fields{})
	f.volumesOf("web", "v1")
	d := f.driver()
	if got := straysOf(t, d); len(got) != 1 {
		t.Fatalf("the strays are %q", got)
	}
	f.answer("DELETE /volumes/v1", http.StatusConflict, failure("volume is in use - [c9]"))
	if err := d.RemoveVolume(t.Context(), "v1"); !mentions(err, "a container uses the volume, so it stays") || !mentions(err, "[c9]") {
		t.Errorf("got %v", err)
	}
	if got := straysOf(t, d); got != nil {
		t.Errorf("it is still among the strays: %q", got)
	}
}

func TestAStrayThatSomebodyUsesIsNoneAnyMore(t *testing.T) {
	f := newFakeEngine(t)
	f.answer("GET /networks", http.StatusOK, []fields{})
	f.answer("GET /containers/json", http.StatusOK, []fields{})
	f.volumesOf("web", "v1")
	d := f.driver()
	o, err := d.Observe(t.Context())
	if err != nil || !slices.Equal(o.StrayVolumes, []reconcile.Volume{{Name: "v1", SpecName: "web"}}) {
		t.Fatalf("got %+v, %v", o, err)
	}
	f.answer("GET /containers/json", http.StatusOK, []fields{{"Id": "c9", "State": "running",
		"Mounts": []fields{{"Type": "volume", "Name": "v1"}}}})
	if got := straysOf(t, d); got != nil {
		t.Errorf("the strays are %q", got)
	}
}

func destroyed(instance string) events.Message {
	return events.Message{Type: events.ContainerEventType, Action: events.ActionDestroy, Actor: events.Actor{
		ID: "c1", Attributes: map[string]string{LabelInstance: instance, LabelName: "web"}}}
}
