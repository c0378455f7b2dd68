package routetable

// Paths inside the sidecar.
const (
	// Dir is where the sidecar's volume is mounted.
	Dir = "/run/cred-proxy"
	// FileName is the document's name inside Dir. It is written last, after every token of its generation.
	FileName = "routes.json"
	// Version is the version of the document that this package reads and writes.
	Version = 1
	// UID is the user and group that the sidecar runs as, and that owns its files.
	UID = 65532
)

// DrainTimeoutVariable names the variable of the sidecar's environment that bounds how long SIGTERM waits for requests
// in flight: a Go duration such as "30s", which is the default.
const DrainTimeoutVariable = "CRED_PROXY_DRAIN_TIMEOUT"

// SpecVariable names the variable of the sidecar's environment that says of which spec it is, for its log.
const SpecVariable = "CRED_PROXY_SPEC"

// Table is the routes.json document. One push is one generation: the document names its own generation's token
// files, and its digest covers them, so a torn or mixed set is refused as a whole.
type Table struct {
	Version int `json:"version"`
	// Generation grows with each push to one sidecar. Its token files are in tokens-<generation>/.
	Generation int64 `json:"generation"`
	// Key is random for each push. The digest is keyed with it, so that a digest shown to people says nothing
	// about a token; the key itself never leaves the sidecar's volume.
	Key []byte `json:"key"`
	// Digest is hex(HMAC-SHA256(Key, document without digest || token files)).
	Digest string `json:"digest"`
	// RoutesDigest identifies the routing alone: no generation, key or token goes into it, so that two
	// processes can compare what they want with what is served.
	RoutesDigest string `json:"routesDigest"`
	// Listen is the address to listen on, such as ":9099".
	Listen string `json:"listen"`
	// InternalSubnets are the CIDRs of the internal network; the sidecar serves the interface inside them alone.
	InternalSubnets []string `json:"internalSubnets"`
	// InternalGateways are the host's own addresses on the internal network; connections from them are closed.
	InternalGateways []string `json:"internalGateways,omitempty"`
	// HostAddresses are more addresses of the host, on networks that are not the sidecar's; no route leads there.
	HostAddresses []string `json:"hostAddresses,omitempty"`
	// CallerAuth limits who is served; nil serves everybody on the internal network.
	CallerAuth *CallerAuth `json:"callerAuth,omitempty"`
	Routes     []Route     `json:"routes"`
}

// CallerAuth says which key a caller has to show. Exactly one of TokenFile and TokenEnv is set, to a slot that no
// route has.
type CallerAuth struct {
	// Header is the only field in which the key may come; empty for any of those in which clients send a credential.
	Header string `json:"header,omitempty"`
	// TokenFile and TokenEnv are as those of Auth.
	TokenFile string `json:"tokenFile,omitempty"`
	TokenEnv  string `json:"tokenEnv,omitempty"`
}

// Route is one prefix of the table.
type Route struct {
	Path     string `json:"path"`
	Upstream string `json:"upstream"`
	Auth     *Auth  `json:"auth,omitempty"`
	// Withheld says why the route's token may not be used: then it answers 503 no_token, and Auth is nil. Empty for a route
	// that serves.
	Withheld Withheld `json:"withheld,omitempty"`
	// Methods are the only ones that pass; empty for all.
	Methods []string `json:"methods,omitempty"`
	// Paths and Git say which requests pass; nil for all.
	Paths *Paths `json:"paths,omitempty"`
	Git   *Git   `json:"git,omitempty"`
	// Mode is ModeWarn, or empty.
	Mode string `json:"mode,omitempty"`
	// Limits bound what the requests may take; nil where only the sidecar's own limits do.
	Limits *Limits `json:"limits,omitempty"`
	// PassCredentials lets the client's own credentials through, but for those in the place of what the route adds.
	PassCredentials bool `json:"passCredentials,omitempty"`
	// AllowPrivate permits an upstream at an address of a private network.
	AllowPrivate bool `json:"allowPrivate,omitempty"`
	// Roots are the certificates in PEM of the only authorities whose word counts for the upstream's; empty for those that
	// the sidecar knows.
	Roots string `json:"roots,omitempty"`
	// ClientCertificate says who the sidecar is, to an upstream that asks; nil for nobody.
	ClientCertificate *ClientCertificate `json:"clientCertificate,omitempty"`
	// ProxyURL is the http:// proxy through which the upstream is reached, by CONNECT (RFC 9110 section 9.3.6).
	ProxyURL string `json:"proxyURL,omitempty"`
	// Unscrubbed lets the route's token pass in what the upstream answers.
	Unscrubbed bool `json:"unscrubbed,omitempty"`
}

// Withheld is why a route answers without its token.
type Withheld string

// The reasons.
const (
	// WithheldMissing: the token has gone from its source, and the operator wants it gone from the sidecar then.
	WithheldMissing Withheld = "missing"
	// WithheldSuspended: the spec is suspended by an annotation.
	WithheldSuspended Withheld = "suspended"
	// WithheldRevoked: the operator revoked the spec or the token.
	WithheldRevoked Withheld = "revoked"
	// WithheldDenied: the operator's policy does not permit this use of the token.
	WithheldDenied Withheld = "denied"
)

// Auth says which credential a route adds. Exactly one of TokenFile and TokenEnv is set; with scheme Custom neither, and
// what comes behind them instead.
type Auth struct {
	// Scheme is Bearer, Token, Basic, Header or Custom.
	Scheme   string `json:"scheme"`
	Username string `json:"username,omitempty"`
	Header   string `json:"header,omitempty"`
	// TokenFile is a path below Dir, such as tokens-17/CRED_PROXY_TOKEN_1.
	TokenFile string `json:"tokenFile,omitempty"`
	// TokenEnv is a variable of the sidecar's environment, such as CRED_PROXY_TOKEN_1.
	TokenEnv string `json:"tokenEnv,omitempty"`
	// Tokens are the tokens of the templates below, by name.
	Tokens map[string]TokenPlace `json:"tokens,omitempty"`
	// Headers and Query are fields and parameters of the request; Basic is Authorization.
	Headers []Addition `json:"headers,omitempty"`
	Query   []Addition `json:"query,omitempty"`
	Basic   *Basic     `json:"basic,omitempty"`
}

// TokenPlace says where one of several tokens is, as TokenFile and TokenEnv of Auth do for the only one.
type TokenPlace struct {
	TokenFile string `json:"tokenFile,omitempty"`
	TokenEnv  string `json:"tokenEnv,omitempty"`
}

// Addition is a header field or a parameter of the query, whose value is a template (see package template).
type Addition struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Basic holds templates of both halves of Basic credentials (RFC 7617 section 2); either may be empty.
type Basic struct {
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
}

// ClientCertificate is a chain of certificates, and where its private key is: a token, as FoldKey writes it.
type ClientCertificate struct {
	// Certificates are in PEM, the sidecar's own first.
	Certificates string `json:"certificates"`
	// TokenFile and TokenEnv are as those of Auth.
	TokenFile string `json:"tokenFile,omitempty"`
	TokenEnv  string `json:"tokenEnv,omitempty"`
}

// place is where the sidecar finds a token: in a file of its volume, or in a variable of its environment.
type place struct{ file, env string }

func (t TokenPlace) place() place  { return place{t.TokenFile, t.TokenEnv} }
func (c *CallerAuth) place() place { return place{c.TokenFile, c.TokenEnv} }

func (c *ClientCertificate) place() place { return place{c.TokenFile, c.TokenEnv} }

// places lists where the tokens of a route are, and the key of its certificate.
func (r *Route) places() []place {
	var places []place
	for _, at := range r.Auth.places() {
		places = append(places, at)
	}
	if r.ClientCertificate != nil {
		places = append(places, r.ClientCertificate.place())
	}
	return places
}

// places lists where all tokens of a table are: those of its routes, with the keys of their certificates, and the caller key.
func (t *Table) places() []place {
	var places []place
	for _, r := range t.Routes {
		places = append(places, r.places()...)
	}
	if t.CallerAuth != nil {
		places = append(places, t.CallerAuth.place())
	}
	return places
}

// Report is one line of JSON on the sidecar's standard output.
type Report struct {
	Event ReportEvent `json:"event"`
	// Generation, Digest and RoutesDigest are those of the table that is served now; zero when none is.
	Generation   int64  `json:"generation"`
	Digest       string `json:"digest,omitempty"`
	RoutesDigest string `json:"routesDigest,omitempty"`
	// Serving is true while the listener on the internal network is open.
	Serving bool `json:"serving"`
	// Refused is the generation that was refused; set with EventRefused only. Zero when the file could not be read as far.
	Refused int64 `json:"refused,omitempty"`
	// Error says why a table was refused, or why nothing is served, in words for people. Never a token.
	Error string `json:"error,omitempty"`
	// Rejected are the routes whose upstream answers 401 to a token that it took before, in order of paths; at most
	// MaxRejected, and fewer if their paths are too long for one line.
	Rejected []Rejection `json:"rejected,omitempty"`
	// Dropped counts the reports just before this one that nobody read in time, so that they were dropped.
	Dropped int64 `json:"dropped,omitempty"`
}

// Rejection is a route whose upstream answers 401 to a token that it took before.
type Rejection struct {
	// Route is the path of the route.
	Route string `json:"route"`
	// Count is how many such answers the route has had since the process began, with tokens before this one too.
	Count int64 `json:"count"`
}

// ReportEvent is the kind of a Report.
type ReportEvent string

// What a sidecar reports.
const (
	// EventLoaded: the first whole table is loaded and there is nothing to listen on yet, as on an egress network
	// alone. EventReady follows; where the listener opens at once, it comes instead.
	EventLoaded ReportEvent = "loaded"
	// EventReady: the first whole table is loaded and the listener is open.
	EventReady ReportEvent = "ready"
	// EventReloaded: SIGHUP was answered by serving the table in the volume.
	EventReloaded ReportEvent = "reloaded"
	// EventRefused: SIGHUP found a table that is not whole or not valid; the old one serves on.
	EventRefused ReportEvent = "refused"
	// EventState answers SIGUSR1. It comes unasked, at most a few times a second, when Serving is not what the last
	// report said: the internal network's interface went or came back, or the sidecar drains. For Rejected, it comes at most
	// once a second when the routes are others, and every ten seconds when only the counts are. From a sidecar on standby it
	// comes at the start, and asks for a delivery.
	EventState ReportEvent = "state"
)
