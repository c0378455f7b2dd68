package proxy

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

// onStandby is the environment of a sidecar whose volume is in memory.
func onStandby() map[string]string {
	where := routetable.Standby{Listen: ":0", InternalSubnets: []string{"127.0.0.0/8"}, InternalGateways: []string{"127.255.255.254"}}
	return map[string]string{routetable.StandbyVariable: where.String()}
}

// wantsDelivery is what such a sidecar says while it has nothing.
func wantsDelivery() routetable.Report {
	return routetable.Report{Event: routetable.EventState, Error: errNotDelivered.Error()}
}

// files lists what is in the sidecar's volume.
func (s *started) files(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(s.dir, func(name string, _ os.DirEntry, err error) error {
		if err == nil && name != s.dir {
			names = append(names, strings.TrimPrefix(name, s.dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func (s *started) wantRefused(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/r/x", "/", "/r/../x"} {
		res, body := get(t, "http://"+s.addr(internal())+path)
		wantRefusal(t, res, body, http.StatusServiceUnavailable, "no_token")
		if !strings.Contains(body, "the controller has not delivered the tokens yet") {
			t.Errorf("it says %s", body)
		}
	}
}

func TestOnStandbyEveryRequestIsToldThatNothingWasDelivered(t *testing.T) {
	s := start(t, newMachine(internal()), onStandby())
	s.wantReport(t, wantsDelivery())
	// The listener opens right after the report.
	eventually(t, "it listens", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.opened) == 1
	})
	s.wantRefused(t)
	eventually(t, "the log says why nothing is served", func() bool { return strings.Contains(s.log.String(), "not serving") })
	if log := s.log.String(); strings.Contains(log, "panic") || strings.Contains(log, `"WARN"`) {
		t.Errorf("nothing is wrong, and the log says %s", log)
	}
}

func TestADeliveryIsTakenOutOfTheVolumeAndServed(t *testing.T) {
	upstream := newRecorder(t)
	s := start(t, newMachine(internal()), onStandby())
	s.wantReport(t, wantsDelivery())
	for _, generation := range []int64{1, 2} {
		s.push(t, seal(t, generation, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()}))
		s.signals <- syscall.SIGHUP
		want := ready(generation)
		if generation > 1 {
			want.Event = routetable.EventReloaded
		}
		s.wantReport(t, want)
		if left := s.files(t); len(left) != 0 {
			t.Errorf("after generation %d the volume has %q", generation, left)
		}
		if res, body := get(t, "http://"+s.addr(internal())+"/r/x"); res.StatusCode != http.StatusOK {
			t.Errorf("got %d %q", res.StatusCode, body)
		}
	}
	if n := len(s.opened); n != 1 {
		t.Errorf("it opened %d sockets", n)
	}
}

// A controller that is not sure of its last signal sends another.
func TestASignalWithoutADeliveryChangesNothing(t *testing.T) {
	upstream := newRecorder(t)
	s := start(t, newMachine(internal()), onStandby())
	s.wantReport(t, wantsDelivery())
	s.push(t, seal(t, 1, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()}))
	s.signals <- syscall.SIGHUP
	s.wantReport(t, ready(1))
	s.signals <- syscall.SIGHUP
	s.wantReport(t, routetable.Report{Event: routetable.EventReloaded, Generation: 1, Serving: true})
	s.signals <- syscall.SIGUSR1
	s.wantReport(t, unasked(1, ""))
	if res, body := get(t, "http://"+s.addr(internal())+"/r/x"); res.StatusCode != http.StatusOK {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
}

func TestATornDeliveryIsRefusedOnStandbyAndAfterwards(t *testing.T) {
	s := start(t, newMachine(internal()), onStandby())
	s.wantReport(t, wantsDelivery())
	route := routetable.Route{Path: "/r", Upstream: newRecorder(t).URL, Auth: bearer()}
	torn := func(generation int64) []routetable.File {
		files := seal(t, generation, route)
		files[1].Data = files[1].Data[:len(files[1].Data)/2]
		return files
	}
	s.push(t, torn(1))
	s.signals <- syscall.SIGHUP
	s.wantReport(t, routetable.Report{Event: routetable.EventRefused, Error: "not a JSON object"})
	s.wantRefused(t)

	s.push(t, seal(t, 2, route))
	s.signals <- syscall.SIGHUP
	s.wantReport(t, ready(2))
	s.push(t, torn(3))
	s.signals <- syscall.SIGHUP
	s.wantReport(t, routetable.Report{Event: routetable.EventRefused, Generation: 2, Serving: true, Error: "not a JSON object"})
	if res, _ := get(t, "http://"+s.addr(internal())+"/r"); res.StatusCode != http.StatusOK {
		t.Errorf("the old generation does not serve on: %d", res.StatusCode)
	}
	s.push(t, seal(t, 4, route))
	s.signals <- syscall.SIGHUP
	s.wantReport(t, routetable.Report{Event: routetable.EventReloaded, Generation: 4, Serving: true})
	if left := s.files(t); len(left) != 0 {
		t.Errorf("the volume has %q", left)
	}
}

// The document of a later push, which came in while an earlier one was taken out, is not lost.
func TestANewerDocumentIsNotTakenOut(t *testing.T) {
	dir := t.TempDir()
	s := &started{dir: dir}
	route := routetable.Route{Path: "/r", Upstream: "https://a.test", Auth: bearer()}
	s.push(t, seal(t, 2, route))
	served, err := routetable.Parse(seal(t, 1, route)[1].Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{seal(t, 2, route)[1].Data, []byte(`{"half`)} {
		s.push(t, []routetable.File{{Name: routetable.FileName, Mode: 0o600, Data: data}})
		takeOut(dir, &served, slog.New(slog.DiscardHandler))
		want := []string{"routes.json", "tokens-2", "tokens-2/CRED_PROXY_TOKEN_1"}
		if left := s.files(t); !slices.Equal(left, want) {
			t.Errorf("the volume has %q, want %q", left, want)
		}
		if got, err := os.ReadFile(filepath.Join(dir, routetable.FileName)); err != nil || string(got) != string(data) {
			t.Errorf("the document is %q, %v", got, err)
		}
	}
}

func TestOnStandbyItWaitsForTheInternalNetworkAsWell(t *testing.T) {
	egress := Place{3, "eth1", addrOf("10.9.9.9")}
	s := start(t, newMachine(egress), onStandby())
	s.wantReport(t, wantsDelivery())
	s.push(t, seal(t, 1, routetable.Route{Path: "/r", Upstream: newRecorder(t).URL, Auth: bearer()}))
	s.signals <- syscall.SIGHUP
	s.wantReport(t, routetable.Report{Event: routetable.EventLoaded, Generation: 1, Error: "no network interface has an address inside"})
	s.change(egress, internal())
	s.wantReport(t, ready(1))
}

func TestOnStandbyItOpensWhenTheInterfaceComes(t *testing.T) {
	s := start(t, newMachine(), onStandby())
	s.wantReport(t, wantsDelivery())
	s.change(internal())
	eventually(t, "it listens", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.opened) == 1
	})
	s.wantRefused(t)
}

func TestABadStandbyIsAnError(t *testing.T) {
	for _, text := range []string{"{", `{"listen":"9099","internalSubnets":["10.0.0.0/8"]}`, `{"listen":":9099"}`, `{"listen":":9099","internalSubnets":["10.0.0.0/8"],"x":1}`} {
		err := Run(t.Context(), Options{Getenv: func(name string) string {
			return map[string]string{routetable.StandbyVariable: text}[name]
		}})
		if err == nil || !strings.Contains(err.Error(), routetable.StandbyVariable) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
