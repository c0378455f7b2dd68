package policy

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/spec"
)

// draw makes rules and specs of few words, so that they often meet.
type draw struct{ *rand.Rand }

func one[T any](d draw, of ...T) T { return of[d.IntN(len(of))] }

// several of these, none perhaps.
func several[T any](d draw, of ...T) []T {
	return slices.DeleteFunc(of, func(T) bool { return d.IntN(2) == 0 })
}

func (d draw) rule(name string) Rule {
	r := Rule{
		Name:    name,
		Folders: append(several(d, "a", "b/**", "*"), one(d, "**", ".", "a/**")),
		Tokens: several(d, Reference{Env: "GH_*"}, Reference{File: "a/**"}, Reference{Provider: "*", Key: "a/*"},
			Reference{Env: "*"}),
		Upstreams: several(d, Upstream{Host: "api.example.org", Paths: []string{"/a/**", "/*/x/**"}}, Upstream{Host: "*.example.org"},
			Upstream{Host: "192.0.2.1", Port: "*"}, Upstream{Scheme: "http", Host: "*", Port: "8080"}),
		CallerKeys: several(d, Reference{File: "keys/*"}),
		Networks:   several(d, "a-*", "b-in", "*-out"),
		Images:     several(d, "img/*", "**"),
		Allow:      several(d, Options()...),
	}
	if d.IntN(3) == 0 {
		r.Names = []string{one(d, "web-*", "*", "db")}
	}
	if d.IntN(3) == 0 {
		r.MatchLabels = map[string]string{"tier": one(d, "prod", "dev")}
	}
	return r
}

func (d draw) subject() subject {
	ref := func() spec.TokenRef {
		return one(d, spec.TokenRef{Env: "GH_A"}, spec.TokenRef{Env: "AWS"}, spec.TokenRef{File: "a/x"}, spec.TokenRef{File: "keys/k"},
			spec.TokenRef{Provider: "v", Key: "a/x"})
	}
	return newSubject(func(s *subject) {
		s.folder, s.Name = one(d, ".", "a", "a/b", "b", "c"), one(d, "web-1", "db", "x")
		s.Labels = map[string]string{"tier": one(d, "prod", "dev", "")}
		s.Spec.InternalNetwork, s.Spec.EgressNetwork = one(d, "a-in", "b-in", "c"), one(d, "a-out", "c-out", "d")
		s.Spec.Image = one(d, "", "", "img/x", "evil/x/y")
		s.Spec.TokenDelivery = one(d, "", spec.DeliverEnv)
		if d.IntN(3) == 0 {
			s.Spec.CallerAuth = &spec.CallerAuth{KeyRef: ref()}
		}
		s.Spec.Routes[0].Upstream = one(d, "https://api.example.org/a/b", "https://api.example.org/c", "https://x.example.org/x",
			"https://192.0.2.1:8443", "http://y:8080", "https://example.org")
		s.Spec.Routes[0].InsecureUpstream = strings.HasPrefix(s.Spec.Routes[0].Upstream, "http:")
		s.Spec.Routes[0].AllowPrivate = d.IntN(4) == 0
		if d.IntN(4) == 0 {
			s.Spec.Routes[0].CAFile, s.Spec.Routes[0].ProxyURL = "x.pem", "http://x:1"
		}
		s.Spec.Routes[0].Auth.TokenRef = ref()
		s.Spec.Routes[0].PassCredentials = d.IntN(4) == 0
		if d.IntN(3) == 0 {
			s.Spec.Routes[0].Auth = &spec.Auth{Scheme: spec.SchemeCustom, Tokens: map[string]spec.TokenRef{"a": ref(), "b": ref()}}
		}
		if d.IntN(4) == 0 {
			s.Spec.Routes[0].Auth = nil
		}
	})
}

// narrowed is a rule that permits at most what the other does.
func (d draw) narrowed(r Rule) Rule {
	shorter := func(n int) int { return d.IntN(n + 1) }
	switch d.IntN(9) {
	case 0:
		r.Folders = r.Folders[:max(1, shorter(len(r.Folders)))]
	case 1:
		if r.Names == nil {
			r.Names = []string{"web-1"}
		}
	case 2:
		r.Tokens = r.Tokens[:shorter(len(r.Tokens))]
	case 3:
		r.Upstreams = r.Upstreams[:shorter(len(r.Upstreams))]
	case 4:
		r.Networks = r.Networks[:shorter(len(r.Networks))]
	case 5:
		r.Images = r.Images[:shorter(len(r.Images))]
	case 6:
		r.Allow = r.Allow[:shorter(len(r.Allow))]
	case 7:
		r.CallerKeys = r.CallerKeys[:shorter(len(r.CallerKeys))]
	default:
		r.Upstreams = slices.Clone(r.Upstreams)
		for i := range r.Upstreams {
			if r.Upstreams[i].Paths == nil {
				r.Upstreams[i].Paths = []string{"/a/**"}
			}
		}
	}
	return r
}

// FuzzEvaluate holds what is true of every policy and every spec.
func FuzzEvaluate(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		d := draw{rand.New(rand.NewPCG(seed, 0))}
		p := &Policy{rules: []Rule{d.rule("one"), d.rule("two"), d.rule("three")}}
		s := d.subject()
		before := p.Evaluate(s.folder, s.CredProxy)
		checkWords(t, p, before)
		narrow := &Policy{rules: slices.Clone(p.rules)}
		i := d.IntN(len(narrow.rules))
		if narrow.rules[i] = d.narrowed(narrow.rules[i]); d.IntN(5) == 0 {
			narrow.rules = slices.Delete(narrow.rules, i, i+1)
		}
		checkNarrower(t, before, narrow.Evaluate(s.folder, s.CredProxy))
		slices.Reverse(p.rules)
		checkSame(t, "rules in another order", before, p.Evaluate(s.folder, s.CredProxy))
		for how, spelling := range spellings(s.Spec.Routes[0].Upstream) {
			again := s.DeepCopy()
			again.Spec.Routes[0].Upstream = spelling
			checkSame(t, how, before, p.Evaluate(s.folder, again))
		}
	})
}

// spellings are other ways to write an upstream that mean the same.
func spellings(url string) map[string]string {
	scheme, rest, _ := strings.Cut(url, "://")
	host, path, slash := strings.Cut(rest, "/")
	if slash {
		path = "/" + path
	}
	out := map[string]string{"in capitals": scheme + "://" + strings.ToUpper(host) + path}
	if name, port, ok := strings.Cut(host, ":"); ok {
		out["with a zero before the port"] = scheme + "://" + name + ":0" + port + path
	} else {
		out["with its port"] = url[:len(scheme)+3] + host + ":443" + path
	}
	if rest, ok := strings.CutPrefix(host, "192.0.2.1"); ok {
		out["as an IPv6 address"] = scheme + "://[::ffff:192.0.2.1]" + rest + path
	}
	return out
}

func checkSame(t *testing.T, how string, a, b Decision) {
	t.Helper()
	if len(a.Spec) != len(b.Spec) || len(a.Routes) != len(b.Routes) {
		t.Errorf("%s:\n%s\nbefore, and now\n%s", how, words(a), words(b))
	}
}

func checkNarrower(t *testing.T, wide, narrow Decision) {
	t.Helper()
	if !wide.Permitted() && narrow.Permitted() {
		t.Errorf("a narrower policy permits what was denied: %s", words(wide))
	}
	for path := range wide.Routes {
		if _, denied := narrow.Routes[path]; !denied && len(narrow.Spec) == 0 {
			t.Errorf("a narrower policy permits %s", path)
		}
	}
}

// checkWords holds that every denial can be acted on.
func checkWords(t *testing.T, p *Policy, d Decision) {
	t.Helper()
	for _, denial := range d.Spec {
		checkDenial(t, p, denial)
	}
	for _, denial := range d.Routes {
		checkDenial(t, p, denial)
	}
}

func checkDenial(t *testing.T, p *Policy, denial Denial) {
	t.Helper()
	named := slices.ContainsFunc(p.rules, func(r Rule) bool { return r.Name == denial.Rule })
	if denial.Message == "" || denial.Rule != "" && (!named || !strings.Contains(denial.Message, denial.Rule)) {
		t.Errorf("%+v", denial)
	}
}

// FuzzDecode holds that a policy that is good can be judged by, and that nothing of a file upsets the reading of it.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(teamA))
	f.Add([]byte(header + "  - {name: a, folders: ['**'], networks: ['*']}\n"))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, problems := Decode("policy.yaml", data)
		if (p == nil) != (len(problems) > 0) {
			t.Fatalf("a policy %v with the problems %v", p, problems)
		}
		if p != nil {
			s := newSubject(nil)
			checkWords(t, p, p.Evaluate(s.folder, s.CredProxy))
		}
	})
}
