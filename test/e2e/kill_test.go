//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// killed is a plan in which the controller is killed, over and over, one call further each time.
type killed struct {
	plan string
	// begin brings the spec to where the plan begins; before it the spec is as the last plan left it, or not there.
	begin func(*killStory)
	// edit is what the plan answers.
	edit func(*killStory)
	// absent tells that the plan ends with nothing.
	absent bool
}

func killedPlans() []killed {
	settled := func(s *killStory) { s.declare(); s.converged(false) }
	erased := func(s *killStory) { s.erase(); s.converged(true) }
	inMemory := func(begin func(*killStory)) func(*killStory) {
		return func(s *killStory) { s.delivery = "Memory"; begin(s) }
	}
	reload := func(s *killStory) { s.version++; s.declare() }
	return []killed{
		{plan: "create", begin: erased, edit: (*killStory).declare},
		{plan: "create in memory", begin: inMemory(erased), edit: (*killStory).declare},
		{plan: "reload", begin: settled, edit: reload},
		{plan: "reload in memory", begin: inMemory(settled), edit: reload},
		{plan: "exchange", begin: settled, edit: func(s *killStory) { s.version++; s.exchanged = !s.exchanged; s.declare() }},
		{plan: "replace", begin: settled, edit: func(s *killStory) {
			s.delivery = map[string]string{"File": "Env", "Env": "File"}[s.delivery]
			s.declare()
		}},
		{plan: "move", begin: settled, edit: func(s *killStory) { s.port = 9099 + 9098 - s.port; s.declare() }},
		{plan: "remove", begin: settled, edit: (*killStory).erase, absent: true},
	}
}

// killStory is the world of one plan.
type killStory struct {
	*world
	plan  killed
	proxy *engineProxy
	c     *controller

	version, port int
	delivery      string
	// exchanged tells the order of the two routes, and so which of their tokens is in which file.
	exchanged bool
	declared  bool
}

// SIGKILL at every call of every plan that changes something: before the first one, and after the engine has answered
// each, before the controller learns of it. To be killed before a call is to be killed after the one before: it leaves
// the same behind. The next controller ends with one sidecar and one volume for the spec, or none if it is gone, and no
// litter. No token ever arrives where that of the other route belongs.
func TestKilledAtEveryCall(t *testing.T) {
	t.Parallel()
	for _, plan := range killedPlans() {
		t.Run(plan.plan, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.setToken("token", "s3cret")
			w.setToken("second", "another")
			s := &killStory{world: w, plan: plan, proxy: newEngineProxy(t), port: 9099, delivery: "File"}
			// Without another spec the directory would be empty, which is no wish to remove everything.
			w.drop("other.yaml", w.spec("other", "/other", "hostname: other"))
			s.start()
			for n := 0; ; n++ {
				if reached, calls := s.killedAfter(n); !reached {
					t.Logf("killed before the first and after each of: %s", strings.Join(calls, ", "))
					if len(calls) == 0 {
						t.Error("the plan makes no call at all")
					}
					s.paired()
					return
				}
			}
		})
	}
}

// start starts a controller that knows the engine by the proxy, and waits until it has looked at everything.
func (s *killStory) start() {
	s.t.Helper()
	s.c = s.run("--docker-host", s.proxy.host(), "--resync", "1s", "--drain-timeout", "2s")
	s.c.readyz()
	s.c.ready("other")
}

// killedAfter has the controller killed after n calls of the plan, starts another one, and looks at what it ends with. It
// reports whether the plan has so many calls, and which.
func (s *killStory) killedAfter(n int) (reached bool, calls []string) {
	s.t.Helper()
	s.plan.begin(s)
	struck := s.proxy.arm(max(n, 1), n > 0, s.c.kill)
	s.plan.edit(s)
	eventually(s.t, fmt.Sprintf("%s is done, or killed after call %d", s.plan.plan, n), func() error {
		select {
		case <-struck:
			return nil
		default:
			return s.look(s.plan.absent)
		}
	})
	calls, reached = s.proxy.disarm()
	if reached {
		s.start()
	}
	s.converged(s.plan.absent)
	return reached, calls
}

// declare writes the spec's file.
func (s *killStory) declare() {
	s.t.Helper()
	first := s.spec("web", fmt.Sprintf("/v%d", s.version), fmt.Sprintf("port: %d", s.port), "tokenDelivery: "+s.delivery)
	second := fmt.Sprintf(`  - path: /second
    upstream: http://%s:8080/second
    insecureUpstream: true
    allowPrivate: true
    auth: {scheme: Bearer, tokenRef: {file: second}}
`, s.upstream)
	if s.exchanged {
		s.drop("web.yaml", strings.Replace(first, "  routes:\n", "  routes:\n"+second, 1))
	} else {
		s.drop("web.yaml", first+second)
	}
	s.declared = true
}

// paired holds that each token arrived where it belongs, ever.
func (s *killStory) paired() {
	s.t.Helper()
	for _, seen := range s.tally() {
		belongs := "Bearer s3cret"
		if strings.HasPrefix(seen.URI, "/second") {
			belongs = "Bearer another"
		}
		if seen.Authorization != belongs {
			s.t.Errorf("%d requests arrived at %s with %q", seen.Requests, seen.URI, seen.Authorization)
		}
	}
}

// erase deletes it, if it is there.
func (s *killStory) erase() {
	s.t.Helper()
	if s.declared {
		s.world.erase("web.yaml")
		s.declared = false
	}
}

// converged waits for what is declared, and has a request arrive with the token.
func (s *killStory) converged(absent bool) {
	s.t.Helper()
	eventually(s.t, "what is declared is there, and nothing else", func() error { return s.look(absent) })
	if absent {
		return
	}
	all := s.arrived()
	last := all[len(all)-1]
	if last.URI != s.uri() || last.Header.Get("Authorization") != "Bearer s3cret" {
		s.t.Errorf("%s arrived with Authorization %q", last.URI, last.Header.Get("Authorization"))
	}
}

// uri is where a request arrives now.
func (s *killStory) uri() string { return fmt.Sprintf("/v%d/x", s.version) }

// look compares what is there with what is declared; what is dearest to ask comes last.
func (s *killStory) look(absent bool) error {
	now, err := s.c.get("web")
	if absent && err == nil {
		return errors.New("the API still knows it")
	}
	if !absent && err != nil {
		return err
	}
	if !absent && !now.isReady() {
		return fmt.Errorf("not Ready: %s", now.condition("Ready"))
	}
	expected := 1 // the other one
	if !absent {
		expected = 2
	}
	for _, kind := range []string{"container", "volume"} {
		if found := labelled(s.t, kind, s.id); len(found) != expected {
			return fmt.Errorf("there are %d %ss: %v", len(found), kind, found)
		}
	}
	if absent {
		return nil
	}
	found, err := tryInspect(s.id + "-web")
	hasEnv := slices.ContainsFunc(found.Config.Env, func(kv string) bool { return strings.HasPrefix(kv, "CRED_PROXY_TOKEN_") })
	if err != nil {
		return err
	}
	if found.ID != now.Status.ContainerID || hasEnv != (s.delivery == "Env") {
		return fmt.Errorf("another container bears its name: %+v", found)
	}
	if _, err := s.agentGets(fmt.Sprintf("http://cred-proxy:%d/second/x", s.port)); err != nil {
		return err
	}
	answer, err := s.agentGets(fmt.Sprintf("http://cred-proxy:%d/api/x", s.port))
	if err == nil && !strings.Contains(answer, fmt.Sprintf("%q:%q", "uri", s.uri())) {
		err = errors.New(answer)
	}
	return err
}
