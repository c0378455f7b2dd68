package policy

import (
	"k8s.io/apimachinery/pkg/api/resource"

	"credproxy.dev/controller/pkg/spec"
)

// Kind is what a file writes as kind.
const Kind = "TokenPolicy"

// Document is what a file may hold.
type Document struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       Rules    `json:"spec"`
}

// Metadata names the policy, for people.
type Metadata struct {
	Name string `json:"name"`
}

// Rules are all that is permitted, and how much of it.
type Rules struct {
	Rules  []Rule  `json:"rules"`
	Quotas []Quota `json:"quotas,omitempty"`
}

// Rule permits something to the specs that it selects. A spec is selected when its folder matches, and its name and labels
// too where the rule asks for that. The patterns know * for any characters between two slashes, and ** alone between
// slashes for any number of folders.
type Rule struct {
	// Name is a DNS label, unique in the policy. Refusals tell it.
	Name string `json:"name"`
	// Folders are patterns of the folder below --specs in which the spec's file really is; "." is --specs itself.
	Folders []string `json:"folders"`
	// Names are patterns of metadata.name; left out, every name is selected.
	Names []string `json:"names,omitempty" spec:"stated"`
	// MatchLabels are labels that the spec has to bear, all of them.
	MatchLabels map[string]string `json:"matchLabels,omitempty" spec:"stated"`
	// Tokens may be sent to Upstreams. One rule has to have both: what two rules have is not put together.
	Tokens    []Reference `json:"tokens,omitempty"`
	Upstreams []Upstream  `json:"upstreams,omitempty"`
	// CallerKeys may be the keys of callers.
	CallerKeys []Reference `json:"callerKeys,omitempty"`
	// Networks are patterns of the names of networks, internal and egress.
	Networks []string `json:"networks,omitempty"`
	// Images are patterns of the images that a spec may name, with the option CustomImage.
	Images []string `json:"images,omitempty"`
	// Allow has the options that weaken protection and may be set.
	Allow []Option `json:"allow,omitempty"`
}

// Reference is a pattern of token references: of variables, of files beneath --token-dir, or of the keys of a provider.
type Reference struct {
	Env      string `json:"env,omitempty"`
	File     string `json:"file,omitempty"`
	Provider string `json:"provider,omitempty"`
	Key      string `json:"key,omitempty"`
}

// Upstream is a pattern of what routes lead to.
type Upstream struct {
	// Scheme is https, or http for what is sent in clear.
	Scheme string `json:"scheme,omitempty"`
	// Host is a name, an address, "*.example.org" for the names below example.org and not itself, or "*" for any.
	Host string `json:"host"`
	// Port is a number, or "*" for any; left out it is the scheme's own.
	Port string `json:"port,omitempty" spec:"quantity"`
	// Paths are patterns that end in /**, since an agent can ask for all that is below a route's upstream. Left out, every path
	// is permitted.
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
type Quota struct {
	// Folder is a folder below --specs; "." is --specs itself.
	Folder string `json:"folder"`
	// Specs is how many there may be.
	Specs int64 `json:"specs,omitempty"`
	// Memory, CPUs and Pids bound the sums of the limits in spec.resources.
	Memory string `json:"memory,omitempty" spec:"quantity"`
	CPUs   string `json:"cpus,omitempty" spec:"quantity"`
	Pids   int64  `json:"pids,omitempty"`
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
