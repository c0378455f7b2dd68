package spec

import (
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Bounds of limits. The sidecar's own limit of headers cannot be raised; the others are far above what is of use.
const (
	minHeaderBytes = "256"
	maxHeaderBytes = "16Ki"
	minBodyBytes   = "1"
	maxBodyBytes   = "1Ti"
	maxConcurrent  = 512
	maxPerMinute   = 1_000_000
	minTimeout     = time.Second
	maxTimeout     = 24 * time.Hour
)

func validateLimits(l *Limits, path *field.Path) field.ErrorList {
	if l == nil {
		return nil
	}
	if *l == (Limits{}) {
		return field.ErrorList{field.Required(path, "write at least one limit, such as requestsPerMinute, or remove it")}
	}
	var errs field.ErrorList
	if l.HeaderBytes != "" {
		errs = append(errs, validateQuantity(l.HeaderBytes, minHeaderBytes, maxHeaderBytes, "8Ki", path.Child("headerBytes"))...)
	}
	if l.BodyBytes != "" {
		errs = append(errs, validateQuantity(l.BodyBytes, minBodyBytes, maxBodyBytes, "10Mi", path.Child("bodyBytes"))...)
	}
	if l.ConcurrentRequests < 0 || l.ConcurrentRequests > maxConcurrent {
		errs = append(errs, field.Invalid(path.Child("concurrentRequests"), l.ConcurrentRequests, "must be from 1 to 512, which is how many connections a sidecar serves"))
	}
	if l.RequestsPerMinute < 0 || l.RequestsPerMinute > maxPerMinute {
		errs = append(errs, field.Invalid(path.Child("requestsPerMinute"), l.RequestsPerMinute, "must be from 1 to 1000000"))
	}
	errs = append(errs, validateTimeout(l.BodyTimeout, path.Child("bodyTimeout"))...)
	return append(errs, validateTimeout(l.IdleTimeout, path.Child("idleTimeout"))...)
}

func validateTimeout(text string, path *field.Path) field.ErrorList {
	if text == "" {
		return nil
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return field.ErrorList{invalid(path, "must be a duration, such as 30s or 5m")}
	case d < minTimeout || d > maxTimeout || d%time.Millisecond != 0:
		return field.ErrorList{invalid(path, "must be from 1s to 24h, in whole milliseconds")}
	}
	return nil
}
