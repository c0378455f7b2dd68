package spec

import "slices"

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
	out.CallerAuth = copyOf(s.CallerAuth)
	out.Routes = slices.Clone(s.Routes)
	for i := range s.Routes {
		out.Routes[i] = s.Routes[i].deepCopy()
	}
	return &out
}

func (r *Route) deepCopy() Route {
	out := *r
	out.Auth = r.Auth.DeepCopy()
	out.Methods = slices.Clone(r.Methods)
	if out.Paths = copyOf(r.Paths); out.Paths != nil {
		out.Paths.Allow, out.Paths.Deny = slices.Clone(r.Paths.Allow), slices.Clone(r.Paths.Deny)
	}
	if out.Git = copyOf(r.Git); out.Git != nil {
		out.Git.Push = slices.Clone(r.Git.Push)
	}
	out.Limits = copyOf(r.Limits)
	out.ClientCertificate = copyOf(r.ClientCertificate)
	out.Roles = slices.Clone(r.Roles)
	out.ScrubResponses = copyOf(r.ScrubResponses)
	return out
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
	out.WithheldRoutes = slices.Clone(s.WithheldRoutes)
	out.LastTransitionTime = copyOf(s.LastTransitionTime)
	s.copyDetails(&out)
	return &out
}

// copyOf copies a value that holds no pointers, or of which they are copied after it.
func copyOf[T any](v *T) *T {
	if v == nil {
		return nil
	}
	out := *v
	return &out
}
