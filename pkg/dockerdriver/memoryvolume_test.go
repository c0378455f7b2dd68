package dockerdriver

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/volume"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// standingBy asks for a sidecar whose volume is in memory.
func standingBy() reconcile.CreateRequest {
	return reconcile.CreateRequest{
		ContainerName: "cred-proxy-web", SpecName: "web", ImageID: "i1", Network: "n1",
		Standby: &routetable.Standby{Listen: ":9099", InternalSubnets: []string{"10.1.2.0/24"}},
	}
}

// kernel makes the fake engine have one.
func (f *fakeEngine) kernel(release string) {
	f.answer("GET /version", http.StatusOK, fields{"Arch": "amd64", "KernelVersion": release})
}

// asksFor keeps the body of a request as it comes.
func asksFor[T any](f *fakeEngine, request string, answer fields) <-chan T {
	asked := make(chan T, 8)
	f.on(request, func(w http.ResponseWriter, r *http.Request) {
		var body T
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			f.t.Error(err)
		}
		asked <- body
		reply(w, http.StatusCreated, answer)
	})
	return asked
}

// made is what a container is asked for.
type made struct {
	container.Config
	HostConfig container.HostConfig
}

func (m made) volumeOptions() string {
	config := m.HostConfig.Mounts[0].VolumeOptions.DriverConfig
	if config == nil {
		return ""
	}
	return config.Name + " " + config.Options["type"] + " " + config.Options["device"] + " " + config.Options["o"]
}

func TestAVolumeInMemoryIsOneThatIsNotSwappedOutWhereThatCanBe(t *testing.T) {
	const plain = "local tmpfs tmpfs nr_blocks=8192,mode=0700,uid=65532,gid=65532,nosuid,nodev,noexec"
	for release, want := range map[string]string{
		"6.4.0": plain + ",noswap", "6.18.44-fc": plain + ",noswap", "7.0": plain + ",noswap", "6.12+deb13-amd64": plain + ",noswap",
		"6.3.9": plain, "5.15.0-1-amd64": plain, "": plain, "six": plain, "6": plain,
	} {
		f := newFakeEngine(t)
		f.kernel(release)
		asked := asksFor[made](f, "POST /containers/create", fields{"Id": "c1"})
		if _, err := f.driver().Create(t.Context(), standingBy()); err != nil {
			t.Fatal(err)
		}
		c := <-asked
		if got := c.volumeOptions(); got != want {
			t.Errorf("on %q it is %q, want %q", release, got, want)
		}
		if !slices.Contains(c.Env, `CRED_PROXY_STANDBY={"listen":":9099","internalSubnets":["10.1.2.0/24"]}`) {
			t.Errorf("its environment is %q", c.Env)
		}
		if labels := c.HostConfig.Mounts[0].VolumeOptions.Labels; labels[LabelName] != "web" {
			t.Errorf("its labels are %v", labels)
		}
	}
}

func TestAVolumeOnDiskHasNoOptions(t *testing.T) {
	f := newFakeEngine(t)
	f.kernel("6.18.0")
	asked := asksFor[made](f, "POST /containers/create", fields{"Id": "c1"})
	req := standingBy()
	req.Standby = nil
	if _, err := f.driver().Create(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if c := <-asked; c.volumeOptions() != "" || slices.ContainsFunc(c.Env, func(v string) bool { return strings.HasPrefix(v, routetable.StandbyVariable) }) {
		t.Errorf("it is made with %q and %q", c.volumeOptions(), c.Env)
	}
}

// Which call mounts the volume depends on the image: one that has files in its place mounts it when a container is made.
func TestWhereSwapCannotBeForbiddenTheNextAttemptPermitsIt(t *testing.T) {
	refusal := failure("error while mounting volume '/v': failed to mount local volume: mount tmpfs:/v, data: nr_blocks=8192,mode=0700,noswap: invalid argument")
	for name, fail := range map[string]func(*fakeEngine){
		"at creation": func(f *fakeEngine) {
			f.answer("POST /containers/create", http.StatusInternalServerError, refusal)
		},
		"at the start": func(f *fakeEngine) {
			f.answer("POST /containers/create", http.StatusCreated, fields{"Id": "c1"})
			f.answer("GET /containers/c1/json", http.StatusOK, fields{"Id": "c1", "Name": "/cred-proxy-web"})
			f.answer("POST /containers/c1/attach", http.StatusConflict, nil)
			f.answer("POST /containers/c1/start", http.StatusInternalServerError, refusal)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeEngine(t)
			f.kernel("6.18.0")
			fail(f)
			d := f.driver()
			id, err := d.Create(t.Context(), standingBy())
			if err == nil {
				err = d.Start(t.Context(), id)
			}
			if err == nil || !mentions(err, "the next attempt lets it be swapped out") {
				t.Errorf("the first attempt: %v", err)
			}
			asked := asksFor[made](f, "POST /containers/create", fields{"Id": "c2"})
			if _, err := d.Create(t.Context(), standingBy()); err != nil {
				t.Fatal(err)
			}
			if c := <-asked; strings.Contains(c.volumeOptions(), noSwap) {
				t.Errorf("the next attempt asks for %q", c.volumeOptions())
			}
		})
	}
}

func TestWithPodmanTheDriverMakesTheVolumeInMemory(t *testing.T) {
	f := newFakePodman(t)
	f.podmansSidecar("running")
	volumes := asksFor[volume.CreateOptions](f, "POST /volumes/create", fields{"Name": "v1"})
	f.answer("POST /containers/create", http.StatusCreated, fields{"Id": "c1"})
	d := f.driver()
	if _, err := d.Create(t.Context(), standingBy()); err != nil {
		t.Fatal(err)
	}
	v := <-volumes
	if v.DriverOpts["type"] != "tmpfs" || v.DriverOpts["device"] != "tmpfs" || !strings.Contains(v.DriverOpts["o"], "mode=0700,uid=65532") || v.Labels[LabelName] != "web" {
		t.Errorf("it made %+v", v)
	}
	f.answer("DELETE /containers/c1", http.StatusNoContent, nil)
	if err := d.Remove(t.Context(), "c1"); err != nil || !f.was("DELETE /volumes/v1") {
		t.Errorf("its volume stays: %v", err)
	}
}
