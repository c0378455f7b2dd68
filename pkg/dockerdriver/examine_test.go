package dockerdriver

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/system"
	gocmp "github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/reconcile"
)

// examinedEngine is a fake that answers what an examination asks, as Docker does.
func examinedEngine(t *testing.T) *fakeEngine {
	f := newFakeEngine(t)
	f.answer("GET /version", http.StatusOK, fields{"Version": "28.5.2", "ApiVersion": "1.51",
		"Components": []fields{{"Name": "Engine", "Version": "28.5.2"}}})
	f.answer("GET /info", http.StatusOK, fields{"IPv4Forwarding": true, "SystemTime": time.Now().Format(time.RFC3339Nano),
		"SecurityOptions":     []string{"name=seccomp,profile=builtin", "name=rootless"},
		"DefaultAddressPools": []fields{{"Base": "10.9.0.0/16", "Size": 24}}})
	f.answer("GET /networks", http.StatusOK, []fields{{"Id": "n1", "Name": "a", "IPAM": fields{"Config": []fields{{"Subnet": "10.9.1.0/24"}}}}})
	f.answer("GET /containers/json", http.StatusOK, []fields{
		{"Id": "c1", "Labels": fields{LabelInstance: "default", LabelName: "web"}},
		{"Id": "c2", "Labels": fields{LabelInstance: "prod", LabelName: "web"}},
		{"Id": "c3", "Labels": fields{LabelInstance: "prod", LabelName: "api"}},
	})
	f.answer("GET /events", http.StatusOK, nil)
	f.answer("POST /build", http.StatusOK, fields{"error": "no Dockerfile"})
	return f
}

func TestAnEngineIsExaminedWithoutAChange(t *testing.T) {
	f := examinedEngine(t)
	facts := f.driver().Examine(t.Context())
	want := reconcile.EngineFacts{Host: facts.Host, Product: "Docker", Version: "28.5.2", APIVersion: "1.51", MinAPIVersion: minAPIVersion, Subnets: []string{"10.9.1.0/24"},
		Sidecars: map[string]int{"default": 1, "prod": 2}}
	info := *facts.Info
	if !info.ClockKnown || info.ClockAhead.Abs() > time.Minute {
		t.Errorf("the clock is %+v", info)
	}
	info.ClockKnown, info.ClockAhead, info.ClockDoubt = false, 0, 0
	if diff := gocmp.Diff(reconcile.EngineInfo{Rootless: true, IPv4Forwarding: true,
		AddressPools: []reconcile.AddressPool{{Base: "10.9.0.0/16", Size: 24}}}, info); diff != "" {
		t.Error(diff)
	}
	calls := facts.Calls
	facts.Info, facts.Calls = nil, nil
	if diff := gocmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
	for _, c := range calls {
		if c.Forbidden || c.Err != nil {
			t.Errorf("%+v", c)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, asked := range f.asked {
		if changes := !strings.HasPrefix(asked, "GET ") && !strings.HasPrefix(asked, "HEAD "); changes &&
			!strings.Contains(asked, "/credproxy-doctor-") && asked != "POST /containers/create" && asked != "POST /networks/create" &&
			asked != "POST /volumes/create" && asked != "POST /build" {
			t.Errorf("it asked %q, which is not about something of its own making", asked)
		}
	}
}

// Whatever the driver calls is tried.
func TestEveryOperationIsTried(t *testing.T) {
	for op := range usualCodes() {
		if !slices.ContainsFunc(trials(), func(t trial) bool { return t.op == op }) {
			t.Errorf("%s is not tried", op)
		}
	}
}

// A proxy of the socket that forbids everything, in either way, is seen through; so is an engine that does not answer.
func TestForbiddenCallsAreNamed(t *testing.T) {
	for name, status := range map[string]int{"as docker-socket-proxy does": http.StatusForbidden, "as others do": http.StatusMethodNotAllowed} {
		t.Run(name, func(t *testing.T) {
			f := newFakeEngine(t)
			for _, c := range f.driver().Examine(t.Context()).Calls {
				if c.Forbidden {
					t.Errorf("%s was not forbidden", c.Operation)
				}
			}
			f.forbid(status)
			facts := f.driver().Examine(t.Context())
			if facts.Err != nil || facts.VersionErr == nil || facts.InfoErr == nil || facts.NetworksErr == nil || facts.SidecarsErr == nil || facts.Info != nil {
				t.Errorf("%+v", facts)
			}
			for _, c := range facts.Calls {
				if c.Forbidden == (c.Operation == string(opPing)) || c.Err != nil || c.Area == "" {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

func TestAnEngineThatIsAwayIsOneFact(t *testing.T) {
	f := newFakeEngine(t)
	d := f.driver()
	f.server.Close()
	facts := d.Examine(t.Context())
	if facts.Err == nil || facts.Calls != nil {
		t.Errorf("%+v", facts)
	}
}

func TestACallThatIsNotAnsweredIsUnknown(t *testing.T) {
	f := examinedEngine(t)
	f.on("GET /volumes", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		conn.Close()
	})
	for _, c := range f.driver().Examine(t.Context()).Calls {
		if (c.Err != nil) != (c.Operation == string(opVolumeList)) || c.Forbidden {
			t.Errorf("%+v", c)
		}
	}
}

func TestPodmanIsToldFromDocker(t *testing.T) {
	f := examinedEngine(t)
	f.answer("GET /version", http.StatusOK, fields{"Version": "4.3.1", "ApiVersion": "1.41",
		"Components": []fields{{"Name": "Podman Engine", "Version": "4.3.1"}, {"Name": "Conmon"}}})
	if facts := f.driver().Examine(t.Context()); facts.Product != reconcile.Podman || facts.Version != "4.3.1" {
		t.Errorf("%+v", facts)
	}
}

func TestTheClockIsComparedWithTheMiddleOfTheAnswer(t *testing.T) {
	asked := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	info := infoOf(system.Info{SystemTime: "2030-01-01T00:00:31.5Z"}, asked, asked.Add(3*time.Second))
	if !info.ClockKnown || info.ClockAhead != 30*time.Second || info.ClockDoubt != 1500*time.Millisecond {
		t.Errorf("%+v", info)
	}
	if info := infoOf(system.Info{SystemTime: "noon"}, asked, asked); info.ClockKnown {
		t.Errorf("%+v", info)
	}
}
