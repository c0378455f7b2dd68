package policy

import (
	"k8s.io/apimachinery/pkg/api/resource"

	"credproxy.dev/controller/pkg/spec"
)

// Kind is what a file writes as kind.
const Kind = "TokenPolicy"

// Document is all that says which specs may use which tokens, and where.
type Document struct {
	// APIVersion is the version of the API.
	// +enum=spec.APIVersion
	APIVersion string `json:"apiVersion"`
	// Kind is the kind of the object.
	// +enum=Kind
	Kind string `json:"kind"`
	// Metadata names the policy.
	Metadata Metadata `json:"metadata"`
	// Spec is all that is permitted, and how much of it.
	Spec Rules `json:"spec"`
}

// Metadata names the policy, for people.
type Metadata struct {
	// Name is a DNS label, for people.
	// +pattern="^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
	Name string `json:"name"`
}

// Rules are all that is permitted, and how much of it.
type Rules struct {
	// Rules are what is permitted.
	// +minItems=1
	// +maxItems=256
	Rules []Rule `json:"rules"`
	// Quotas are how much of it.
	// +maxItems=256
	Quotas []Quota `json:"quotas,omitempty"`
}

// Rule permits something to the specs that it selects; what no rule permits is refused. A spec is selected when its folder
// matches, and its name and labels too where the rule asks for that. The patterns know `*` for any characters between two slashes,
// and `**` alone between slashes for any number of folders.
type Rule struct {
	// Name is a DNS label, unique in the policy; refusals tell it.
	// +pattern="^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
	Name string `json:"name"`
	// Folders are patterns of the folder below --specs in which the spec's file really is; "." is --specs itself, `**` any number of
	// folders.
	// +minItems=1
	// +maxItems=256
	// +items=A pattern, such as `team-a/**`.
	// +items:minLength=1
	// +see=docs/policy.md#which-specs-a-rule-is-for
	Folders []string `json:"folders"`
	// Names are patterns of metadata.name; left out, every name is selected.
	// +minItems=1
	// +maxItems=256
	// +items=A pattern, such as `web-*`.
	// +items:pattern=namePatternForm
	Names []string `json:"names,omitempty" spec:"stated"`
	// MatchLabels are labels that the spec has to bear, all of them; left out, any.
	// +minProperties=1
	// +maxProperties=256
	MatchLabels map[string]string `json:"matchLabels,omitempty" spec:"stated"`
	// Tokens may be sent to the upstreams of this rule: one rule has to have both, since what two rules have is not put together. The
	// references of the keys of client certificates are among them. Left out, none.
	// +maxItems=256
	// +see=docs/policy.md#what-a-rule-permits
	Tokens []Reference `json:"tokens,omitempty"`
	// Upstreams are where the tokens of this rule may be sent; left out, nowhere.
	// +maxItems=256
	// +see=docs/policy.md#upstreams
	Upstreams []Upstream `json:"upstreams,omitempty"`
	// CallerKeys are references that may be the keyRef of callerAuth; left out, none.
	// +maxItems=256
	CallerKeys []Reference `json:"callerKeys,omitempty"`
	// Networks are patterns of the names of networks; both the internal and the egress network need one. Left out, none.
	// +maxItems=256
	// +items=A pattern, such as `team-a-*`.
	// +items:pattern=networkPatternForm
	Networks []string `json:"networks,omitempty"`
	// Images are patterns of spec.image, together with CustomImage in allow; left out, none.
	// +maxItems=256
	// +items=A pattern, such as `registry.example.org/proxy@sha256:*`.
	// +items:pattern=imagePatternForm
	Images []string `json:"images,omitempty"`
	// Allow are the options that weaken protection and may be set; left out, none.
	// +maxItems=256
	// +items=An option, by the field that it permits.
	Allow []Option `json:"allow,omitempty"`
}

// Reference is a pattern of token references: exactly one of env, file, and provider with key.
// +minProperties=1
// +maxProperties=2
type Reference struct {
	// Env is a pattern of variables of the controller, such as `GH_*`.
	// +pattern=envPatternForm
	Env string `json:"env,omitempty"`
	// File is a pattern of paths beneath --token-dir, such as `team-a/**`.
	// +minLength=1
	File string `json:"file,omitempty"`
	// Provider is a pattern of names of providers.
	// +pattern=namePatternForm
	Provider string `json:"provider,omitempty"`
	// Key is a pattern of the provider's keys, such as `team-a/**`.
	// +minLength=1
	Key string `json:"key,omitempty"`
}

// Upstream is a pattern of the upstreams of routes.
type Upstream struct {
	// Scheme is that of the upstream's URL; http, for what is sent in clear, takes InsecureUpstream in allow besides.
	// +enum="https","http"
	// +default="https"
	Scheme string `json:"scheme,omitempty"`
	// Host is a DNS name, an IP address, `*.example.org` for the names below example.org at any depth and not itself, or `*` for any.
	// +minLength=1
	Host string `json:"host"`
	// Port is a port, or `*` for any; left out it is that of the scheme: 443, or 80.
	Port string `json:"port,omitempty" spec:"quantity"`
	// Paths are patterns that end in `/**`: all that is below a route's upstream has to be inside one. Left out, every path is
	// permitted.
	// +minItems=1
	// +maxItems=256
	// +items=A pattern, such as `/repos/acme/**`.
	// +items:pattern="^/(.*/)?\\*\\*$"
	Paths []string `json:"paths,omitempty" spec:"stated"`
}

// Option is a choice of a spec that weakens protection.
type Option string

// The options. A new one is added here and to Options, judged in evaluate.go, and allowed in config/policy/single-user.yaml.
const (
	// InsecureUpstream is insecureUpstream of a route.
	InsecureUpstream Option = "InsecureUpstream"
	// CustomImage is spec.image.
	CustomImage Option = "CustomImage"
	// EnvDelivery is tokenDelivery: Env.
	EnvDelivery Option = "EnvDelivery"
	// PassCredentials is passCredentials of a route.
	PassCredentials Option = "PassCredentials"
	// AllowPrivate is allowPrivate of a route.
	AllowPrivate Option = "AllowPrivate"
	// CustomRoots is caFile of a route.
	CustomRoots Option = "CustomRoots"
	// EgressProxy is proxyURL of a route.
	EgressProxy Option = "EgressProxy"
	// WarnMode is mode: Warn of a route, whose methods, paths or git do not hold then, although they seem to.
	WarnMode Option = "WarnMode"
	// UnscrubbedResponses is scrubResponses: false of a route.
	UnscrubbedResponses Option = "UnscrubbedResponses"
)

// Options lists every option.
func Options() []Option {
	return []Option{InsecureUpstream, CustomImage, EnvDelivery, PassCredentials, AllowPrivate, CustomRoots, EgressProxy, WarnMode, UnscrubbedResponses}
}

// Quota bounds what the specs of a folder, and of those below it, may ask for together. What is left out is not bounded.
// +minProperties=2
type Quota struct {
	// Folder is a folder below --specs; "." is --specs itself.
	// +minLength=1
	Folder string `json:"folder"`
	// Specs is how many specs there may be.
	// +minimum=1
	Specs int64 `json:"specs,omitempty"`
	// Memory is the sum of resources.memory, such as 2Gi.
	Memory string `json:"memory,omitempty" spec:"quantity"`
	// CPUs is the sum of resources.cpus, such as "8".
	CPUs string `json:"cpus,omitempty" spec:"quantity"`
	// Pids is the sum of resources.pids.
	// +minimum=1
	Pids int64 `json:"pids,omitempty"`
}

// MemoryBytes is Memory in bytes; 0 when it is not bounded.
func (q Quota) MemoryBytes() int64 { return scaled(q.Memory, 0) }

// NanoCPUs is CPUs in billionths of a CPU; 0 when it is not bounded.
func (q Quota) NanoCPUs() int64 { return scaled(q.CPUs, resource.Nano) }

// scaled is a quantity in a unit, rounded up; 0 when there is none.
func scaled(text string, unit resource.Scale) int64 {
	q, ok := spec.ParseQuantity(text)
	if !ok {
		return 0
	}
	return q.ScaledValue(unit)
}
