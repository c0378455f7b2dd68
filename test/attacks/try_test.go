package attacks

import (
	"slices"
	"strings"
	"testing"

	"credproxy.dev/controller/test/leakhunt"
)

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
	if len(a.framed) > 0 {
		a.converseInFrames(c)
	}
	if a.does != nil {
		a.does(c)
	}
	c.serves()
	for _, one := range c.cast {
		one.close()
	}
	c.stop()
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
	if !slices.EqualFunc(got, a.gets, fits) {
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

// broken is an answer that breaks off: whether its beginning has gone out by then is a matter of milliseconds.
const broken = "cut off"

func fits(got, want string) bool {
	return got == want || want == broken && (got == "" || strings.HasSuffix(got, " "+broken))
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
	got = slices.DeleteFunc(got, func(one string) bool { return slices.Contains(a.may, one) })
	want := slices.Clone(a.arrives)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("upstreams received\n%q, not\n%q", got, want)
	}
}
