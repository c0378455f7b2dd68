package spec

import (
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"
)

// quantityPattern is the part of the Kubernetes quantities that is of use for memory and CPUs. Exponents are left
// out: 1e999999999 costs the library a billion digits.
var quantityPattern = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,9})?(m|k|[MGT]|[KMGT]i)?$`)

// ParseQuantity reads a quantity that is not negative, in the part of Kubernetes' forms that specs may use.
func ParseQuantity(s string) (q resource.Quantity, ok bool) {
	if !quantityPattern.MatchString(s) {
		return q, false
	}
	q, err := resource.ParseQuantity(s)
	return q, err == nil
}

// MemoryBytes is Memory in bytes; 0 when it is not valid.
func (r Resources) MemoryBytes() int64 {
	q, ok := ParseQuantity(r.Memory)
	if !ok || q.Cmp(resource.MustParse(maxMemory)) > 0 {
		return 0
	}
	return q.Value()
}

// NanoCPUs is CPUs in billionths of a CPU; 0 when it is not valid.
func (r Resources) NanoCPUs() int64 {
	q, ok := ParseQuantity(r.CPUs)
	if !ok || q.Cmp(resource.MustParse(maxCPUs)) > 0 {
		return 0
	}
	return q.ScaledValue(resource.Nano)
}
