package cli

import (
	"time"

	"github.com/spf13/pflag"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/internal/buildinfo"
	"credproxy.dev/controller/internal/lock"
	"credproxy.dev/controller/pkg/spec"
	"credproxy.dev/controller/pkg/subnet"
)

// What --on-missing-token takes.
const (
	keepMissing   = "keep"
	revokeMissing = "revoke"
)

// settings are what flags and variables set.
type settings struct {
	app.Options
	logFormat, logLevel string
	networkPools        []string
	onMissingToken      string
	// optionalSpecs is true where --specs may be left out.
	optionalSpecs bool
}

func (s *settings) fileFlags(f *pflag.FlagSet) {
	f.StringVar(&s.Spec.Hostname, "hostname", spec.DefaultHostname, "name that agents dial, for specs without hostname")
	f.Int32Var(&s.Spec.Port, "port", spec.DefaultPort, "TCP port of sidecars, for specs without port")
	f.BoolVar(&s.Spec.AllowCustomImages, "allow-custom-images", false,
		"accept specs that name an image; whoever writes such a spec chooses what is handed its tokens")
}

func (s *settings) specsFlags(f *pflag.FlagSet) {
	f.StringVar(&s.Specs, "specs", "", "directory of CredProxy files (.yaml, .yml, .json), with its directories; required, but for doctor and env")
	directory(f, "specs")
	s.fileFlags(f)
}

func (s *settings) engineAddressFlags(f *pflag.FlagSet) {
	f.StringVar(&s.DockerHost, "docker-host", "",
		"engine, such as unix:///var/run/docker.sock; if empty it is found as the docker command finds it: DOCKER_HOST, "+
			"DOCKER_CONTEXT, the current context, the default socket")
	f.StringVar(&s.Instance, "instance", "default", "name of this controller on its engine; it sees its own sidecars only")
	f.DurationVar(&s.CallTimeout, "call-timeout", 30*time.Second, "longest wait for one call to the engine; copying and building may take four times as long")
}

func (s *settings) imageFlag(f *pflag.FlagSet) {
	f.StringVar(&s.Image, "image", "", "image of sidecars, already on the engine; if empty the controller builds its own")
}

func (s *settings) engineFlags(f *pflag.FlagSet) {
	s.engineAddressFlags(f)
	f.StringVar(&s.NamePrefix, "name-prefix", "cred-proxy", "beginning of the names of containers")
	s.imageFlag(f)
	f.BoolVar(&s.UpgradeSidecars, "upgrade-sidecars", false, "replace sidecars that run another image than this controller's")
	f.BoolVar(&s.RequireIsolation, "require-isolation", false,
		"take a sidecar off its internal network at once while there is a breach (condition Isolated), and put it back after it, "+
			"whatever its spec says")
	s.poolsFlag(f)
	f.IntVar(&s.Workers, "workers", 8, "sidecars worked on at a time")
	f.DurationVar(&s.ReadyTimeout, "ready-timeout", 15*time.Second, "longest wait for a started sidecar to serve, or for its answer to new routes")
	f.DurationVar(&s.DrainTimeout, "drain-timeout", 30*time.Second, "longest time that a replaced sidecar may finish requests")
}

func (s *settings) poolsFlag(f *pflag.FlagSet) {
	f.StringSliceVar(&s.networkPools, "network-pool", nil,
		"range such as 10.200.0.0/16, IPv6 too, of which the networks of createNetworks get small subnets; if empty the engine "+
			"gives them; several")
}

func (s *settings) policyFlag(f *pflag.FlagSet) {
	f.StringVar(&s.Policy, "policy", "",
		"file of the TokenPolicy that says which specs may use which tokens, and where; outside --specs, and for its owner alone to "+
			"write. single-user is the ready-made one that permits everything; without one everything is permitted, too")
	file(f, "policy")
}

func (s *settings) tokenDirFlag(f *pflag.FlagSet) {
	f.StringVar(&s.TokenDir, "token-dir", "", "directory beneath which specs may name token files; none if empty")
	directory(f, "token-dir")
}

func (s *settings) tokenFlags(f *pflag.FlagSet) {
	s.policyFlag(f)
	f.StringVar(&s.CADir, "ca-dir", "", "directory beneath which specs may name files of certificates: of authorities (caFile), and of "+
		"sidecars (clientCertificate.certFile); none if empty")
	directory(f, "ca-dir")
	s.tokenDirFlag(f)
	f.StringSliceVar(&s.TokenEnv, "token-env", nil,
		"variable of the controller, or pattern of variables such as 'AGENT_*', that specs may name as tokens; several")
	s.providersFlag(f)
}

func (s *settings) providersFlag(f *pflag.FlagSet) {
	f.StringVar(&s.TokenProviders, "token-providers", "",
		"file that declares providers: commands that are asked for tokens. It is read once, at the start; nobody but its owner may be "+
			"able to write it, and it does not lie beneath --specs; none if empty")
	file(f, "token-providers")
}

func (s *settings) missingFlag(f *pflag.FlagSet) {
	f.StringVar(&s.onMissingToken, "on-missing-token", keepMissing,
		"what becomes of a token in a sidecar that has gone from its source: keep, or revoke, so that its routes answer 503")
	choose(f, "on-missing-token", keepMissing, revokeMissing)
}

func (s *settings) loopFlags(f *pflag.FlagSet) {
	f.DurationVar(&s.Resync, "resync", 30*time.Second, "how often files and engine are compared, whatever was noticed")
	f.DurationVar(&s.DeepResync, "deep-resync", 10*time.Minute, "how often every sidecar is inspected too")
	s.lockFlags(f)
}

func (s *settings) lockFlags(f *pflag.FlagSet) {
	f.StringVar(&s.StateDir, "state-dir", "",
		"directory of locks (one run for each engine and instance, and whoever acts on a name alone at it) and of what is revoked, the "+
			"same for all verbs; if empty /var/lib/credproxy for root, else $XDG_STATE_HOME/credproxy or ~/.local/state/credproxy")
	directory(f, "state-dir")
}

func (s *settings) listenFlags(f *pflag.FlagSet) {
	f.StringVar(&s.Listen, "listen", "127.0.0.1:8099", "address of metrics, health and API; port 0 picks a free one, which the log names")
	f.BoolVar(&s.AllowRemoteAPI, "allow-remote-api", false,
		"serve the API on a --listen address that is not loopback too")
}

func (s *settings) webFlags(f *pflag.FlagSet) {
	s.listenFlags(f)
	f.StringSliceVar(&s.AllowedHosts, "allowed-hosts", nil,
		"names, besides loopback ones, by which that address may be asked; several")
}

func (s *settings) logFlags(f *pflag.FlagSet, level string) {
	f.StringVar(&s.logFormat, "log-format", "text", "text or json, on stderr")
	f.StringVar(&s.logLevel, "log-level", level, "debug, info, warn or error")
	choose(f, "log-format", "text", "json")
	choose(f, "log-level", "debug", "info", "warn", "error")
}

// options checks what was set and returns it, ready for the app.
func (s *settings) options(f *pflag.FlagSet, sys System) (app.Options, error) {
	if err := s.check(f); err != nil {
		return app.Options{}, err
	}
	opts := s.Options
	opts.LookupEnv, opts.Listening, opts.Build = sys.LookupEnv, sys.Listening, buildinfo.Read()
	opts.RevokeMissing = s.onMissingToken == revokeMissing
	var err error
	if opts.NetworkPools, err = subnet.ParseAll(s.networkPools); err != nil {
		return app.Options{}, usagef("%s: %w", origin(f.Lookup("network-pool")), err)
	}
	if opts.Log, err = app.NewLogger(sys.Stderr, s.logFormat, s.logLevel); err != nil {
		return app.Options{}, &usageError{err}
	}
	if f.Lookup("state-dir") != nil {
		if opts.StateDir, err = stateDir(s.StateDir, sys); err != nil {
			return app.Options{}, err
		}
	}
	return opts, nil
}

// stateDir is the directory that was given, or else the user's own.
func stateDir(given string, sys System) (string, error) {
	if given != "" {
		return given, nil
	}
	dir, err := lock.DefaultDir(sys.UID, getenv(sys))
	if err != nil {
		return "", &usageError{err}
	}
	return dir, nil
}

func getenv(sys System) func(string) string {
	return func(name string) string {
		value, _ := sys.LookupEnv(name)
		return value
	}
}
