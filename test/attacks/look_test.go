package attacks

import (
	"slices"
	"time"
)

// mustArrive waits until a request has reached its upstream.
func (s *scene) mustArrive(what string) {
	s.t.Helper()
	late := time.After(patience)
	for {
		all, more := s.internet.soFar()
		if slices.ContainsFunc(all, func(r *request) bool { return r.String() == what }) {
			return
		}
		select {
		case <-more:
		case <-late:
			s.t.Fatalf("%s did not arrive", what)
		}
	}
}

// mustHave holds that the requests that arrived have these bodies.
func (s *scene) mustHave(got []*request, bodies ...string) {
	s.t.Helper()
	var have []string
	for _, r := range got {
		have = append(have, r.body)
	}
	if !slices.Equal(have, bodies) {
		s.t.Errorf("the bodies %q arrived, not %q", have, bodies)
	}
}

// mustHaveField holds that each request that arrived has a field with these values, and no others.
func (s *scene) mustHaveField(got []*request, name string, values ...string) {
	s.t.Helper()
	for _, r := range got {
		if have := r.values(name); !slices.Equal(have, values) {
			s.t.Errorf("%s has %s %q, not %q", r, name, have, values)
		}
	}
}
