package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

var errSome = errors.New("permission denied")

// healthy are facts of which every check is ok.
func healthy() Facts {
	return Facts{
		Engine: reconcile.EngineFacts{
			Host: "unix:///run/docker.sock", Product: "Docker", Version: "28.5.2", APIVersion: "1.51", MinAPIVersion: "1.41",
			Info:     &reconcile.EngineInfo{IPv4Forwarding: true, ClockKnown: true},
			Subnets:  []string{"172.17.0.0/16"},
			Calls:    []reconcile.CallFact{{Operation: "ping", Area: "PING"}},
			Sidecars: map[string]int{"default": 2, "prod": 3},
		},
		Instance:  "default",
		UID:       1000,
		Socket:    Socket{Path: "/run/docker.sock", Mode: fs.ModeSocket | 0o660, Group: "docker", Usable: true},
		Specs:     Specs{Dir: "/specs", Valid: 2},
		TokenDir:  TokenDir{Dir: "/tokens", Mode: fs.ModeDir | 0o750, Readable: "git"},
		Policy:    Policy{Path: "/policy.yaml"},
		Providers: Providers{Path: "/providers.yaml", Count: 2},
		StateDir:  StateDir{Dir: "/state"},
		Listen:    Listen{Address: "127.0.0.1:8099", Loopback: true},
		Inotify:   Inotify{Watches: 8192, Instances: 128},
	}
}

func TestAllIsWell(t *testing.T) {
	checks := Judge(healthy())
	for _, c := range checks {
		if c.Status != OK || c.Found == "" || c.Advice != "" {
			t.Errorf("%+v", c)
		}
	}
	if Failed(checks) {
		t.Error("it failed")
	}
}

func TestWhatIsWrongIsJudged(t *testing.T) {
	tests := map[string]struct {
		check  string
		change func(*Facts)
		want   Status
		words  []string // in what was found, or what to do
	}{
		"no engine": {"engine", func(f *Facts) { f.Engine = reconcile.EngineFacts{Err: errSome} }, Failure, []string{"permission denied", "--docker-host"}},
		"a socket that is not to be used": {"engine", func(f *Facts) {
			f.Engine = reconcile.EngineFacts{Err: fmt.Errorf("Head \"http://%%2Frun%%2Fdocker.sock/_ping\": %w", syscall.EACCES)}
		}, Failure, []string{"permission denied: user 1000 may not use /run/docker.sock", "see `user` below"}},
		"an old engine":                 {"engine", func(f *Facts) { f.Engine.APIVersion = "1.40" }, Failure, []string{"1.40", "1.41"}},
		"an engine that does not say":   {"engine", func(f *Facts) { f.Engine.VersionErr = errSome }, Unknown, []string{"denied"}},
		"a version that cannot be read": {"engine", func(f *Facts) { f.Engine.APIVersion = "new" }, OK, nil},

		"a directory without specs": {"specs", func(f *Facts) { f.Specs.Valid = 0 }, Warning, []string{"no spec in /specs", "write one"}},

		"sidecars of others": {"instances", func(*Facts) {}, OK, []string{`2 sidecars of this instance, "default"; others are not touched: 3 of "prod"`}},
		"sidecars of others alone": {"instances", func(f *Facts) { f.Instance = "prd" }, Warning,
			[]string{`0 sidecars of this instance, "prd"; others are not touched: 2 of "default", 3 of "prod"`, "give the --instance"}},
		"one sidecar":                            {"instances", func(f *Facts) { f.Engine.Sidecars["default"] = 1 }, OK, []string{`1 sidecar of this instance, "default";`}},
		"no sidecars":                            {"instances", func(f *Facts) { f.Engine.Sidecars = nil }, OK, []string{`0 sidecars of this instance, "default", and none of others`}},
		"sidecars that the engine does not tell": {"instances", func(f *Facts) { f.Engine.SidecarsErr = errSome }, Unknown, []string{"permission denied"}},
		"sidecars of many instances": {"instances", func(f *Facts) {
			for n := range mostInstances {
				f.Engine.Sidecars[fmt.Sprintf("x-%d", n)] = 1
			}
		}, OK, []string{"and of 1 more instances"}},

		"forbidden calls": {"api-calls", func(f *Facts) {
			f.Engine.Calls = append(f.Engine.Calls, reconcile.CallFact{Operation: "container_start", Area: "CONTAINERS, POST", Forbidden: true},
				reconcile.CallFact{Operation: "network_create", Area: "NETWORKS, POST", Forbidden: true})
		}, Failure, []string{"2 of 3", "container_start, network_create", "CONTAINERS, NETWORKS, POST"}},
		"an unanswered call": {"api-calls", func(f *Facts) { f.Engine.Calls[0].Err = errSome }, Unknown, []string{"1 of 1", "ping: permission"}},
		"calls of no engine": {"api-calls", func(f *Facts) { f.Engine.Err = errSome }, Unknown, nil},

		"few networks": {"address-pools", func(f *Facts) {
			f.Engine.Info.AddressPools = []reconcile.AddressPool{{Base: "172.17.0.0/16", Size: 19}}
		}, Warning,
			[]string{"room for 0 more networks, of 8", "default-address-pools"}},
		"a pool with room": {"address-pools", func(f *Facts) {
			f.Engine.Info = nil
			f.Pools = []reconcile.AddressPool{{Base: "10.200.0.0/16", Size: 28}}
		}, OK, []string{"--network-pool has room for 4096 more networks, of 4096"}},
		"a pool with little room": {"address-pools", func(f *Facts) {
			f.Pools = []reconcile.AddressPool{{Base: "10.200.0.0/26", Size: 28}}
		}, Warning, []string{"--network-pool has room for 4 more networks, of 4", "one more --network-pool"}},
		"a pool that is the host's own": {"address-pools", func(f *Facts) {
			f.Pools, f.HostSubnets = []reconcile.AddressPool{{Base: "192.0.2.0/24", Size: 28}}, []string{"192.0.2.0/24", "192.0.2.0/24"}
		}, Warning, []string{"--network-pool has room for 0 more networks, of 16"}},
		"few networks of Podman": {"address-pools", func(f *Facts) {
			f.Engine.Product, f.Engine.Subnets = reconcile.Podman, []string{"10.0.0.0/8"}
		}, Warning, []string{"default_subnet_pools"}},
		"pools of an unknown product":     {"address-pools", func(f *Facts) { f.Engine.VersionErr = errSome }, Unknown, nil},
		"pools of an engine without info": {"address-pools", func(f *Facts) { f.Engine.Info, f.Engine.InfoErr = nil, errSome }, Unknown, nil},
		"networks that are not told":      {"address-pools", func(f *Facts) { f.Engine.NetworksErr = errSome }, Unknown, nil},

		"DNS that leads out":      {"internal-dns", func(f *Facts) { f.Engine.Version = "20.10.24+dfsg1" }, Warning, []string{"CVE-2024-29018", "25.0.5"}},
		"DNS of Podman":           {"internal-dns", func(f *Facts) { f.Engine.Product, f.Engine.Version = reconcile.Podman, "4.3.1" }, OK, nil},
		"DNS of who knows what":   {"internal-dns", func(f *Facts) { f.Engine.VersionErr = errSome }, Unknown, nil},
		"no forwarding":           {"ip-forward", func(f *Facts) { f.Engine.Info.IPv4Forwarding = false }, Failure, []string{"net.ipv4.ip_forward=1"}},
		"no forwarding, rootless": {"ip-forward", func(f *Facts) { f.Engine.Info.IPv4Forwarding, f.Engine.Info.Rootless = false, true }, Unknown, nil},
		"forwarding not told":     {"ip-forward", func(f *Facts) { f.Engine.Info, f.Engine.InfoErr = nil, errSome }, Unknown, nil},

		"a clock ahead":            {"clock", func(f *Facts) { f.Engine.Info.ClockAhead = 6 * time.Second }, Warning, []string{"6s ahead", "NTP"}},
		"a clock behind":           {"clock", func(f *Facts) { f.Engine.Info.ClockAhead = -time.Hour }, Warning, []string{"1h0m0s behind"}},
		"a clock nearly right":     {"clock", func(f *Facts) { f.Engine.Info.ClockAhead = -5 * time.Second }, OK, nil},
		"a clock read slowly":      {"clock", func(f *Facts) { f.Engine.Info.ClockAhead, f.Engine.Info.ClockDoubt = 6*time.Second, time.Second }, OK, nil},
		"a clock that is not told": {"clock", func(f *Facts) { f.Engine.Info.ClockKnown = false }, Unknown, nil},

		"root":                  {"user", func(f *Facts) { f.UID = 0 }, OK, []string{"root may"}},
		"who may not":           {"user", func(f *Facts) { f.Socket.Usable = false }, Failure, []string{"user 1000 may not", "group docker"}},
		"a socket that is gone": {"user", func(f *Facts) { f.Socket.Err = errSome }, Unknown, nil},
		"everybody's socket":    {"socket", func(f *Facts) { f.Socket.Mode |= 0o006 }, Failure, []string{"every local user", "chmod o-rwx /run/docker.sock"}},
		"an engine over TCP":    {"socket", func(f *Facts) { f.Socket, f.Engine.Host = Socket{}, "tcp://engine:2375" }, Unknown, []string{"tcp://engine:2375"}},
		"a socket, looked at":   {"socket", func(f *Facts) { f.Socket.Err = errSome }, Unknown, nil},
		"no engine at all":      {"socket", func(f *Facts) { f.Socket, f.Engine.Host = Socket{}, "" }, Unknown, nil},

		"no specs":           {"specs", func(f *Facts) { f.Specs = Specs{} }, Unknown, []string{"--specs"}},
		"unreadable specs":   {"specs", func(f *Facts) { f.Specs.Err = errSome }, Failure, []string{"denied"}},
		"a bad file":         {"specs", func(f *Facts) { f.Specs.Bad, f.Specs.Problem = 1, "a.yaml:3: kind" }, Warning, []string{"a.yaml:3", "controller validate /specs"}},
		"no tokens":          {"token-dir", func(f *Facts) { f.TokenDir = TokenDir{} }, OK, nil},
		"no token directory": {"token-dir", func(f *Facts) { f.TokenDir.Err = errSome }, Failure, []string{"install -d -m 0700 /tokens"}},
		"tokens among specs": {"token-dir", func(f *Facts) { f.TokenDir.InSpecs = true }, Failure, []string{"/specs", "rotate"}},
		"everybody's tokens": {"token-dir", func(f *Facts) { f.TokenDir.Mode |= 0o005 }, Failure, []string{"git", "chmod -R o-rwx /tokens"}},
		"an open directory":  {"token-dir", func(f *Facts) { f.TokenDir.Mode, f.TokenDir.Readable = 0o755, "" }, Warning, []string{"chmod o-rwx /tokens"}},
		"no providers":       {"token-providers", func(f *Facts) { f.Providers = Providers{} }, OK, []string{"none were given"}},
		"bad providers":      {"token-providers", func(f *Facts) { f.Providers.Err = errSome }, Failure, []string{"denied", "docs/tokens.md"}},
		"no policy":          {"policy", func(f *Facts) { f.Policy = Policy{} }, OK, []string{"none was given"}},
		"a bad policy":       {"policy", func(f *Facts) { f.Policy.Err = errSome }, Failure, []string{"denied", "mend it"}},
		"no state":           {"state-dir", func(f *Facts) { f.StateDir.Err = errSome }, Failure, []string{"--state-dir"}},
		"state to be made":   {"state-dir", func(f *Facts) { f.StateDir.Missing = true }, OK, []string{"will be made"}},

		"a controller there":   {"listen", func(f *Facts) { f.Listen.Taken, f.Listen.Controller = true, true }, OK, []string{"a controller answers"}},
		"something else there": {"listen", func(f *Facts) { f.Listen.Taken = true }, Failure, []string{"--listen"}},
		"a foreign address":    {"listen", func(f *Facts) { f.Listen.Err = errSome }, Failure, []string{"denied"}},
		"an open address":      {"listen", func(f *Facts) { f.Listen.Loopback = false }, Warning, []string{"metrics"}},
		"an open API":          {"listen", func(f *Facts) { f.Listen.Loopback, f.Listen.RemoteAPI = false, true }, Warning, []string{"--allow-remote-api"}},
		"few watches":          {"inotify", func(f *Facts) { f.Inotify.Watches = 100 }, Warning, []string{"max_user_watches=8192"}},
		"few instances":        {"inotify", func(f *Facts) { f.Inotify.Instances = 10 }, Warning, []string{"max_user_instances=128"}},
		"no inotify":           {"inotify", func(f *Facts) { f.Inotify.Err = errSome }, Unknown, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := healthy()
			tt.change(&f)
			for _, c := range Judge(f) {
				if c.Name != tt.check {
					continue
				}
				if c.Status != tt.want || c.Found == "" || (c.Advice == "") != (tt.want == OK || tt.want == Unknown) {
					t.Errorf("%+v, want %s", c, tt.want)
				}
				for _, word := range tt.words {
					if !strings.Contains(c.Found+c.Advice, word) {
						t.Errorf("%+v does not say %q", c, word)
					}
				}
				return
			}
			t.Errorf("there is no check %s", tt.check)
		})
	}
}

// Facts that are missing altogether make nothing crash.
func TestNothingIsKnown(t *testing.T) {
	for _, f := range []Facts{{}, {Engine: reconcile.EngineFacts{Err: errSome}}, {Engine: reconcile.EngineFacts{
		VersionErr: errSome, InfoErr: errSome, NetworksErr: errSome, Calls: []reconcile.CallFact{{Err: errSome}}}}} {
		for _, c := range Judge(f) {
			if c.Found == "" {
				t.Errorf("%+v", c)
			}
		}
	}
}

func TestRoomForNetworks(t *testing.T) {
	tests := map[string]struct {
		pools     []reconcile.AddressPool
		subnets   []string
		free, all int
	}{
		"Docker's own, empty":                               {nil, nil, 31, 31},
		"Docker's own, some in use":                         {nil, []string{"172.17.0.0/16", "172.20.0.0/16", "192.168.16.0/20"}, 28, 31},
		"a subnet of one's choice counts where it overlaps": {nil, []string{"172.18.5.0/24", "172.18.9.0/24", "192.168.0.0/16", "10.0.0.0/8"}, 14, 31},
		"one that holds everything":                         {nil, []string{"0.0.0.0/0"}, 0, 31},
		"IPv6 takes nothing":                                {nil, []string{"fd00::/8", "not a subnet"}, 31, 31},
		"given":                                             {[]reconcile.AddressPool{{Base: "10.9.0.0/16", Size: 24}}, []string{"10.9.0.0/24", "10.9.255.0/24"}, 254, 256},
		"given, at the end of all addresses":                {[]reconcile.AddressPool{{Base: "255.255.255.0/24", Size: 26}}, []string{"255.255.255.192/26"}, 3, 4},
		"what cannot be read is left out": {[]reconcile.AddressPool{{Base: "x", Size: 24}, {Base: "fd00::/48", Size: 64}, {Base: "10.0.0.0/24", Size: 16},
			{Base: "10.0.0.0/8", Size: 32}, {Base: "10.9.0.0/24", Size: 28}}, nil, 16, 16},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := reconcile.EngineFacts{Info: &reconcile.EngineInfo{AddressPools: tt.pools}}
			if free, all := room(poolsOf(e), tt.subnets); free != tt.free || all != tt.all {
				t.Errorf("room for %d of %d, want %d of %d", free, all, tt.free, tt.all)
			}
		})
	}
}
