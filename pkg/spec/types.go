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

	// AnnotationPaused, when "true", stops every step for the spec, the removal of a deleted one excepted.
	AnnotationPaused = Group + "/paused"
	// AnnotationSuspended, when "true", takes the spec's tokens away from its sidecar, which answers 503 until it is not set any
	// more.
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

// CredProxySpec is the desired sidecar.
type CredProxySpec struct {
	// InternalNetwork is the name of the network that the sidecar shares with the agent.
	InternalNetwork string `json:"internalNetwork"`
	// EgressNetwork is the name of the network through which the sidecar reaches upstreams.
	EgressNetwork string `json:"egressNetwork"`
	// CreateNetworks lets the controller make, and later remove, networks that are missing.
	CreateNetworks bool `json:"createNetworks,omitempty"`
	// RequireIsolation keeps the sidecar off its internal network while there is a breach.
	RequireIsolation bool `json:"requireIsolation,omitempty"`
	// Hostname is the alias on the internal network: one DNS label.
	Hostname string `json:"hostname,omitempty"`
	// Port is the TCP port on which the sidecar listens, 1 to 65535.
	Port int32 `json:"port,omitempty"`
	// Image overrides the controller's own image; empty means the controller's own.
	Image string `json:"image,omitempty"`
	// TokenDelivery says how tokens reach the sidecar.
	TokenDelivery TokenDelivery `json:"tokenDelivery,omitempty"`
	// Resources bounds the sidecar.
	Resources Resources `json:"resources,omitzero"`
	// CallerAuth limits who on the internal network is served; nil serves everybody there.
	CallerAuth *CallerAuth `json:"callerAuth,omitempty" spec:"stated"`
	// Routes has at least one entry.
	Routes []Route `json:"routes"`
}

// TokenDelivery is the way in which tokens reach the sidecar.
type TokenDelivery string

const (
	// DeliverFile copies tokens into the sidecar's own volume; a changed token needs no new container.
	DeliverFile TokenDelivery = "File"
	// DeliverMemory copies tokens into a volume in memory, out of which the sidecar takes them; one that was restarted
	// has none until the controller delivers them again.
	DeliverMemory TokenDelivery = "Memory"
	// DeliverEnv sets tokens in the sidecar's environment; a changed token needs a new container.
	DeliverEnv TokenDelivery = "Env"
)

// Resources are the sidecar's limits. Memory and CPUs are Kubernetes quantities, which a file may also write as
// plain numbers.
type Resources struct {
	Memory string `json:"memory,omitempty" spec:"quantity"`
	CPUs   string `json:"cpus,omitempty" spec:"quantity"`
	Pids   int64  `json:"pids,omitempty"`
}

// CallerAuth is the key that callers have to show.
type CallerAuth struct {
	// KeyRef says where the key is found. It is no route's tokenRef: callers would hold that token.
	KeyRef TokenRef `json:"keyRef"`
	// Header is the only header in which the key may come; empty for any of those in which clients send a credential.
	Header string `json:"header,omitempty"`
}

// Route forwards requests under a path prefix to one upstream.
type Route struct {
	// Path is the prefix, matched on whole segments; the longest wins; it is stripped before forwarding.
	Path string `json:"path"`
	// Upstream is an absolute URL without user info, query or fragment.
	Upstream string `json:"upstream"`
	// InsecureUpstream permits an http:// upstream.
	InsecureUpstream bool `json:"insecureUpstream,omitempty"`
	// Auth is the credential to add; nil adds none.
	Auth *Auth `json:"auth,omitempty"`
	// PassCredentials lets the client's own credentials through, but for those in the place of what the route adds, and the
	// caller key.
	PassCredentials bool `json:"passCredentials,omitempty"`
	// Methods are the only ones that pass, such as GET; nil for all.
	Methods []string `json:"methods,omitempty" spec:"stated"`
	// Paths says which paths below the route's prefix pass; nil for all.
	Paths *Paths `json:"paths,omitempty" spec:"stated"`
	// Git has the route pass git's smart HTTP protocol alone.
	Git *Git `json:"git,omitempty" spec:"stated"`
	// Mode is what becomes of a request that Methods, Paths or Git do not permit; empty for ModeEnforce.
	Mode Mode `json:"mode,omitempty"`
	// Limits bound what the route's requests may take.
	Limits *Limits `json:"limits,omitempty" spec:"stated"`
	// AllowPrivate permits an upstream at an address of a private network.
	AllowPrivate bool `json:"allowPrivate,omitempty"`
	// CAFile is a path beneath --ca-dir: the certificates of the only authorities that count for the upstream's.
	CAFile string `json:"caFile,omitempty"`
	// ClientCertificate says who the sidecar is, to an upstream that asks; nil for nobody.
	ClientCertificate *ClientCertificate `json:"clientCertificate,omitempty" spec:"stated"`
	// ProxyURL is the http:// proxy through which the upstream is reached, by CONNECT.
	ProxyURL string `json:"proxyURL,omitempty"`
	// ScrubResponses, when false, lets the route's token pass in what the upstream answers; nil is true.
	ScrubResponses *bool `json:"scrubResponses,omitempty"`
}

// Scrubbed reports whether the route's token is kept out of what the upstream answers.
func (r *Route) Scrubbed() bool { return r.ScrubResponses == nil || *r.ScrubResponses }

// Scheme is the form in which a token is put into a request.
type Scheme string

// The schemes. Bearer is RFC 6750 section 2.1 and Basic RFC 7617 section 2.
const (
	SchemeBearer Scheme = "Bearer" // Authorization: Bearer TOKEN
	SchemeToken  Scheme = "Token"  // Authorization: token TOKEN, as GitHub's API accepts it
	SchemeBasic  Scheme = "Basic"  // Authorization: Basic base64(USERNAME:TOKEN)
	SchemeHeader Scheme = "Header" // HEADER: TOKEN
	SchemeCustom Scheme = "Custom" // headers, query and basic, with templates of several tokens
)

// Auth is the credential of a route.
type Auth struct {
	Scheme Scheme `json:"scheme"`
	// Username is for Basic only.
	Username string `json:"username,omitempty"`
	// Header is for Header only.
	Header string `json:"header,omitempty"`
	// TokenRef says where the token is found; for all but Custom.
	TokenRef TokenRef `json:"tokenRef,omitzero"`
	// Tokens are the tokens of the templates below, by name; with these, for Custom only.
	Tokens  map[string]TokenRef `json:"tokens,omitempty"`
	Headers []Addition          `json:"headers,omitempty"`
	Query   []Addition          `json:"query,omitempty"`
	Basic   *BasicPair          `json:"basic,omitempty"`
}

// ClientCertificate is a certificate for the sidecar, with its key.
type ClientCertificate struct {
	// CertFile is a path beneath --ca-dir: the sidecar's certificate, and those that vouch for it.
	CertFile string `json:"certFile"`
	// KeyRef says where the private key is found: in PEM, without a password. It is no token of a route.
	KeyRef TokenRef `json:"keyRef"`
}

// TokenRef names exactly one source of a token.
type TokenRef struct {
	// Env is a variable of the controller's environment that --token-env permits.
	Env string `json:"env,omitempty"`
	// File is a path beneath --token-dir.
	File string `json:"file,omitempty"`
	// Provider is the name of one of --token-providers: a DNS label.
	Provider string `json:"provider,omitempty"`
	// Key says to that provider which token is meant; see IsTokenKey.
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
}

// Condition types of CredProxyStatus.
const (
	ConditionReady          = "Ready"
	ConditionTokensResolved = "TokensResolved"
	ConditionNetworksReady  = "NetworksReady"
	ConditionIsolated       = "Isolated"
	ConditionPermitted      = "Permitted"
)

// Paused reports whether the annotation asks for no steps.
func (c *CredProxy) Paused() bool { return c.Annotations[AnnotationPaused] == "true" }

// Suspended reports whether the annotation takes the tokens away.
func (c *CredProxy) Suspended() bool { return c.Annotations[AnnotationSuspended] == "true" }
