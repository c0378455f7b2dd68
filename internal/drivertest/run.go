package drivertest

import "testing"

// Run tells every story, each in an Env of its own, and some at the same time: most of them wait for their engine.
func Run(t *testing.T, newEnv func(*testing.T) Env) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.tell(&world{T: t, Env: newEnv(t)})
		})
	}
}

// story is one part of the contract.
type story struct {
	name string
	tell func(*world)
}

func stories() []story {
	var all []story
	for _, chapter := range [][]story{
		observing(), reaching(), networking(), living(), straying(), delivering(), standing(), rejecting(), counting(), logging(), watching(),
	} {
		all = append(all, chapter...)
	}
	return all
}
