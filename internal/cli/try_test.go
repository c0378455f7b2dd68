package cli

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// comesTo is an engine's Try with a fixed end.
func comesTo(t routetable.Trial, err error) func(context.Context, reconcile.TryRequest) (routetable.Trial, error) {
	return func(context.Context, reconcile.TryRequest) (routetable.Trial, error) { return t, err }
}

// declares starts a controller on files, of which one is web's, and returns its address once it has read them.
func declares(t *testing.T, controller *fakeController, files ...string) (server string) {
	t.Helper()
	server = started(t, newConsole(t, controller), specs(t, files...))
	if c := newConsole(t, nil); c.run(t, "wait", "web", "--server", server) != 0 {
		t.Fatal(c.err.String())
	}
	return server
}

func TestTryAsksFromTheInternalNetwork(t *testing.T) {
	server := declares(t, &fakeController{}, "web.yaml", goodSpec)
	c := newConsole(t, nil)
	c.vars["WEB_KEY"] = "the-callers-key"
	var asked reconcile.TryRequest
	c.try = func(_ context.Context, req reconcile.TryRequest) (routetable.Trial, error) {
		asked = req
		return routetable.Trial{Status: 200, Length: 5, ContentType: "text/plain\x1b[2J", Route: "/anthropic", Credential: "added", Milliseconds: 12.3}, nil
	}
	if code := c.run(t, "try", "web", "/anthropic/v1?q=1", "-X", "HEAD", "--key-env", "WEB_KEY", "--server", server); code != 0 {
		t.Errorf("exit code %d: %s%s", code, c.out.String(), c.err.String())
	}
	if asked.Network != "web-internal" || asked.Method != http.MethodHead || asked.URL != "http://cred-proxy:9099/anthropic/v1?q=1" || asked.ImageID != "sha256:own" ||
		asked.Key == nil || asked.Key.Reveal() != "the-callers-key" || asked.Timeout <= 0 || asked.Timeout > 24*time.Second {
		t.Errorf("asked was %+v", asked)
	}
	for _, words := range []string{"HEAD", "route", "/anthropic", "credential", "added", "200 OK, text/plain", "5 bytes, after 12 ms"} {
		if !strings.Contains(c.out.String(), words) {
			t.Errorf("it does not say %q:\n%s", words, c.out.String())
		}
	}
	if said := c.out.String() + c.err.String(); strings.Contains(said, "the-callers-key") || strings.Contains(said, "\x1b") {
		t.Errorf("it says what it must not: %q", said)
	}
}

func TestTryShowsTheKeyWhereTheSpecWantsIt(t *testing.T) {
	server := declares(t, &fakeController{}, "web.yaml", strings.Replace(goodSpec, "spec:\n", "spec:\n  callerAuth: {keyRef: {env: WEB_KEY}, header: X-My-Key}\n", 1))
	c := newConsole(t, nil)
	c.vars["WEB_KEY"] = "the-callers-key"
	var asked reconcile.TryRequest
	c.try = func(_ context.Context, req reconcile.TryRequest) (routetable.Trial, error) {
		asked = req
		return routetable.Trial{Status: 200, Route: "/anthropic", Credential: "added"}, nil
	}
	if code := c.run(t, "try", "web", "/anthropic", "--key-env", "WEB_KEY", "--server", server); code != 0 || asked.KeyHeader != "X-My-Key" {
		t.Errorf("exit code %d, and asked was %+v: %s", code, asked, c.err.String())
	}
}

func TestTryEndsAsItsRequestDid(t *testing.T) {
	server := declares(t, &fakeController{broken: map[string]string{"api": "TokenMissing"}}, "web.yaml", goodSpec,
		"api.yaml", strings.ReplaceAll(strings.ReplaceAll(goodSpec, "web", "api"), "api.anthropic", "x.anthropic"))
	answered := comesTo(routetable.Trial{Status: 204, Credential: "none", Length: -1}, nil)
	tests := map[string]struct {
		try  func(context.Context, reconcile.TryRequest) (routetable.Trial, error)
		args []string
		want int
		says []string
	}{
		"answered with an error":    {comesTo(routetable.Trial{Status: 500, Credential: "none", Length: -1}, nil), nil, 0, []string{"500 Internal Server Error", "unknown length"}},
		"answered to a wrong token": {comesTo(routetable.Trial{Status: 401, Credential: "added"}, nil), nil, 0, []string{"→ the upstream did not accept the credential"}},
		"answered to none":          {comesTo(routetable.Trial{Status: 403, Credential: "none"}, nil), nil, 0, []string{"→ the route adds no credential"}},
		"answered by an old one":    {comesTo(routetable.Trial{Status: 200}, nil), nil, 0, []string{"--upgrade-sidecars"}},
		"refused": {comesTo(routetable.Trial{Status: 404, Credential: "none", Code: "no_route", Message: "the routes are /r"}, nil), nil, 1,
			[]string{"refused", "by the sidecar: the routes are /r (404 no_route)"}},
		"refused for want of a key":   {comesTo(routetable.Trial{Status: 401, Code: "unauthorized", Message: "m"}, nil), nil, 1, []string{"→ ", "--key-env"}},
		"refused for want of a token": {comesTo(routetable.Trial{Status: 503, Code: "no_token", Message: "m"}, nil), nil, 1, []string{"`controller status web` says why"}},
		"stopped before the upstream": {comesTo(routetable.Trial{Status: 502, Code: "upstream_unreachable", Stage: "tls", Message: "its certificate was not accepted"}, nil), nil, 1,
			[]string{"stopped", "on the way to the upstream (tls)", "certificate", "→ does the upstream speak TLS"}},
		"stopped at a name that does not resolve": {comesTo(routetable.Trial{Status: 502, Code: "upstream_unreachable", Stage: "dns"}, nil), nil, 1,
			[]string{"(dns)", "is the upstream's name right", "If it is a container: does it run"}},
		"stopped at a name server that is slow": {comesTo(routetable.Trial{Status: 504, Code: "upstream_timeout", Stage: "dns"}, nil), nil, 1,
			[]string{"(dns)", "no name server answered in time"}},
		"stopped before the sidecar": {comesTo(routetable.Trial{Stage: "dns", Message: "no name"}, nil), nil, 1, []string{"on the way to the sidecar (dns)", "controller status web"}},
		"stopped behind the sidecar": {comesTo(routetable.Trial{Stage: "timeout", Message: "no answer"}, nil), nil, 1,
			[]string{"behind the sidecar, which took the request", "most likely the upstream hangs"}},
		"an engine that is away": {comesTo(routetable.Trial{}, errors.New("no engine")), nil, 1, []string{"no engine"}},
		"out of time": {func(ctx context.Context, _ reconcile.TryRequest) (routetable.Trial, error) {
			<-ctx.Done()
			return routetable.Trial{}, ctx.Err()
		}, []string{"--timeout", "20ms"}, 1, []string{"not done within --timeout 20ms"}},
		"a variable that is not set": {answered, []string{"--key-env", "NOTHING"}, 2, []string{`"NOTHING" does not hold a key`}},
		"a method that is none":      {answered, []string{"-X", "GET /"}, 2, []string{"--method"}},
		"an output that is none":     {answered, []string{"-o", "yaml"}, 2, []string{"--output"}},
		"no time":                    {answered, []string{"--timeout", "0s"}, 2, []string{"--timeout"}},
		"no controller":              {answered, []string{"--server", "http://127.0.0.1:1"}, 3, []string{"no controller answers"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, nil)
			c.try = tt.try
			code := c.run(t, append([]string{"try", "web", "/anthropic", "--server", server}, tt.args...)...)
			said := c.out.String() + c.err.String()
			if code != tt.want {
				t.Errorf("exit code %d, want %d: %s", code, tt.want, said)
			}
			for _, words := range tt.says {
				if !strings.Contains(said, words) {
					t.Errorf("it does not say %q:\n%s", words, said)
				}
			}
		})
	}
	for name, tt := range map[string]struct {
		args []string
		want int
		says string
	}{
		"not declared": {[]string{"nobody", "/r"}, 1, "nobody: no spec file declares it"},
		"not Ready":    {[]string{"api", "/r"}, 0, "api is not Ready: TokenMissing"},
		"not a path":   {[]string{"web", "r"}, 2, "PATH begins with a route"},
		"too little":   {[]string{"web"}, 2, "PATH is missing: controller try NAME PATH"},
		"too much":     {[]string{"web", "/r", "/s"}, 2, `"/s" is one argument too many: controller try NAME PATH`},
	} {
		c := newConsole(t, nil)
		c.try = answered
		if code := c.run(t, append([]string{"try", "--server", server}, tt.args...)...); code != tt.want || !strings.Contains(c.err.String(), tt.says) {
			t.Errorf("%s: exit code %d, %s", name, code, c.err.String())
		}
	}
}

func TestTryAsJSON(t *testing.T) {
	server := declares(t, &fakeController{}, "web.yaml", goodSpec)
	c := newConsole(t, nil)
	c.try = comesTo(routetable.Trial{Status: 504, Route: "/r", Credential: "added", Code: "upstream_timeout", Stage: "timeout", Message: "m", Length: 9}, nil)
	if code := c.run(t, "try", "web", "/r", "-o", "json", "--server", server); code != 1 {
		t.Errorf("exit code %d", code)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(c.out.String()), &got); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{"kind": "Trial", "name": "web", "method": "GET", "url": "http://cred-proxy:9099/r", "result": "no_upstream",
		"status": 504.0, "route": "/r", "credential": "added", "code": "upstream_timeout", "stage": "timeout", "message": "m", "length": 9.0} {
		if got[field] != want {
			t.Errorf("%s is %v, want %v", field, got[field], want)
		}
	}
}

func TestTryOfASidecarThatIsNotThereSaysWhy(t *testing.T) {
	server := declares(t, &fakeController{broken: map[string]string{"api": "TokenMissing"}}, "web.yaml", goodSpec,
		"api.yaml", strings.ReplaceAll(strings.ReplaceAll(goodSpec, "web", "api"), "api.anthropic", "x.anthropic"))
	c := newConsole(t, nil)
	c.try = comesTo(routetable.Trial{Stage: "dns", Message: "no name"}, nil)
	code := c.run(t, "try", "api", "/anthropic", "--server", server)
	if code != 1 || !strings.Contains(c.out.String(), "→ first mend why api is not Ready: TokenMissing: env NOPE has no value") {
		t.Errorf("exit code %d:\n%s", code, c.out.String())
	}
}
