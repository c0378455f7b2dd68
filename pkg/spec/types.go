package spec

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Names of the API. They appear in files, labels and answers, so they never change within v1alpha1.
const (
	// Group is the API group of CredProxy.
	Group = "credproxy.dev"
	// Version is the API version that this package reads and writes.
	Version = "v1alpha1"
	// APIVersion is what a file writes as apiVersion.
	APIVersion = Group + "/" + Version
	// Kind is what a file writes as kind.
	Kind = "CredProxy"
	// ListKind is the kind of CredProxyList.
	ListKind = "CredProxyList"

	// AnnotationPaused says with "true" that no step is taken for this spec, except that deleting the file removes the sidecar.
	AnnotationPaused = Group + "/paused"
	// AnnotationSuspended says with "true" that the sidecar gives up its tokens, and its routes answer 503, until this is not set
	// any more.
	AnnotationSuspended = Group + "/suspended"
)

// Defaults of fields that a file leaves out.
const (
	DefaultHostname = "cred-proxy"
	DefaultPort     = 9099
	DefaultMemory   = "64Mi"
	DefaultCPUs     = "1"
	DefaultPids     = 64
)

// CredProxy declares one credential-proxy sidecar for one environment.
type CredProxy struct {
	metav1.TypeMeta `json:",inline"`
	// ObjectMeta holds name, labels and annotations; a file that sets anything else is refused.
	metav1.ObjectMeta `json:"metadata"`

	Spec CredProxySpec `json:"spec"`
	// Status is written by the controller and is never read from a file.
	Status *CredProxyStatus `json:"status,omitempty"`
}

// CredProxyList is the answer of the API for all specs.
type CredProxyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []CredProxy `json:"items"`
}

// CredProxySpec is the sidecar as it should be.
type CredProxySpec struct {
	// InternalNetwork is the name of the Docker network that the sidecar shares with the agent. Not bridge, host, none or
	// default.
	// +pattern=networkName
	// +see=docs/boundary.md#networks-that-the-controller-makes
	InternalNetwork string `json:"internalNetwork"`
	// EgressNetwork is the name of the Docker network through which the sidecar reaches upstreams; another one than
	// internalNetwork. Not host, none or default.
	// +pattern=networkName
	EgressNetwork string `json:"egressNetwork"`
	// CreateNetworks lets the controller make networks that are missing, for this spec alone and shut in, and remove them again
	// once the spec needs them no more and nothing else is on them.
	// +default=false
	// +see=docs/boundary.md#networks-that-the-controller-makes
	CreateNetworks bool `json:"createNetworks,omitempty"`
	// RequireIsolation takes the sidecar off its internal network at once while there is a breach (see the condition Isolated),
	// and puts it back after it; no sidecar is made or started meanwhile. --require-isolation does so for every spec.
	// +default=false
	// +see=docs/boundary.md#let-no-breach-pass
	RequireIsolation bool `json:"requireIsolation,omitempty"`
	// Hostname is the sidecar's name on the internal network: a DNS label, not localhost. --hostname sets another default.
	// +default=DefaultHostname
	Hostname string `json:"hostname,omitempty"`
	// Port is the TCP port on which the sidecar listens. --port sets another default.
	// +minimum=1
	// +maximum=65535
	// +default=DefaultPort
	Port int32 `json:"port,omitempty"`
	// Image is another image than the controller's own; refused unless the controller runs with --allow-custom-images. It has to
	// be on the engine: nothing is pulled.
	// +default=""
	Image string `json:"image,omitempty"`
	// TokenDelivery is how tokens reach the sidecar.
	// +default=DeliverFile
	// +see=docs/tokens.md#delivery-file-memory-or-env
	TokenDelivery TokenDelivery `json:"tokenDelivery,omitempty"`
	// Resources are the sidecar's limits.
	Resources Resources `json:"resources,omitzero"`
	// CallerAuth is a key that callers have to show; without it everybody on the internal network is served. An empty one is
	// refused.
	// +see=docs/boundary.md#callers
	CallerAuth *CallerAuth `json:"callerAuth,omitempty" spec:"stated"`
	// Routes are what the agent can reach. The longest path that a request begins with, on whole segments, decides.
	// +minItems=1
	// +maxItems=MaxRoutes
	// +see=docs/spec.md#routes
	Routes []Route `json:"routes"`
}

// TokenDelivery is the way in which tokens reach the sidecar.
type TokenDelivery string

const (
	// DeliverFile copies tokens into the sidecar's own volume, and changes them without a restart.
	DeliverFile TokenDelivery = "File"
	// DeliverMemory does the same, and has no token on a disk: a sidecar that was restarted has none until the controller delivers
	// them again, which it does at once.
	DeliverMemory TokenDelivery = "Memory"
	// DeliverEnv sets tokens in the sidecar's environment; a changed token needs another container.
	DeliverEnv TokenDelivery = "Env"
)

// Resources are the sidecar's limits. Memory and cpus are Kubernetes quantities, which a file may also write as plain
// numbers.
type Resources struct {
	// Memory is a quantity of bytes, such as 64Mi; no swap comes on top.
	// +from=minMemory
	// +to=maxMemory
	// +default=DefaultMemory
	Memory string `json:"memory,omitempty" spec:"quantity"`
	// CPUs is a quantity of CPUs, such as "1", 0.5 or 500m.
	// +from=minCPUs
	// +to=maxCPUs
	// +default=DefaultCPUs
	CPUs string `json:"cpus,omitempty" spec:"quantity"`
	// Pids is how many processes and threads there may be.
	// +minimum=minPids
	// +maximum=maxPids
	// +default=DefaultPids
	Pids int64 `json:"pids,omitempty"`
}

// CallerAuth is the key that callers have to show.
type CallerAuth struct {
	// KeyRef says where the controller finds the key. It is no route's tokenRef: callers would hold that token.
	KeyRef TokenRef `json:"keyRef"`
	// Header is the only header in which the key may come, such as X-My-Key; without it, any of those in which clients send a
	// credential. Not a header of the connection or the message, such as Host or Content-Length.
	// +pattern=fieldName
	Header string `json:"header,omitempty"`
}

// Route is one path prefix, and where it leads.
type Route struct {
	// Path is the prefix, such as /anthropic, which is stripped before forwarding. It begins with a slash and does not end with
	// one (/ alone takes all that is left), has no empty, "." or ".." segment, and is unique in the spec: at most 512 letters,
	// digits and "-._~!$&'()*+,=:@".
	// +pattern="^/"
	Path string `json:"path"`
	// Upstream is where requests go: an absolute https:// URL with a DNS name or an IP address, port and clean path if you like,
	// without user, query or fragment.
	// +pattern="^[Hh][Tt][Tt][Pp][Ss]?://"
	Upstream string `json:"upstream"`
	// InsecureUpstream permits an http:// upstream: tokens cross its network in clear.
	// +default=false
	InsecureUpstream bool `json:"insecureUpstream,omitempty"`
	// AllowPrivate permits an upstream at an address of a private network, such as 10.1.2.3, or a container's.
	// +default=false
	// +see=docs/spec.md#destinations
	AllowPrivate bool `json:"allowPrivate,omitempty"`
	// CAFile is a path beneath --ca-dir: certificates in PEM, at most 64 KiB, of the only authorities that count for this
	// upstream's; with https:// only.
	// +minLength=1
	// +see=docs/spec.md#destinations
	CAFile string `json:"caFile,omitempty"`
	// ClientCertificate is a certificate for the sidecar, for an upstream that asks for one; with https:// only.
	// +see=docs/spec.md#destinations
	ClientCertificate *ClientCertificate `json:"clientCertificate,omitempty" spec:"stated"`
	// ProxyURL is an http:// proxy through which this upstream is reached, by CONNECT, such as http://proxy.example.com:3128;
	// with https:// upstreams only.
	// +pattern="^http://[^/?#@]+$"
	// +see=docs/spec.md#destinations
	ProxyURL string `json:"proxyURL,omitempty"`
	// Auth is the credential to add; without it none is added, and the client's is still taken out.
	Auth *Auth `json:"auth,omitempty"`
	// PassCredentials lets the client's own credentials through, but for those in the place of what the route adds, and the
	// caller key. A policy has to allow it.
	// +default=false
	// +see=docs/spec.md#what-is-taken-out
	PassCredentials bool `json:"passCredentials,omitempty"`
	// Methods are the only methods that pass; without it all do, but CONNECT and TRACE, which never do.
	// +minItems=1
	// +maxItems=maxEntries
	// +items=A method in capitals, such as GET.
	// +items:pattern=methodName
	// +see=docs/spec.md#what-a-route-lets-pass
	Methods []string `json:"methods,omitempty" spec:"stated"`
	// Paths say which paths below the route's own pass; without it all do.
	// +see=docs/spec.md#what-a-route-lets-pass
	Paths *Paths `json:"paths,omitempty" spec:"stated"`
	// Git has the route pass git's smart HTTP protocol and nothing else; without methods and paths.
	// +see=docs/spec.md#what-a-route-lets-pass
	Git *Git `json:"git,omitempty" spec:"stated"`
	// Mode is what becomes of a request that methods, paths or git do not permit; with one of these only.
	// +default=ModeEnforce
	Mode Mode `json:"mode,omitempty"`
	// Limits are what the route's requests may take; what is left out is bounded by the sidecar alone.
	// +see=docs/spec.md#limits
	Limits *Limits `json:"limits,omitempty" spec:"stated"`
	// Roles are which of the agent's clients are to use the route: controller env prints the settings that they need. Nothing of
	// the sidecar changes with it. A client that has one setting can be given one route of a spec; several may have git-insteadof
	// and tea-login.
	// +minItems=1
	// +maxItems=maxRoles
	// +items=One of its clients.
	// +see=docs/agent.md
	Roles []Role `json:"roles,omitempty" spec:"stated"`
	// ScrubResponses has the route's tokens overwritten in what the upstream answers; such routes ask for answers that are not
	// compressed. False lets them pass. A policy has to allow it.
	// +default=true
	// +see=docs/spec.md#answers
	ScrubResponses *bool `json:"scrubResponses,omitempty"`
}

// Scrubbed reports whether the route's token is kept out of what the upstream answers.
func (r *Route) Scrubbed() bool { return r.ScrubResponses == nil || *r.ScrubResponses }

// Scheme is the form in which a token is put into a request.
type Scheme string

// The schemes. Bearer is RFC 6750 section 2.1 and Basic RFC 7617 section 2.
const (
	SchemeBearer Scheme = "Bearer" // "Authorization: Bearer TOKEN"
	SchemeToken  Scheme = "Token"  // "Authorization: token TOKEN", as GitHub's API accepts it
	SchemeBasic  Scheme = "Basic"  // "Authorization: Basic", and USERNAME:TOKEN in base64
	SchemeHeader Scheme = "Header" // the token alone, in the header of that name
	SchemeCustom Scheme = "Custom" // several tokens, in headers, query and basic, by templates
)

// Auth is the credential of a route.
// +oneOf=tokenRef
// +oneOf=tokens
// +needs=headers:tokens
// +needs=query:tokens
// +needs=basic:tokens
type Auth struct {
	// Scheme is the form in which the token is put into a request.
	Scheme Scheme `json:"scheme"`
	// Username is the user name; with scheme Basic, and only then. No ":" or control character.
	// +maxLength=255
	Username string `json:"username,omitempty"`
	// Header is the header's name, such as X-Api-Key; with scheme Header, and only then. Not a header of the connection or the
	// message, such as Host or Content-Length.
	// +pattern=fieldName
	Header string `json:"header,omitempty"`
	// TokenRef says where the controller finds the token; with all schemes but Custom.
	TokenRef TokenRef `json:"tokenRef,omitzero"`
	// Tokens are the tokens of the templates in headers, query and basic, each by a name of its own of at most 63 letters, digits,
	// "_" and "-", a letter first; with scheme Custom, and only then. Each is in a template.
	// +minProperties=1
	// +maxProperties=maxAdditions
	// +see=docs/spec.md#templates
	Tokens map[string]TokenRef `json:"tokens,omitempty"`
	// Headers are headers to add; with scheme Custom, and only then.
	// +maxItems=maxAdditions
	// +items=One header.
	// +items:name=The header's name, such as X-Api-Key. Not a header of the connection or the message.
	// +items:name:pattern=fieldName
	Headers []Addition `json:"headers,omitempty"`
	// Query are parameters to add to the query; with scheme Custom, and only then.
	// +maxItems=maxAdditions
	// +items=One parameter.
	// +items:name=The parameter's name, such as key: letters, digits and "-._~".
	// +items:name:pattern=parameterName
	Query []Addition `json:"query,omitempty"`
	// Basic has both halves of "Authorization: Basic", each a template, of which one may be left out; with scheme Custom, and only
	// then.
	Basic *BasicPair `json:"basic,omitempty"`
}

// ClientCertificate is a certificate for the sidecar, with its key.
type ClientCertificate struct {
	// CertFile is a path beneath --ca-dir: the certificate in PEM, and behind it those that vouch for it.
	// +minLength=1
	CertFile string `json:"certFile"`
	// KeyRef says where the controller finds the private key, in PEM without a password. It is no token of a route.
	KeyRef TokenRef `json:"keyRef"`
}

// TokenRef is where the controller finds a token: exactly one of env, file, and provider with key.
// +oneOf=env
// +oneOf=file
// +oneOf=provider,key
// +needs=provider:key
// +needs=key:provider
// +see=docs/tokens.md#sources
type TokenRef struct {
	// Env is a variable of the controller's environment that --token-env permits.
	// +pattern=envName
	Env string `json:"env,omitempty"`
	// File is a path beneath --token-dir: relative, without "..".
	// +minLength=1
	File string `json:"file,omitempty"`
	// Provider is one of the providers that --token-providers declares: a DNS label.
	// +pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
	// +maxLength=63
	Provider string `json:"provider,omitempty"`
	// Key says to that provider which token is meant, such as team-a/github: letters, digits and "._/@:+=-", a letter or digit
	// first, no "/" at the end and no "//", "/./" or "/../".
	// +pattern=tokenKey
	// +maxLength=maxTokenKey
	Key string `json:"key,omitempty"`
}

// String names the reference for people, such as "env CLAUDE_CODE_OAUTH_TOKEN", "file git-token" or
// "provider vault key team-a/github".
func (r TokenRef) String() string {
	switch {
	case r.File != "":
		return "file " + r.File
	case r.Provider != "" || r.Key != "":
		return "provider " + r.Provider + " key " + r.Key
	}
	return "env " + r.Env
}

// Typed writes the reference as it is typed on a command line, such as env:GITHUB_TOKEN. String stays beside it, since the hash of
// specs goes by that.
func (r TokenRef) Typed() string {
	switch {
	case r.File != "":
		return "file:" + r.File
	case r.Provider != "" || r.Key != "":
		return "provider:" + r.Provider + ":" + r.Key
	}
	return "env:" + r.Env
}

// CredProxyStatus is what the controller knows of a sidecar.
type CredProxyStatus struct {
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// ContainerID is the engine's full ID of the serving container.
	ContainerID   string `json:"containerID,omitempty"`
	ContainerName string `json:"containerName,omitempty"`
	// URL is what the agent dials, such as http://cred-proxy:9099.
	URL string `json:"url,omitempty"`
	// SpecHash is the hash that the running container was made from.
	SpecHash string `json:"specHash,omitempty"`
	// RoutesDigest identifies the routing table that the sidecar confirmed; no token goes into it.
	RoutesDigest string `json:"routesDigest,omitempty"`
	// WithheldRoutes are the paths of the routes of which it is known that the sidecar has no token, because it is withheld.
	WithheldRoutes []string `json:"withheldRoutes,omitempty"`
	// LastError is the last failure, in words; empty when the last attempt succeeded.
	LastError string `json:"lastError,omitempty"`
	// LastTransitionTime is when any condition last changed its status.
	LastTransitionTime *metav1.Time `json:"lastTransitionTime,omitempty"`
	// IsolationFindings are the things by which the environment is not isolated, breaches first.
	IsolationFindings []IsolationFinding `json:"isolationFindings,omitempty"`
	// Tokens are the spec's token references, in order of first use.
	Tokens []TokenStatus `json:"tokens,omitempty"`
	// Traffic is what was counted of its routes, in their order, and behind them of the requests that none took.
	Traffic []RouteTraffic `json:"traffic,omitempty"`
	// PlannedSteps are those of the last plan that are not taken yet; empty when there is nothing to do.
	PlannedSteps []PlannedStep `json:"plannedSteps,omitempty"`
	// PlannedChanges are what those steps add, remove and change, as far as the engine tells; of tokens, references alone. The routes
	// that a sidecar has now are not read for it, as `plan` does.
	PlannedChanges []PlannedChange `json:"plannedChanges,omitempty"`
	// NextAttemptTime is until when it rests after a failure, unless something changes.
	NextAttemptTime *metav1.Time `json:"nextAttemptTime,omitempty"`
}

// Condition types of CredProxyStatus.
const (
	ConditionReady          = "Ready"
	ConditionTokensResolved = "TokensResolved"
	ConditionNetworksReady  = "NetworksReady"
	ConditionIsolated       = "Isolated"
	ConditionPermitted      = "Permitted"

	// ConditionCurrent is added where a status is shown, by those who know the files: True when what serves is what the file says
	// now, False also while the last good version of a bad file is in force.
	ConditionCurrent = "Current"
)

// Paused reports whether the annotation asks for no steps.
func (c *CredProxy) Paused() bool { return c.Annotations[AnnotationPaused] == "true" }

// Suspended reports whether the annotation takes the tokens away.
func (c *CredProxy) Suspended() bool { return c.Annotations[AnnotationSuspended] == "true" }
