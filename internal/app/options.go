package app

import (
	"log/slog"
	"net"
	"time"

	"credproxy.dev/controller/internal/buildinfo"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
	"credproxy.dev/controller/pkg/subnet"
)

// Options are what the operator decides. Each verb reads those that it needs.
type Options struct {
	// Specs is the directory of spec files.
	Specs string
	Spec  spec.Options

	// DockerHost overrides how the docker CLI would find the engine.
	DockerHost string
	// Instance tells one controller's sidecars from another's on the same engine.
	Instance   string
	NamePrefix string
	// Image overrides the image that the controller builds.
	Image string
	// NetworkPools are where the networks that are made get their addresses.
	NetworkPools []subnet.Pool
	CallTimeout  time.Duration
	ReadyTimeout time.Duration
	DrainTimeout time.Duration

	// Policy is the file of the operator's policy, or policyfile.SingleUser; without one everything is permitted.
	Policy string

	// TokenDir, TokenEnv and the providers that the file TokenProviders declares are where tokens may come from.
	TokenDir       string
	TokenEnv       []string
	TokenProviders string
	// CADir is where the certificates of upstreams' authorities are.
	CADir string
	// TokenPatience is how long a token is waited for whose provider is being asked; zero waits for its answer. Run sets it.
	TokenPatience time.Duration
	// LookupEnv reads the environment that TokenEnv permits, and that providers are passed.
	LookupEnv func(string) (string, bool)

	Workers         int
	Resync          time.Duration
	DeepResync      time.Duration
	UpgradeSidecars bool
	// RequireIsolation keeps sidecars off networks from which an agent can get out.
	RequireIsolation bool
	// RevokeMissing takes a token away from its sidecar when it has gone from its source.
	RevokeMissing bool
	// Prune permits removals; Deliberate says that a person asked for them. Run prunes, whatever is set.
	Prune      bool
	Deliberate bool

	Listen         string
	AllowRemoteAPI bool
	AllowedHosts   []string
	// StateDir holds locks, and what is revoked.
	StateDir string

	// Changed is called when what the pages show has changed; it must not wait. Run sets it.
	Changed func()

	// Progress is told of each step of a pass; nil when nobody wants to know.
	Progress func(reconcile.Progress)

	Build buildinfo.Info
	Log   *slog.Logger
	// Listening, when set, is called with the address once it accepts connections.
	Listening func(net.Addr)
}
