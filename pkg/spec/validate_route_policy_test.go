package spec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ofRoute is the part of a route that a test is about: its lines, and the fields at fault.
type ofRoute struct{ name, lines, bad string }

func checkRoutes(t *testing.T, tests []ofRoute) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Decode("x.yaml", []byte(web+"    "+strings.ReplaceAll(tt.lines, "; ", "\n    ")+"\n"), Options{})
			fields := strings.ReplaceAll(fieldsOfProblems(got), "spec.routes[0].", "")
			if diff := cmp.Diff(tt.bad, fields); diff != "" {
				t.Errorf("want %q\n%s", tt.bad, told(got))
			}
		})
	}
}

func TestPoliciesOfRoutes(t *testing.T) {
	checkRoutes(t, []ofRoute{
		{"methods", "methods: [GET, POST, PROPFIND, VERSION-CONTROL]", ""},
		{"no methods", "methods: []", "methods"},
		{"nothing for methods", "methods:", "methods"},
		{"a method in small letters", "methods: [get]", "methods[0]"},
		{"a method that is none", "methods: ['GET POST']", "methods[0]"},
		{"CONNECT and TRACE", "methods: [CONNECT, TRACE]", "methods[0] methods[1]"},
		{"a method twice", "methods: [GET, GET]", "methods[1]"},

		{"paths", "paths: {allow: [/, /v1/**, '/@acme%2f*', '/a*b/**/c'], deny: [/v1/admin/**]}", ""},
		{"empty paths", "paths: {}", "paths"},
		{"nothing for paths", "paths:", "paths"},
		{"empty allow", "paths: {allow: [], deny: [/x]}", "paths.allow"},
		{"empty deny", "paths: {deny: []}", "paths.deny"},
		{"nothing for deny", "paths: {allow: [/x], deny: }", "paths.deny"},
		{"a pattern without a slash", "paths: {allow: [v1/**]}", "paths.allow[0]"},
		{"a pattern with a slash at the end", "paths: {deny: [/v1/]}", "paths.deny[0]"},
		{"a pattern with a dot segment", "paths: {deny: [/v1/../x]}", "paths.deny[0]"},
		{"a pattern with another encoding", "paths: {deny: ['/v1/%2e']}", "paths.deny[0]"},
		{"a pattern with a slash encoded twice", "paths: {deny: ['/v1%252fx']}", "paths.deny[0]"},
		{"a pattern with an encoded slash at the end", "paths: {deny: ['/v1%2f']}", "paths.deny[0]"},
		{"a pattern with a parameter", "paths: {deny: ['/v1;x']}", "paths.deny[0]"},
		{"a pattern with a query", "paths: {deny: ['/v1?x']}", "paths.deny[0]"},
		{"** within a segment", "paths: {deny: ['/v1**/x']}", "paths.deny[0]"},
		{"*** as a segment", "paths: {deny: ['/***']}", "paths.deny[0]"},

		{"git", "git: {fetch: true, push: [acme/web, 'acme/*', '**', acme/x.git]}", ""},
		{"git that is empty", "git: {}", "git"},
		{"nothing for git", "git:", "git"},
		{"git that permits nothing", "git: {fetch: false, push: []}", "git"},
		{"a push of an absolute path", "git: {push: [/acme/web]}", "git.push[0]"},
		{"a push of a URL", "git: {push: ['https://github.com/acme/web']}", "git.push[0]"},
		{"a push with an encoded slash", "git: {push: ['acme%2fweb']}", "git.push[0]"},
		{"a push that leads up", "git: {push: [acme/../web]}", "git.push[0]"},
		{"git with methods and paths", "git: {fetch: true}; methods: [GET]; paths: {allow: [/x]}", "methods paths"},

		{"warn", "methods: [GET]; mode: Warn", ""},
		{"enforce", "git: {fetch: true}; mode: Enforce", ""},
		{"another mode", "methods: [GET]; mode: warn", "mode"},
		{"a mode of nothing", "mode: Warn", "mode"},
	})
}

func TestLimitsOfRoutes(t *testing.T) {
	checkRoutes(t, []ofRoute{
		{"all", "limits: {headerBytes: 8Ki, bodyBytes: 10Mi, concurrentRequests: 4, requestsPerMinute: 60, bodyTimeout: 30s, idleTimeout: 1h30m}", ""},
		{"plain numbers", "limits: {headerBytes: 256, bodyBytes: 1}", ""},
		{"none", "limits: {}", "limits"},
		{"nothing", "limits:", "limits"},
		{"nothing for each", "limits: {bodyBytes: , concurrentRequests: , idleTimeout: }", "limits.bodyBytes limits.concurrentRequests limits.idleTimeout limits"},
		{"empty texts", "limits: {headerBytes: '', idleTimeout: ''}", "limits.headerBytes limits.idleTimeout limits"},
		{"zeros", "limits: {bodyBytes: 0, concurrentRequests: 0, requestsPerMinute: 0, bodyTimeout: 0s}", "limits.concurrentRequests limits.requestsPerMinute limits.bodyBytes limits.bodyTimeout"},
		{"negative ones", "limits: {bodyBytes: -1, concurrentRequests: -1, requestsPerMinute: -1, idleTimeout: -1s}", "limits.bodyBytes limits.concurrentRequests limits.requestsPerMinute limits.idleTimeout"},
		{"a header above the sidecar's own limit", "limits: {headerBytes: 17Ki}", "limits.headerBytes"},
		{"more connections than there are", "limits: {concurrentRequests: 513}", "limits.concurrentRequests"},
		{"a duration without a unit", "limits: {idleTimeout: '30'}", "limits.idleTimeout"},
		{"a duration as a number", "limits: {idleTimeout: 30, requestsPerMinute: 1}", "limits.idleTimeout"},
		{"durations out of bounds", "limits: {bodyTimeout: 100ms, idleTimeout: 25h}", "limits.bodyTimeout limits.idleTimeout"},
	})
}

func TestLimitsInTheSidecarsUnits(t *testing.T) {
	l := Limits{HeaderBytes: "8Ki", BodyBytes: "1.5Mi", BodyTimeout: "90s", IdleTimeout: "1h"}
	got := []int64{l.MaxHeaderBytes(), l.MaxBodyBytes(), l.BodyDuration().Milliseconds(), l.IdleDuration().Milliseconds()}
	if diff := cmp.Diff([]int64{8 << 10, 3 << 19, 90_000, 3_600_000}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	l = Limits{HeaderBytes: "much", BodyTimeout: "long"}
	if l.MaxHeaderBytes() != 0 || l.MaxBodyBytes() != 0 || l.BodyDuration() != 0 || l.IdleDuration() != 0 {
		t.Errorf("%+v is taken for limits", l)
	}
}
