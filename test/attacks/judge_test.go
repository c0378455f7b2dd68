package attacks

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"credproxy.dev/controller/test/leakhunt"
)

// hopFields may not go on (RFC 9110 section 7.6.1), or claim to come from before the sidecar, or are its own business.
func hopFields() []string {
	return []string{
		"keep-alive", "proxy-", "te", "forwarded", "x-forwarded", "cred-proxy-", "http2-settings",
		"x-original-url", "x-rewrite-url", "x-original-uri", "x-host", "x-original-host", "x-http-host-override",
		"x-real-ip", "client-ip", "x-client-ip", "true-client-ip", "x-cluster-client-ip", "cf-connecting-ip",
	}
}

// credentialFields are those in which clients send a credential, and those that any route of the scene fills.
func (s *stage) credentialFields() []string {
	all := []string{"authorization", "proxy-authorization", "x-api-key", "x-goog-api-key", "api-key", "cred-proxy-key"}
	for _, h := range s.hosts {
		for _, f := range h.adds {
			all = append(all, folded(f.name))
		}
	}
	return all
}

// folded is a name as servers compare it that cannot tell _ from -.
func folded(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// judge holds what is true of every request that may reach an upstream: it is well-formed, for that upstream, and has the
// route's credential exactly once and no other.
func (s *scene) judge(r *request) {
	s.t.Helper()
	if r.why != "" {
		s.t.Errorf("%s: %s", r, r.why)
	}
	if !r.whole {
		return
	}
	h := s.upstream(r.host)
	if hosts := r.values("Host"); len(hosts) != 1 || !strings.EqualFold(hosts[0], h.name) {
		s.t.Errorf("%s names the hosts %q", r, hosts)
	}
	for _, f := range h.adds {
		if got := r.values(f.name); !slices.Equal(got, []string{f.value}) {
			s.t.Errorf("%s has %s %q", r, f.name, got)
		}
	}
	if _, query, _ := strings.Cut(r.target, "?"); h.query != "" && query != h.query && !strings.HasPrefix(query, h.query+"&") {
		s.t.Errorf("%s does not begin its query with the route's", r)
	}
	for _, f := range slices.Concat(r.fields, r.trailers) {
		s.judgeField(r, h, f)
	}
	path, _, _ := strings.Cut(r.target, "?")
	for n := 1; n <= maxSlot; n++ {
		if strings.Contains(path+r.body, token(n)) {
			s.t.Errorf("%s has the token of %s in its path or body", r, slot(n))
		}
	}
	if strings.Contains(r.target, own) {
		s.t.Errorf("%s has the agent's own credential", r)
	}
}

func (s *scene) judgeField(r *request, h *host, f field) {
	s.t.Helper()
	name := folded(f.name)
	added := slices.ContainsFunc(h.adds, func(a field) bool { return strings.EqualFold(a.name, f.name) })
	passes := slices.Contains(h.passes, f.name)
	if !added && !passes && (slices.Contains(s.credentialFields(), name) || strings.Contains(f.value, own) || strings.Contains(f.value, token(callerSlot))) {
		s.t.Errorf("%s has a credential that is not its route's in %s: %q", r, f.name, f.value)
	}
	upgrades := len(r.values("Upgrade")) == 1 && r.values("Upgrade")[0] == "websocket"
	switch {
	case (name == "content-length" || name == "transfer-encoding") && strings.Contains(f.name, "_"):
		s.t.Errorf("%s has %s, which CGI cannot tell from its framing", r, f.name)
	case name == "connection" && f.value == "Upgrade" && upgrades, name == "upgrade" && upgrades, name == "te" && f.value == "trailers":
	case name == "connection", name == "upgrade", slices.ContainsFunc(hopFields(), func(hop string) bool {
		return name == hop || strings.HasSuffix(hop, "-") && strings.HasPrefix(name, hop) || hop == "x-forwarded" && strings.HasPrefix(name, hop)
	}):
		s.t.Errorf("%s has the field %s: %q, which ends at the sidecar", r, f.name, f.value)
	}
	if slices.Contains(r.trailers, f) && !ofBody(name) || name == "trailer" && slices.ContainsFunc(strings.Split(f.value, ","), func(announced string) bool {
		return !ofBody(folded(strings.TrimSpace(announced)))
	}) {
		s.t.Errorf("%s has the trailer %s, which nobody has judged", r, f.name)
	}
}

// ofBody tells the trailers of these attacks that say something of the body, and nothing of the request.
func ofBody(name string) bool { return name == "x-checksum" || name == "content-digest" }

// mustNotTell looks for tokens in all that anybody but upstreams got to see, and holds that each line of the log is one.
func (s *scene) mustNotTell(index *leakhunt.Index) {
	s.t.Helper()
	out, _ := s.out.read()
	log, _ := s.log.read()
	if strings.Contains(log, own) {
		s.t.Errorf("the log has a credential of the agent's: %s", log)
	}
	texts := map[string]string{"stdout": out, "the log": log}
	for _, a := range s.cast {
		texts["what an agent got"] += a.got.String()
	}
	for where, text := range texts {
		for _, find := range index.Search([]byte(text)) {
			s.t.Errorf("%s has %s, as %s: %q", where, find.Secret, find.Writing, text)
		}
	}
	for line := range strings.Lines(out + log) {
		if !json.Valid([]byte(line)) || strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return !unicode.IsPrint(r) }) {
			s.t.Errorf("this is not a line of JSON that a terminal can show: %q", line)
		}
	}
}
