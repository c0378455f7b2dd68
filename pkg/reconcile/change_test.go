package reconcile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// changeStory is what is declared and observed beside what a sidecar has, and the changes as they print themselves.
type changeStory struct {
	give func(w *world) *routetable.Table
	want string
}

// table is what a sidecar of the spec as it is now has.
func (w *world) table() *routetable.Table {
	t := tableOf(&w.spec.Spec, w.networks[0], nil, reach{})
	values := map[string]string{}
	for _, slot := range w.spec.Spec.Slots() {
		values[slot.Name] = "a-value-that-no-plan-may-tell"
	}
	sealed, _, err := routetable.Seal(t, 7, values, strings.NewReader(strings.Repeat("k", 99)))
	if err != nil {
		panic(err)
	}
	return &sealed
}

// inMemory adds a settled sidecar that has its tokens in memory.
func (w *world) inMemory(id string) {
	w.spec.Spec.TokenDelivery = spec.DeliverMemory
	s := w.running(id)
	table := tableOf(&w.spec.Spec, w.networks[0], nil, reach{})
	s.Standby = table.Standby()
}

// changes are those of the plan, as it prints them.
func (w *world) changes(served *routetable.Table) string {
	s := newScene(w.declared, w.view())
	var b strings.Builder
	for _, name := range s.names() {
		in := s.inputs(name, history{everDeclared: true}, w.opts)
		in.delivered, in.tokens, in.suffix = w.delivered, w.tokens, "x7q2"
		item, _ := planName(in)
		for _, c := range changesOf(in, item, served) {
			b.WriteString(c.Change.Sign() + " " + c.String() + "\n")
		}
	}
	return b.String()
}

// A plan is made of what others declare: nothing in it may end the controller.
func TestARouteThatTheSpecDoesNotHaveIsDescribedAsFarAsItIsKnown(t *testing.T) {
	c := comparer{planner: &planner{inputs: inputs{spec: &spec.CredProxy{}}}}
	route := routetable.Route{Path: "/gone", Upstream: "https://gone.example", Auth: &routetable.Auth{Scheme: "Bearer"}}
	if got, want := c.described(route), "https://gone.example, Bearer"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestChanges(t *testing.T) {
	bearer := func(env string) *spec.Auth {
		return &spec.Auth{Scheme: spec.SchemeBearer, TokenRef: spec.TokenRef{Env: env}}
	}
	for name, tt := range map[string]changeStory{
		"a new spec": {func(w *world) *routetable.Table {
			w.spec.Spec.Routes = append(w.spec.Spec.Routes, spec.Route{Path: "/open", Upstream: "https://open.example"})
			return nil
		}, `
+ sidecar cred-proxy-web
+ internalNetwork: web-internal as cred-proxy:9099
+ egressNetwork: web-egress
+ image: the controller's own
+ tokenDelivery: File
+ resources: memory 64Mi, cpus 1, pids 64
+ route /anthropic: https://api.anthropic.com, Bearer, token from env TOKEN
+ route /open: https://open.example
`},
		"networks are made for it": {func(w *world) *routetable.Table {
			w.spec.Spec.CreateNetworks, w.networks = true, w.networks[:1]
			w.running("a")
			served := w.table()
			w.sidecars = nil
			return served
		}, `
+ network web-egress
+ sidecar cred-proxy-web
+ internalNetwork: web-internal as cred-proxy:9099
+ egressNetwork: web-egress
+ image: the controller's own
+ tokenDelivery: File
+ resources: memory 64Mi, cpus 1, pids 64
+ route /anthropic: https://api.anthropic.com, Bearer, token from env TOKEN
`},
		"routes are added, changed and removed": {func(w *world) *routetable.Table {
			w.spec.Spec.Routes = append(w.spec.Spec.Routes, spec.Route{Path: "/old", Upstream: "https://old.example"})
			w.running("a")
			served := w.table()
			w.spec.Spec.Routes = []spec.Route{
				{Path: "/anthropic", Upstream: "https://elsewhere.example", Methods: []string{"GET", "POST"}, Auth: bearer("TOKEN")},
				{Path: "/new", Upstream: "https://new.example", Auth: bearer("OTHER"), Methods: []string{"GET"}, Git: &spec.Git{Push: []string{"a/b"}}},
			}
			return served
		}, `
~ route /anthropic upstream: https://api.anthropic.com → https://elsewhere.example
+ route /anthropic methods: GET, POST
+ route /new: https://new.example, Bearer, token from env OTHER
+ route /new git.push: a/b
+ route /new methods: GET
- route /old: https://old.example
`},
		"a credential is another": {func(w *world) *routetable.Table {
			w.running("a")
			served := w.table()
			w.spec.Spec.Routes[0].Auth = &spec.Auth{Scheme: spec.SchemeBasic, Username: "x", TokenRef: spec.TokenRef{File: "git-token"}}
			w.spec.Spec.Routes = append([]spec.Route{{Path: "/first", Upstream: "https://first.example", Auth: bearer("FIRST")}}, w.spec.Spec.Routes...)
			return served
		}, `
+ route /first: https://first.example, Bearer, token from env FIRST
~ route /anthropic auth.scheme: Bearer → Basic
~ route /anthropic auth.token: of an unknown reference → file git-token
+ route /anthropic auth.username: x
`},
		"a token goes into a header of its own": {func(w *world) *routetable.Table {
			w.running("a")
			served := w.table()
			w.spec.Spec.Routes = append(w.spec.Spec.Routes, spec.Route{Path: "/new", Upstream: "https://new.example",
				Auth: &spec.Auth{Scheme: spec.SchemeHeader, Header: "X-Api-Key", TokenRef: spec.TokenRef{File: "anthropic"}}})
			return served
		}, `
+ route /new: https://new.example, X-Api-Key from file anthropic
`},
		"a suspension": {func(w *world) *routetable.Table {
			w.running("a")
			served := w.table()
			w.spec.Annotations = map[string]string{spec.AnnotationSuspended: "true"}
			return served
		}, `
~ route /anthropic: withheld (suspended)
`},
		"callers need a key": {func(w *world) *routetable.Table {
			w.running("a")
			served := w.table()
			w.spec.Spec.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{File: "key"}}
			return served
		}, `
+ callerAuth: key from file key
`},
		"callers need none any more, and addresses are others": {func(w *world) *routetable.Table {
			w.spec.Spec.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{File: "key"}}
			w.running("a")
			served := w.table()
			w.spec.Spec.CallerAuth = nil
			w.networks[0].Subnets = []string{"172.31.0.0/24"}
			return served
		}, `
~ internalSubnets: 172.30.0.0/24 → 172.31.0.0/24
- callerAuth: a key
`},
		"a key is shown elsewhere": {func(w *world) *routetable.Table {
			w.spec.Spec.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{File: "key"}}
			w.running("a")
			served := w.table()
			w.spec.Spec.CallerAuth.Header = "X-Key"
			return served
		}, `
+ callerAuth.header: X-Key
`},
		"routes that nobody can read": {func(w *world) *routetable.Table {
			w.running("a")
			w.spec.Spec.Routes[0].Upstream = "https://elsewhere.example"
			return nil
		}, `
~ routes: cannot be compared (what it has was not read)
`},
		"routes that were delivered into memory": {func(w *world) *routetable.Table {
			w.inMemory("a")
			w.spec.Spec.Routes[0].Upstream = "https://elsewhere.example"
			return nil
		}, `
~ routes: cannot be compared (its tokens are delivered into memory, and its routes with them)
`},
		"another port of a sidecar in memory": {func(w *world) *routetable.Table {
			w.inMemory("0123456789abcdef")
			w.spec.Spec.Port = 8080
			return nil
		}, `
~ container: cred-proxy-web (0123456789ab) → another one
~ port: 9099 → 8080
`},
		"tokens move into memory": {func(w *world) *routetable.Table {
			w.running("0123456789abcdef")
			served := w.table()
			w.spec.Spec.TokenDelivery = spec.DeliverMemory
			return served
		}, `
~ container: cred-proxy-web (0123456789ab) → another one
~ tokenDelivery: File → Memory
`},
		"tokens leave memory": {func(w *world) *routetable.Table {
			w.inMemory("0123456789abcdef")
			w.spec.Spec.TokenDelivery = spec.DeliverFile
			return nil
		}, `
~ container: cred-proxy-web (0123456789ab) → another one
~ tokenDelivery: Memory → File
`},
		"certificates are never told": {func(w *world) *routetable.Table {
			w.spec.Spec.Routes[0].CAFile = "ca.pem"
			w.running("a")
			served := w.table()
			served.Routes[0].Roots = "-----BEGIN CERTIFICATE-----\nold\n-----END CERTIFICATE-----\n"
			w.declared.Roots = map[string]string{"ca.pem": "-----BEGIN CERTIFICATE-----\nnew\n-----END CERTIFICATE-----\n"}
			return served
		}, `
~ route /anthropic roots: certificates: 1 of before → certificates: 1 that are others
`},
		"limits": {func(w *world) *routetable.Table {
			s := w.running("a")
			s.NoRestart = true
			w.spec.Spec.Resources = spec.Resources{Memory: "128Mi", CPUs: "500m", Pids: 64}
			return nil
		}, `
~ resources.memory: 64Mi → 128Mi
~ resources.cpus: 1 → 500m
~ restart: not by the engine → always
`},
		"another container": {func(w *world) *routetable.Table {
			s := w.running("0123456789abcdef")
			s.Endpoints[0].NetworkName, s.Endpoints[1].NetworkName = "web-internal", "web-egress"
			s.ImageTag = "cred-proxy:1"
			served := w.table()
			w.spec.Spec.Hostname, w.spec.Spec.Port, w.spec.Spec.Image = "proxy", 8080, "mine:2"
			return served
		}, `
~ container: cred-proxy-web (0123456789ab) → another one
~ image: cred-proxy:1 → mine:2
~ hostname: cred-proxy → proxy
~ port: 9099 → 8080
`},
		"tokens move into the environment": {func(w *world) *routetable.Table {
			w.running("0123456789abcdef")
			served := w.table()
			w.spec.Spec.TokenDelivery = spec.DeliverEnv
			return served
		}, `
~ container: cred-proxy-web (0123456789ab) → another one
~ tokenDelivery: File → Env
`},
		"tokens leave the environment": {func(w *world) *routetable.Table {
			w.spec.Spec.TokenDelivery = spec.DeliverEnv
			s := w.running("0123456789abcdef")
			s.Env = w.tokens
			served := w.table()
			w.spec.Spec.TokenDelivery = spec.DeliverMemory
			return served
		}, `
~ container: cred-proxy-web (0123456789ab) → another one
~ tokenDelivery: Env → Memory
`},
		"another network": {func(w *world) *routetable.Table {
			s := w.running("0123456789abcdef")
			s.Endpoints[0].NetworkName, s.Endpoints[1].NetworkName = "web-internal", "web-egress"
			w.networks = append(w.networks, Network{ID: "n3", Name: "other", Internal: true}, Network{ID: "n4", Name: "out"})
			w.spec.Spec.InternalNetwork, w.spec.Spec.EgressNetwork = "other", "out"
			return w.table()
		}, `
~ container: cred-proxy-web (0123456789ab) → another one
~ internalNetwork: web-internal → other
~ egressNetwork: web-egress → out
`},
		"it lost its places": {func(w *world) *routetable.Table {
			s := w.running("a")
			s.Endpoints = []Endpoint{{NetworkID: "n1", NetworkName: "web-internal"}, {NetworkID: "n2"}, {NetworkID: "n9", NetworkName: "stray"}}
			return nil
		}, `
+ hostname: cred-proxy
- network: stray
`},
		"it was stopped, and renamed": {func(w *world) *routetable.Table {
			s := w.running("a")
			s.State, s.ExitCode, s.Name = StateExited, 137, "mine"
			return w.table()
		}, `
~ state: exited (exit code 137) → running
~ name: mine → cred-proxy-web
`},
		"two serve": {func(w *world) *routetable.Table {
			w.running("a")
			w.running("b").Name = "cred-proxy-web-ab12"
			return nil
		}, `
- sidecar cred-proxy-web-ab12
`},
		"nothing declares it": {func(w *world) *routetable.Table {
			w.running("a")
			served := w.table()
			w.networks[0].SpecName = "web"
			w.declared = Declared{Complete: true}
			w.strayVolumes = []Volume{{Name: "v1", SpecName: "web"}}
			w.opts.Deliberate = true
			return served
		}, `
- volume v1
- network web-internal
- sidecar cred-proxy-web
- route /anthropic: https://api.anthropic.com
`},
		"text that steers": {func(w *world) *routetable.Table {
			w.running("a")
			served := w.table()
			served.Routes[0].Upstream = "https://a\x1b[2J\n+ x\u202e" + strings.Repeat("y", 999)
			w.spec.Spec.Routes[0].Upstream = "https://b"
			return served
		}, `
~ route /anthropic upstream: https://a` + "\ufffd[2J\ufffd+ x\ufffd" + strings.Repeat("y", maxTold-18) + `… → https://b
`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			served := tt.give(w)
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), w.changes(served)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

// What a sidecar has may be anybody's who took it over: nobody is to scroll past it, nor to wait for it.
func TestOfVeryManyChangesTheFirstAreTold(t *testing.T) {
	w := newWorld()
	w.running("a")
	served := w.table()
	for i := range 20 * maxChanges {
		served.Routes = append(served.Routes, routetable.Route{Path: fmt.Sprintf("/%d", i), Upstream: "https://x.example"})
	}
	served.Routes = append(served.Routes, served.Routes...)
	w.spec.Spec.Routes[0].Upstream = "https://elsewhere.example"
	s := newScene(w.declared, w.view())
	in := s.inputs("web", history{everDeclared: true}, w.opts)
	in.delivered, in.tokens, in.suffix = w.delivered, w.tokens, "x7q2"
	item, _ := planName(in)
	all := changesOf(in, item, served)
	item.tell(all)
	if len(item.Changes) != maxChanges || len(all) < 20*maxChanges || len(all) > 21*maxChanges || item.MoreChanges != len(all)-maxChanges {
		t.Errorf("of %d changes %d are told, and %d more", len(all), len(item.Changes), item.MoreChanges)
	}
	if want := fmt.Sprintf("\n    … and %d changes more\n", item.MoreChanges); !strings.Contains(item.String(), want) {
		t.Errorf("it does not say %q", want)
	}
	item.tell(all[:maxChanges])
	if item.MoreChanges != 0 || strings.Contains(item.String(), "more\n") {
		t.Errorf("of as many as are told there are %d more", item.MoreChanges)
	}
}

func TestAPlanIsSummedUp(t *testing.T) {
	item := func(steps ...StepName) (i Item) {
		for _, s := range steps {
			i.Steps = append(i.Steps, Step{Step: s})
		}
		return i
	}
	plan := Plan{Items: []Item{
		item(StepResolveTokens, StepCreate, StepStart), item(StepCopyRoutes, StepReload), item(StepCreate, StepDrain, StepRemove),
		item(StepDrain, StepRemove, StepRemoveNetwork),
	}}
	if got := plan.Summary(); got != "1 to make, 2 to change, 1 to remove" {
		t.Errorf("it says %q", got)
	}
	plan.Blocked = []Blocked{{}}
	if got := plan.Summary(); got != "1 to make, 2 to change, 1 to remove, 1 blocked" {
		t.Errorf("it says %q", got)
	}
}
