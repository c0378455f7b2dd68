package attacks

import (
	"log"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"credproxy.dev/controller/test/leakhunt"
)

// attack is one thing that somebody hostile tries.
type attack struct {
	// name is unique. cost is what it would have cost, had it worked.
	name, cost string
	// set changes the usual scene before the sidecar starts.
	set func(*stage)
	// slow has time stand still until everybody waits, and then jump: for attacks that take their time.
	slow bool

	// sends is what an agent sends on one connection, byte for byte.
	sends string
	// gets are the answers to it in their order, as answer.status has them, and no other may come.
	gets []string
	// closes is whether the connection has to end behind them. Otherwise it has to serve one honest request more, so that nothing of
	// what was sent is left on it.
	closes bool
	// arrives is what upstreams receive of it, as request.String has it, in any order. Honest requests are left out.
	arrives []string

	// does is what is done otherwise, or besides.
	does func(*scene)
	// shows looks at the answers, and finds at what has arrived.
	shows func(*scene, []answer)
	finds func(*scene, []*request)
}

// families are all attacks by what they abuse.
func families() map[string][]attack {
	return map[string][]attack{
		"hop-by-hop":   hopByHop(),
		"credentials":  credentials(),
		"smuggling":    smuggling(),
		"chunks":       chunks(),
		"paths":        paths(),
		"targets":      targets(),
		"echoes":       echoes(),
		"upgrades":     upgrades(),
		"destinations": destinations(),
		"redirects":    redirects(),
		"responses":    responses(),
		"injections":   injections(),
		"trailers":     trailers(),
		"callers":      callers(),
		"neighbours":   neighbours(),
		"sizes":        sizes(),
		"slow":         slow(),
		"says":         says(),
		"generations":  generations(),
	}
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// After some answers net/http rests half a second before it closes, and nothing can hurry it.
		goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

func TestAttacks(t *testing.T) {
	index, err := hunt()
	if err != nil {
		t.Fatal(err)
	}
	standard := newSink()
	log.SetOutput(standard)
	for family, attacks := range families() {
		t.Run(family, func(t *testing.T) {
			for _, a := range attacks {
				t.Run(a.name, func(t *testing.T) {
					t.Parallel()
					if a.slow {
						synctest.Test(t, func(t *testing.T) { a.try(t, index, standard) })
						return
					}
					a.try(t, index, standard)
				})
			}
		})
	}
}

// TestAttacksAreManyAndSayWhatTheyWouldHaveCost holds the table to its form.
func TestAttacksAreManyAndSayWhatTheyWouldHaveCost(t *testing.T) {
	seen := map[string]bool{}
	for family, attacks := range families() {
		for _, a := range attacks {
			if seen[a.name] {
				t.Errorf("two attacks are called %s", a.name)
			}
			seen[a.name] = true
			if a.name == "" || len(a.cost) < 10 || strings.ContainsAny(a.cost, "\n|") || strings.Contains(a.name, "/") {
				t.Errorf("%s: %q has to say in a line what it would have cost: %q", family, a.name, a.cost)
			}
			if a.does == nil && (a.sends == "" || len(a.gets) == 0 && !a.closes) {
				t.Errorf("%s does nothing, or expects nothing", a.name)
			}
		}
	}
	if len(seen) < 80 {
		t.Errorf("there are but %d attacks", len(seen))
	}
}

// try carries the attack out, and judges both sides.
func (a attack) try(t *testing.T, index *leakhunt.Index, standard *sink) {
	s := newStage(a.slow)
	if a.set != nil {
		a.set(s)
	}
	c := s.start(t)
	c.standard = standard
	defer c.stop()
	if a.sends != "" {
		a.converse(c)
	}
	if a.does != nil {
		a.does(c)
	}
	c.serves()
	for _, one := range c.cast {
		one.close()
	}
	c.stop()
	close(s.over)
	arrived, dialled := s.end()
	hostile, _ := split(arrived)
	a.mustHaveArrived(t, hostile, dialled)
	for _, r := range arrived {
		c.judge(r)
	}
	if a.finds != nil {
		a.finds(c, hostile)
	}
	c.mustNotTell(index)
}

// converse sends what the attack sends, and reads the answers.
func (a attack) converse(c *scene) {
	c.t.Helper()
	one := c.connect().send(a.sends)
	var got []string
	var answers []answer
	method, _, _ := strings.Cut(strings.TrimLeft(a.sends, "\r\n"), " ")
	for range a.gets {
		answer := one.answer(method)
		answers = append(answers, answer)
		if got = append(got, answer.status); answer.last {
			break
		}
	}
	if !slices.Equal(got, a.gets) {
		c.t.Errorf("it got %q, not %q: %q", got, a.gets, one.got)
	}
	if a.shows != nil {
		a.shows(c, answers)
	}
	if !a.closes {
		one.send(c.honest("/r/"+more, "Connection: close"))
		if last := one.answer("GET"); last.status != "200" || last.body != "ok\n" {
			c.t.Errorf("the next request on the connection got %q %q", last.status, last.body)
		}
	}
	if rest := one.end(); rest != "" {
		c.t.Errorf("there is more: %q", rest)
	}
}

// The paths of honest requests: behind an attack on its connection, and on one of their own.
const more, after = "one-more", "after-all"

// honest is a request that has to be served.
func (s *stage) honest(target string, fields ...string) string {
	return get(target, append(slices.Clone(s.fields), fields...)...)
}

// serves holds that the sidecar still does.
func (s *scene) serves() {
	s.t.Helper()
	a := s.connect().send(s.honest("/r/"+after, "Connection: close"))
	if got := a.answer("GET"); got.status != "200" || got.body != "ok\n" {
		s.t.Errorf("afterwards, an honest request got %q %q", got.status, got.body)
	}
	a.close()
}

// isHonest tells such requests where they arrive.
func (r *request) isHonest() bool {
	s := r.String()
	return s == "upstream.test: GET /base/"+more || s == "upstream.test: GET /base/"+after
}

// split tells what the attack sent from honest requests.
func split(arrived []*request) (hostile, honest []*request) {
	for _, r := range arrived {
		if r.isHonest() {
			honest = append(honest, r)
		} else {
			hostile = append(hostile, r)
		}
	}
	return hostile, honest
}

func (a attack) mustHaveArrived(t *testing.T, hostile []*request, dialled []string) {
	t.Helper()
	got := slices.Clone(dialled)
	for _, r := range hostile {
		got = append(got, r.String())
	}
	want := slices.Clone(a.arrives)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("upstreams received\n%q, not\n%q", got, want)
	}
}
