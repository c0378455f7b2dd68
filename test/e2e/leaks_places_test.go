//go:build e2e

package e2e

import (
	"regexp"

	"credproxy.dev/controller/test/leakhunt"
)

// kind is a kind of things that are searched.
type kind string

const (
	ofContainers     kind = "docker inspect of containers"
	ofVolumes        kind = "docker inspect of volumes"
	ofNetworks       kind = "docker inspect of networks"
	ofImages         kind = "docker inspect of images"
	histories        kind = "docker history"
	engineEvents     kind = "docker events"
	containerLogs    kind = "docker logs"
	engineLog        kind = "the engine's log"
	controllersLog   kind = "the controller's log"
	pages            kind = "a page of the controller"
	words            kind = "what a verb prints"
	commandLines     kind = "a command line"
	environments     kind = "a process's environment"
	archives         kind = "docker cp"
	exports          kind = "docker export"
	engineFiles      kind = "a file of the engine's"
	controllersFiles kind = "a file of the controller's"
	agentsView       kind = "what the agent sees"
)

// kinds are all of them.
func kinds() []kind {
	return []kind{ofContainers, ofVolumes, ofNetworks, ofImages, histories, engineEvents, containerLogs, engineLog, controllersLog, pages, words, commandLines,
		environments, archives, exports, engineFiles, controllersFiles, agentsView}
}

// spot is where something was found.
type spot struct {
	kind
	// of is the spec whose sidecar it belongs to, or another role.
	of string
	// detail is a path within it.
	detail string
}

// Roles that belong to no spec.
const (
	theController = "(controller)"
	// theHolder is an agent that was given the caller key.
	theHolder = "(holder)"
	// theTrial is `controller try`, and its container.
	theTrial = "(trial)"
)

// rule says what may be found at a place.
type rule struct {
	leakhunt.Place
	kind
	detail *regexp.Regexp
	may    func(s *hunted, at spot) bool
}

// rules are how the places of SECURITY.md are recognised. Whatever none of them allows is a leak.
func rules() []rule {
	from := func(sources ...source) func(*hunted, spot) bool {
		return func(s *hunted, _ spot) bool {
			for _, one := range sources {
				if s.source == one {
					return true
				}
			}
			return false
		}
	}
	inForce := func(delivery string) func(*hunted, spot) bool {
		return func(s *hunted, at spot) bool {
			return s.inForce && s.delivery == delivery && s.spec == at.of && !s.isKey
		}
	}
	once := func(s *hunted, _ spot) bool { return s.delivery == "Env" || s.isKey }
	key := func(holder string) func(*hunted, spot) bool {
		return func(s *hunted, at spot) bool { return s.isKey && at.of == holder }
	}
	all := []rule{
		{leakhunt.Source, controllersFiles, regexp.MustCompile(`^(tokens|shop)/`), from(fromFile, fromProvider)},
		{leakhunt.MisplacedInSpec, controllersFiles, regexp.MustCompile(`^specs/`), from(fromSpec)},
		{leakhunt.ControllerEnvironment, environments, nil, func(s *hunted, at spot) bool { return s.source == fromEnv && at.of == theController }},
		{leakhunt.FileArchive, archives, regexp.MustCompile(`tokens-\d+/CRED_PROXY_TOKEN_\d+$`), func(s *hunted, at spot) bool {
			return s.inForce && s.delivery == "File" && s.spec == at.of
		}},
		{leakhunt.FileDisk, engineFiles, regexp.MustCompile(`^data/volumes/[^/]+/_data/tokens-\d+/CRED_PROXY_TOKEN_\d+$`), func(s *hunted, _ spot) bool {
			return s.inForce && s.delivery == "File"
		}},
		{leakhunt.EnvDatabase, engineFiles, regexp.MustCompile(`/meta\.db$`), once},
		{leakhunt.EnvDebugLog, engineLog, nil, once},
	}
	for _, of := range []struct {
		kind
		detail string
		env    leakhunt.Place
	}{
		{ofContainers, `^/Config/Env/\d+$`, leakhunt.EnvInspect},
		{environments, ``, leakhunt.EnvProcess},
		{engineFiles, `^data/containers/[0-9a-f]{64}/(\.tmp-)?config\.v2\.json\d*$`, leakhunt.EnvConfig}, // it is renamed when it was written anew
		{engineFiles, `/[0-9a-f]{64}/config\.json$`, leakhunt.EnvBundle},
	} {
		detail := regexp.MustCompile(of.detail)
		all = append(all,
			rule{of.env, of.kind, detail, inForce("Env")},
			rule{leakhunt.AgentsKey, of.kind, detail, key(theHolder)},
			rule{leakhunt.TrialsKey, of.kind, detail, key(theTrial)})
	}
	return all
}

// place is which of the places a token may be at where it was found.
func place(s *hunted, at spot) (leakhunt.Place, bool) {
	for _, r := range rules() {
		if r.kind == at.kind && (r.detail == nil || r.detail.MatchString(at.detail)) && r.may(s, at) {
			return r.Place, true
		}
	}
	return "", false
}
