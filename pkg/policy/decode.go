package policy

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"credproxy.dev/controller/pkg/spec"
)

// Policy is a TokenPolicy that was found good.
type Policy struct {
	rules  []Rule
	quotas []Quota
}

// Decode reads a policy strictly: JSON when the file's name ends in .json, else YAML. The policy is nil when there are
// problems; they are all there are, in order of lines.
func Decode(file string, data []byte) (*Policy, []spec.Problem) {
	var d Document
	problems := spec.DecodeConfig(file, data, Kind, &d, func() (spec.Header, field.ErrorList) {
		return spec.Header{APIVersion: d.APIVersion, Kind: d.Kind}, validate(&d)
	})
	if len(problems) > 0 {
		return nil, problems
	}
	return &Policy{rules: d.Spec.Rules, quotas: d.Spec.Quotas}, nil
}

// Quotas are the policy's quotas; none of a nil Policy.
func (p *Policy) Quotas() []Quota {
	if p == nil {
		return nil
	}
	return p.quotas
}
