package spec

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DeepCopy returns a copy that shares nothing with c. The copy of nil is nil.
func (c *CredProxy) DeepCopy() *CredProxy {
	if c == nil {
		return nil
	}
	out := *c
	c.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec = *c.Spec.DeepCopy()
	out.Status = c.Status.DeepCopy()
	return &out
}

// DeepCopy returns a copy that shares nothing with l. The copy of nil is nil.
func (l *CredProxyList) DeepCopy() *CredProxyList {
	if l == nil {
		return nil
	}
	out := *l
	l.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = slices.Clone(l.Items)
	for i := range l.Items {
		out.Items[i] = *l.Items[i].DeepCopy()
	}
	return &out
}

// DeepCopy returns a copy that shares nothing with s. The copy of nil is nil.
func (s *CredProxySpec) DeepCopy() *CredProxySpec {
	if s == nil {
		return nil
	}
	out := *s
	if s.CallerAuth != nil {
		caller := *s.CallerAuth
		out.CallerAuth = &caller
	}
	out.Routes = slices.Clone(s.Routes)
	for i, route := range s.Routes {
		if route.Auth != nil {
			auth := *route.Auth
			out.Routes[i].Auth = &auth
		}
	}
	return &out
}

// DeepCopy returns a copy that shares nothing with s. The copy of nil is nil.
func (s *CredProxyStatus) DeepCopy() *CredProxyStatus {
	if s == nil {
		return nil
	}
	out := *s
	out.Conditions = slices.Clone(s.Conditions)
	for i := range s.Conditions {
		s.Conditions[i].DeepCopyInto(&out.Conditions[i])
	}
	out.LastTransitionTime = copyTime(s.LastTransitionTime)
	return &out
}

func copyTime(t *metav1.Time) *metav1.Time {
	if t == nil {
		return nil
	}
	out := *t
	return &out
}
