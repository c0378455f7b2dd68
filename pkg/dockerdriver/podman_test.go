package dockerdriver

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// What Podman 4.3 answers, as it was seen.

func newFakePodman(t *testing.T) *fakeEngine {
	t.Helper()
	f := newFakeEngine(t)
	f.answer("GET /version", http.StatusOK, fields{"Arch": "amd64", "Components": []fields{{"Name": "Podman Engine", "Version": "4.3.1"}}})
	f.answer("POST /volumes/create", http.StatusCreated, fields{"Name": "v1"})
	f.answer("DELETE /volumes/v1", http.StatusNoContent, nil)
	return f
}

// podmansSidecar makes the fake have container c1 of spec "web" on network n1, called "in", with volume v1.
func (f *fakeEngine) podmansSidecar(state string) {
	labels := map[string]string{LabelInstance: "default", LabelName: "web"}
	f.answer("GET /networks/n1", http.StatusOK, fields{"Id": "n1", "Name": "in"})
	f.answer("GET /networks/n2", http.StatusOK, fields{"Id": "n2", "Name": "out"})
	f.answer("GET /volumes", http.StatusOK, fields{"Volumes": []fields{{"Name": "v1", "Labels": labels}}})
	f.answer("GET /containers/c1/json", http.StatusOK, fields{
		"Id": "c1", "Name": "/cred-proxy-web", "Image": "i1", "State": fields{"Status": state, "Running": state == "running"},
		"Config":          fields{"Labels": labels},
		"Mounts":          []fields{{"Type": "volume", "Name": "v1", "Destination": volumeRoot}},
		"NetworkSettings": fields{"Networks": fields{"in": fields{"NetworkID": "in"}}},
	})
}

func TestPodmansNetworksAreCalledByName(t *testing.T) {
	f := newFakePodman(t)
	f.podmansSidecar("running")
	d := f.driver()
	refusal := failure("container c1 is already connected to network \"in\": network is already connected")
	for _, network := range []string{"n1", "n2"} {
		f.answer("POST /networks/"+network+"/connect", http.StatusInternalServerError, refusal)
		f.answer("POST /networks/"+network+"/disconnect", http.StatusInternalServerError, refusal)
	}
	if err := d.Connect(t.Context(), "c1", "n1"); err != nil {
		t.Errorf("it is connected already: %v", err)
	}
	if err := d.Connect(t.Context(), "c1", "n2"); err == nil {
		t.Error("it is not connected, and that is said to be so")
	}
	if err := d.Disconnect(t.Context(), "c1", "n1"); err == nil {
		t.Error("it is connected still, and that is not said")
	}
	if err := d.Disconnect(t.Context(), "c1", "n2"); err != nil {
		t.Errorf("it is not connected: %v", err)
	}
}

func TestPodmanMissesANetworkInWordsAlone(t *testing.T) {
	f := newFakePodman(t)
	f.podmansSidecar("exited")
	d := f.driver()
	missing := failure("unable to find network with name or ID in: network not found")
	f.answer("POST /containers/create", http.StatusInternalServerError, missing)
	if _, err := d.Create(t.Context(), reconcile.CreateRequest{ContainerName: "cred-proxy-web", ImageID: "i1", Network: "n1"}); !errors.Is(err, reconcile.ErrNetworkNotFound) {
		t.Errorf("create: %v", err)
	}
	if !f.was("DELETE /volumes/v1") {
		t.Error("the volume stays of a container that could not be made")
	}
	// Whoever attaches has the container prepared, and hears no word of why that failed.
	f.answer("POST /containers/c1/attach", http.StatusConflict, missing)
	f.answer("POST /containers/c1/start", http.StatusInternalServerError, missing)
	if err := d.Start(t.Context(), "c1"); !errors.Is(err, reconcile.ErrNetworkNotFound) || !mentions(err, "network with name or ID in") {
		t.Errorf("start: %v", err)
	}
	f.answer("POST /containers/c1/start", http.StatusNoContent, nil)
	if err := d.Start(t.Context(), "c1"); !mentions(err, "attach") {
		t.Errorf("it was started unheard: %v", err)
	}
}

func TestPodmanCannotChangeLimits(t *testing.T) {
	f := newFakePodman(t)
	f.podmansSidecar("running")
	f.on("POST /containers/c1/update", http.NotFound)
	if err := f.driver().Update(t.Context(), "c1", spec.Resources{}); !errors.Is(err, reconcile.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

func TestWithPodmanTheVolumeIsTheDrivers(t *testing.T) {
	f := newFakePodman(t)
	f.podmansSidecar("running")
	d := f.driver()
	asked := make(chan string, 1)
	f.on("POST /containers/create", func(w http.ResponseWriter, r *http.Request) {
		var body strings.Builder
		_ = r.Write(&body)
		asked <- body.String()
		reply(w, http.StatusCreated, fields{"Id": "c1"})
	})
	if _, err := d.Create(t.Context(), reconcile.CreateRequest{ContainerName: "cred-proxy-web", SpecName: "web", ImageID: "i1", Network: "n1"}); err != nil {
		t.Fatal(err)
	}
	if body := <-asked; !strings.Contains(body, `"Source":"v1"`) {
		t.Errorf("it was made with another volume: %s", body)
	}
	f.answer("DELETE /containers/c1", http.StatusNoContent, nil)
	if err := d.Remove(t.Context(), "c1"); err != nil || !f.was("DELETE /volumes/v1") {
		t.Errorf("its volume stays: %v", err)
	}
}

// A volume that somebody else mounted there is not ours to remove.
func TestWithPodmanAForeignVolumeStays(t *testing.T) {
	f := newFakePodman(t)
	f.podmansSidecar("running")
	f.answer("GET /volumes", http.StatusOK, fields{"Volumes": []fields{{"Name": "v1", "Labels": fields{LabelInstance: "other", LabelName: "web"}}}})
	f.answer("DELETE /containers/c1", http.StatusNoContent, nil)
	if err := f.driver().Remove(t.Context(), "c1"); err != nil || f.was("DELETE /volumes/v1") {
		t.Errorf("it was removed, or not: %v", err)
	}
}

func TestWithPodmanTheVolumeSaysWhoseAContainerIs(t *testing.T) {
	for name, c := range map[string]struct {
		volumes []fields
		ours    bool
	}{
		"its volume is ours":          {[]fields{{"Name": "v1", "Labels": fields{LabelInstance: "default", LabelName: "web"}}}, true},
		"its labels are its image's":  {nil, false},
		"another volume here is ours": {[]fields{{"Name": "v2", "Labels": fields{LabelInstance: "default", LabelName: "web"}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakePodman(t)
			f.podmansSidecar("running")
			labels := fields{LabelInstance: "default", LabelName: "web"}
			f.answer("GET /networks", http.StatusOK, []fields{})
			f.answer("GET /containers/json", http.StatusOK, []fields{{"Id": "c1", "Names": []string{"/cred-proxy-web"}, "State": "exited", "Labels": labels}})
			f.answer("GET /images/i1/json", http.StatusOK, fields{"Id": "i1", "Config": fields{"Labels": labels}})
			f.answer("GET /volumes", http.StatusOK, fields{"Volumes": c.volumes})
			o, err := f.driver().Observe(t.Context())
			if err != nil || (len(o.Sidecars) == 1) != c.ours {
				t.Errorf("got %+v, %v", o, err)
			}
		})
	}
}
