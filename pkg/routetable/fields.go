package routetable

// Header fields that are the sidecar's own. None of them passes from a client to an upstream or back, so that neither can
// forge them.
const (
	// FieldPrefix begins the names of all of them.
	FieldPrefix = "Cred-Proxy-"
	// FieldError carries the code of an error that is the sidecar's and not the upstream's, and FieldStage how far a
	// request for the upstream got.
	FieldError = FieldPrefix + "Error"
	FieldStage = FieldPrefix + "Stage"
	// FieldTrace, when it is "true" in a request, asks for the next two in its answer: the route that matched, and
	// whether that adds a credential, CredentialAdded or CredentialNone.
	FieldTrace      = FieldPrefix + "Trace"
	FieldRoute      = FieldPrefix + "Route"
	FieldCredential = FieldPrefix + "Credential"
	// FieldKey is where a caller shows its key.
	FieldKey = FieldPrefix + "Key"
)

// Values of FieldCredential.
const (
	CredentialAdded = "added"
	CredentialNone  = "none"
)

// Stages of a request, as FieldStage names the one at which it stopped.
const (
	StageDNS      = "dns"      // the name was not resolved
	StageConnect  = "connect"  // no connection came about
	StageTLS      = "tls"      // TLS was not agreed on, or the certificate not accepted
	StageTimeout  = "timeout"  // connected, and no answer in time
	StageExchange = "exchange" // connected, and it broke off before an answer
)
