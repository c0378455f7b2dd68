package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

// runAsController is set in the environment of a test binary that is to be the command, with an engine that is made up.
const runAsController = "CLI_TEST_RUN_AS_CONTROLLER"

func TestMain(m *testing.M) {
	if os.Getenv(runAsController) != "" {
		os.Exit(asProgram())
	}
	goleak.VerifyTestMain(m)
}

func TestExitCodes(t *testing.T) {
	good := specs(t, "web.yaml", goodSpec)
	empty := specs(t)
	bad := specs(t, "web.yaml", goodSpec, "bad.yaml", "kind: Nothing\n")
	nowhere := filepath.Join(empty, "nowhere")
	strict := filepath.Join(specs(t, "policy.yaml", `{apiVersion: credproxy.dev/v1alpha1, kind: TokenPolicy, metadata: {name: strict},
spec: {rules: [{name: elsewhere, folders: [elsewhere]}]}}`), "policy.yaml")
	tests := map[string]struct {
		args []string
		fake *fakeController
		want int
		says string // on stdout or stderr
	}{
		"no verb":                  {args: nil, want: 2, says: "a verb is missing"},
		"unknown verb":             {args: []string{"frobnicate"}, want: 2, says: `there is no verb "frobnicate"`},
		"unknown flag":             {args: []string{"run", "--frob"}, want: 2, says: "controller run --help"},
		"a mistyped verb":          {args: []string{"stauts"}, want: 2, says: `there is no verb "stauts"; do you mean status?`},
		"a mistyped flag":          {args: []string{"plan", "--ofline"}, want: 2, says: "unknown flag: --ofline; do you mean --offline?"},
		"a mistyped value":         {args: []string{"plan", "--specs", good, "-o", "jsno"}, want: 2, says: `--output: "jsno" is not one of text, json; do you mean json?`},
		"a colour of its own":      {args: []string{"status", "--color", "blue"}, want: 2, says: `--color: "blue" is not one of auto, always, never`},
		"a flag without its value": {args: []string{"run", "--specs"}, want: 2, says: "needs an argument"},
		"arguments for run":        {args: []string{"run", "x"}, want: 2},
		"help for a mistyped verb": {args: []string{"help", "statu"}, want: 2, says: `there is no verb "statu"; do you mean status?`},
		"help for a verb":          {args: []string{"help", "status"}, want: 0, says: "controller status [NAME]"},
		"the form of the root":     {args: []string{"--help"}, want: 0, says: "Usage:\n  controller VERB\n\nExamples:"},
		"a name too many":          {args: []string{"status", "web", "npm"}, want: 2, says: `"npm" is one argument too many: controller status [NAME]`},
		"no length of time":        {args: []string{"events", "--since", "1x"}, want: 2, says: `--since: "1x" is not a length of time; give one such as 30s, 10m or 1h30m`},
		"help":                     {args: []string{"run", "--help"}, want: 0, says: "[CREDPROXY_TOKEN_ENV]"},
		"run without specs":        {args: []string{"run"}, want: 2, says: "--specs: say which directory"},
		"run on nothing":           {args: []string{"run", "--specs", nowhere}, want: 1, says: nowhere},

		"validate nothing":            {args: []string{"validate"}, want: 2},
		"validate good":               {args: []string{"validate", good}, want: 0, says: "web.yaml: good"},
		"validate bad":                {args: []string{"validate", bad}, want: 1, says: "bad.yaml:1: "},
		"validate what is not there":  {args: []string{"validate", nowhere}, want: 1, says: "nowhere: "},
		"validate an empty directory": {args: []string{"validate", empty}, want: 0, says: "no file that ends in"},

		"validate specs in each other's way": {args: []string{"validate", good, specs(t, "api.yaml", strings.Replace(goodSpec, "name: web", "name: api", 1))},
			want: 1, says: "api.yaml:4: hostname \"cred-proxy\" on internal network \"web-internal\" is also declared by spec \"web\""},
		"validate a hidden file":      {args: []string{"validate", filepath.Join(specs(t, ".web.yaml", goodSpec), ".web.yaml")}, want: 1, says: "does not begin with a dot"},
		"validate a file in capitals": {args: []string{"validate", filepath.Join(specs(t, "WEB.YAML", goodSpec), "WEB.YAML")}, want: 1, says: "in small letters"},
		"validate beside capitals":    {args: []string{"validate", specs(t, "web.yaml", goodSpec, "API.YAML", goodSpec)}, want: 0, says: "API.YAML: is not read"},

		"validate by a policy":        {args: []string{"validate", "--policy", strict, good}, want: 1, says: "web.yaml:4: no rule of the policy has folder ."},
		"validate for a single user":  {args: []string{"validate", "--policy", "single-user", good}, want: 0, says: "all good"},
		"validate by what is none":    {args: []string{"validate", "--policy", nowhere, good}, want: 1, says: "no such file or directory: write it, and let"},
		"validate a file by a policy": {args: []string{"validate", "--policy", strict, filepath.Join(good, "web.yaml")}, want: 1, says: "give the directory that is --specs"},

		"validate an empty file": {args: []string{"validate", specs(t, "web.yaml", "")}, want: 1, says: "web.yaml: holds no spec"},

		"plan":                      {args: []string{"plan", "--specs", good}, want: 0, says: "cred-proxy-web  (there is none)"},
		"plan with steps":           {args: []string{"plan", "--specs", good, "--exit-code"}, want: 1},
		"plan without steps":        {args: []string{"plan", "--specs", empty, "--exit-code"}, want: 0, says: "Nothing to do for instance \"default\"."},
		"plan of what is blocked":   {args: []string{"plan", "--specs", good, "--exit-code"}, fake: &fakeController{blocked: "PruneBlocked"}, want: 1, says: "No step can be taken now."},
		"plan of what is paused":    {args: []string{"plan", "--specs", good, "--exit-code"}, fake: &fakeController{blocked: "Paused"}, want: 0, says: "No step can be taken now."},
		"plan of a bad file":        {args: []string{"plan", "--specs", specs(t, "web.yaml", "kind: ["), "--exit-code"}, want: 1, says: "web.yaml:1: "},
		"plan as JSON":              {args: []string{"plan", "--specs", empty, "-o", "json"}, want: 0, says: `"kind": "Plan"`},
		"plan as something else":    {args: []string{"plan", "--specs", empty, "-o", "xml"}, want: 2, says: "--output: "},
		"plan says what is bad":     {args: []string{"plan", "--specs", bad}, want: 0, says: "bad.yaml:1: "},
		"plan that fails":           {args: []string{"plan", "--specs", good}, fake: &fakeController{planErr: errors.New("engine gone")}, want: 2, says: "controller: engine gone"},
		"plan by a bad policy":      {args: []string{"plan", "--specs", good, "--policy", filepath.Join(bad, "bad.yaml")}, want: 2, says: "bad.yaml:1: kind: "},
		"plan of nothing":           {args: []string{"plan", "--specs", nowhere}, want: 2, says: nowhere},
		"plan that fails, as asked": {args: []string{"plan", "--specs", nowhere, "--exit-code"}, want: 2},

		"apply":                   {args: []string{"apply", "--specs", good}, want: 0, says: "web    True    Running   http://cred-proxy:9099"},
		"apply, one not ready":    {args: []string{"apply", "--specs", good}, fake: &fakeController{broken: map[string]string{"web": "TokenMissing"}}, want: 1, says: "TokenMissing"},
		"apply with a bad file":   {args: []string{"apply", "--specs", bad}, want: 1, says: "bad.yaml:1: "},
		"apply that fails":        {args: []string{"apply", "--specs", good}, fake: &fakeController{onceErr: errors.New("disk full")}, want: 1, says: "disk full"},
		"apply without an engine": {args: []string{"apply", "--specs", good}, fake: &fakeController{planErr: errors.New("engine gone")}, want: 1, says: "engine gone"},
		"apply, another instance": {args: []string{"apply", "--prune", "--specs", empty, "--instance", "prod"}, want: 0, says: "Nothing to do for instance \"prod\"."},
		"apply by a bad policy":   {args: []string{"apply", "--specs", good, "--policy", filepath.Join(bad, "bad.yaml")}, want: 1, says: "bad.yaml:1: kind: "},
		"apply nothing":           {args: []string{"apply", "--specs", empty}, want: 0, says: "No CredProxy is declared."},
		"apply in no time":        {args: []string{"apply", "--specs", good, "--timeout", "0s"}, want: 2, says: "--timeout: "},

		"status without controller":   {args: []string{"status", "--server", "127.0.0.1:1"}, want: 3, says: "no controller answers"},
		"status as something else":    {args: []string{"status", "-o", "xml"}, want: 2},
		"status of too much":          {args: []string{"status", "a", "b"}, want: 2},
		"status of a strange address": {args: []string{"status", "--server", "http://[::1"}, want: 2, says: "--server"},
		"events without controller":   {args: []string{"events", "--server", "127.0.0.1:1"}, want: 3, says: "no controller answers"},
		"events without one, watched": {args: []string{"events", "-w", "--server", "127.0.0.1:1"}, want: 3, says: "no controller answers"},
		"events as something else":    {args: []string{"events", "-o", "yaml"}, want: 2, says: "--output: "},
		"events of too much":          {args: []string{"events", "a", "b"}, want: 2},
		"events of a strange address": {args: []string{"events", "--server", "http://[::1"}, want: 2, says: "--server"},
		"status watched without one":  {args: []string{"status", "-w", "--server", "127.0.0.1:1"}, want: 3, says: "no controller answers"},
		"status watched as YAML":      {args: []string{"status", "-w", "-o", "yaml"}, want: 2, says: "--output with --watch"},
		"events of no such reason":    {args: []string{"events", "--reason", "Reladed"}, want: 2, says: `--reason: "Reladed" is none of those that there are; do you mean Reloaded?`},
		"events of no such type":      {args: []string{"events", "--type", "Error"}, want: 2, says: "--type: "},
		"events of the future":        {args: []string{"events", "--since", "-1m"}, want: 2, says: "--since: "},
		"wait for nothing":            {args: []string{"wait"}, want: 2, says: "NAME is missing: controller wait NAME"},
		"wait for something else":     {args: []string{"wait", "web", "--for", "Rain"}, want: 2, says: "--for: "},
		"wait without controller":     {args: []string{"wait", "web", "--server", "127.0.0.1:1"}, want: 3, says: "no controller answers"},
		"version":                     {args: []string{"version"}, want: 0, says: "credproxy.dev/v1alpha1"},
		"version as JSON":             {args: []string{"version", "-o", "json"}, want: 0, says: `"goVersion"`},
		"version's image":             {args: []string{"version", "-o", "image"}, want: 0, says: "cred-proxy:"},
		"version of something":        {args: []string{"version", "x"}, want: 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, cmp.Or(tt.fake, &fakeController{}))
			got := c.run(t, tt.args...)
			text := c.out.String() + c.err.String()
			if got != tt.want || !strings.Contains(text, tt.says) {
				t.Errorf("exit code %d, want %d and %q in:\n%s", got, tt.want, tt.says, text)
			}
		})
	}
}

func TestASettingComesFromItsFlagOrItsVariable(t *testing.T) {
	dir := specs(t)
	tests := map[string]struct {
		vars map[string]string
		args []string
		want int
		says string
		get  func(c *console) any
		is   any
	}{
		"a variable": {
			vars: map[string]string{"CREDPROXY_INSTANCE": "blue"},
			get:  func(c *console) any { return c.options.Instance }, is: "blue",
		},
		"a flag wins": {
			vars: map[string]string{"CREDPROXY_INSTANCE": "blue"}, args: []string{"--instance", "red"},
			get: func(c *console) any { return c.options.Instance }, is: "red",
		},
		"an empty variable is none": {
			vars: map[string]string{"CREDPROXY_INSTANCE": ""},
			get:  func(c *console) any { return c.options.Instance }, is: "default",
		},
		"a list": {
			vars: map[string]string{"CREDPROXY_TOKEN_ENV": "GITHUB_TOKEN,AGENT_*"},
			get:  func(c *console) any { return c.options.TokenEnv }, is: []string{"GITHUB_TOKEN", "AGENT_*"},
		},
		"a list by flags": {
			args: []string{"--token-env", "A", "--token-env=B"},
			get:  func(c *console) any { return c.options.TokenEnv }, is: []string{"A", "B"},
		},
		"ranges": {
			vars: map[string]string{"CREDPROXY_NETWORK_POOL": "10.200.0.0/16,fd12::/48"},
			get:  func(c *console) any { return fmt.Sprint(c.options.NetworkPools) }, is: "[10.200.0.0/16 fd12::/48]",
		},
		"a time": {
			vars: map[string]string{"CREDPROXY_READY_TIMEOUT": "90s"},
			get:  func(c *console) any { return c.controller.opts.ReadyTimeout }, is: 90 * time.Second,
		},
		"a switch": {
			vars: map[string]string{"CREDPROXY_UPGRADE_SIDECARS": "true"},
			get:  func(c *console) any { return c.controller.opts.UpgradeSidecars }, is: true,
		},
		"another switch": {
			args: []string{"--require-isolation"},
			get:  func(c *console) any { return c.controller.opts.RequireIsolation }, is: true,
		},
		"a port": {
			vars: map[string]string{"CREDPROXY_PORT": "8080"},
			get:  func(c *console) any { return c.options.Spec.Port }, is: int32(8080),
		},
		"the verb's own": {
			vars: map[string]string{"CREDPROXY_PRUNE": "1"},
			get:  func(c *console) any { return c.controller.opts.Prune && c.controller.opts.Deliberate }, is: true,
		},
		"nothing is removed unasked": {
			get: func(c *console) any { return c.controller.opts.Prune || c.controller.opts.Deliberate }, is: false,
		},
		"not a number":      {vars: map[string]string{"CREDPROXY_WORKERS": "many"}, want: 2, says: `CREDPROXY_WORKERS: "many"`},
		"not a switch":      {vars: map[string]string{"CREDPROXY_PRUNE": "maybe"}, want: 2, says: `CREDPROXY_PRUNE: "maybe"`},
		"too few":           {vars: map[string]string{"CREDPROXY_WORKERS": "0"}, want: 2, says: "CREDPROXY_WORKERS: 0 is too few"},
		"no time":           {vars: map[string]string{"CREDPROXY_CALL_TIMEOUT": "-1s"}, want: 2, says: "CREDPROXY_CALL_TIMEOUT: "},
		"no label":          {vars: map[string]string{"CREDPROXY_INSTANCE": "a/b"}, want: 2, says: "CREDPROXY_INSTANCE: "},
		"no label, by flag": {args: []string{"--instance", ""}, want: 2, says: "--instance: an instance needs a name"},
		"no prefix":         {args: []string{"--name-prefix", "-x"}, want: 2, says: "--name-prefix: "},
		"no port":           {args: []string{"--port", "0"}, want: 2, says: "--port: "},
		"no hostname":       {args: []string{"--hostname", "a.b"}, want: 2, says: "--hostname: "},
		"no pattern":        {args: []string{"--token-env", "["}, want: 2, says: "--token-env: "},
		"no range":          {vars: map[string]string{"CREDPROXY_NETWORK_POOL": "10.200.0.0/16,10.1.2.3"}, want: 2, says: "CREDPROXY_NETWORK_POOL: \"10.1.2.3\""},
		"no level":          {vars: map[string]string{"CREDPROXY_LOG_LEVEL": "loud"}, want: 2, says: "CREDPROXY_LOG_LEVEL: "},
		"no format":         {args: []string{"--log-format", "xml"}, want: 2, says: "--log-format: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, &fakeController{})
			for k, v := range tt.vars {
				c.vars[k] = v
			}
			c.vars["CREDPROXY_SPECS"] = dir
			got := c.run(t, append([]string{"apply"}, tt.args...)...)
			if got != tt.want || !strings.Contains(c.err.String(), tt.says) {
				t.Fatalf("exit code %d, want %d and %q in:\n%s", got, tt.want, tt.says, c.err.String())
			}
			if tt.get != nil {
				if diff := gocmp.Diff(tt.is, tt.get(c)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// started runs the controller on the directory until the test ends, and returns the address of its pages.
func started(t *testing.T, c *console, dir string, args ...string) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- Run(ctx, append([]string{"run", "--specs", dir, "--listen", "127.0.0.1:0"}, args...), c.system())
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("run ended with %d:\n%s", code, c.err.String())
		}
		http.DefaultClient.CloseIdleConnections()
	})
	select {
	case address := <-c.listening:
		return address.String()
	case code := <-ended:
		ended <- code
		t.Fatalf("run ended with %d:\n%s", code, c.err.String())
		return ""
	}
}

func TestStatusAndWaitAskTheRunningController(t *testing.T) {
	other := strings.ReplaceAll(strings.ReplaceAll(goodSpec, "web", "api"), "api.anthropic", "x.anthropic")
	dir := specs(t, "web.yaml", goodSpec, "api.yaml", other)
	c := newConsole(t, &fakeController{broken: map[string]string{"api": "TokenMissing"}})
	server := started(t, c, dir)
	short := []string{"--timeout", "250ms"}
	tests := map[string]struct {
		args []string
		want int
		says string
	}{
		"ready":              {[]string{"wait", "web"}, 0, "web is Ready"},
		"not ready":          {append([]string{"wait", "api"}, short...), 1, "api is not Ready after 250ms: TokenMissing: env NOPE has no value"},
		"not declared":       {append([]string{"wait", "later"}, short...), 1, "no spec file declares it"},
		"deleted":            {[]string{"wait", "gone", "--for", "Deleted"}, 0, "gone is Deleted"},
		"not deleted":        {append([]string{"wait", "web", "--for", "Deleted"}, short...), 1, "a spec file still declares it"},
		"one":                {[]string{"status", "web"}, 0, "Ready:       True: Running\n"},
		"one in a table":     {[]string{"status", "web", "-o", "table"}, 0, "web    True    Running"},
		"one mistyped":       {[]string{"status", "wbe"}, 1, "wbe: no spec file declares it; do you mean web?"},
		"one that is not":    {[]string{"status", "api"}, 1, "TokenMissing"},
		"one that is nobody": {[]string{"status", "nobody"}, 1, "nobody: no spec file declares it"},
		"all":                {[]string{"status"}, 1, "NAME   READY   REASON"},
		"wide":               {[]string{"status", "-o", "wide"}, 1, "ISOLATED"},
		"as JSON":            {[]string{"status", "-o", "json"}, 1, `"kind": "CredProxyList"`},
		"as YAML":            {[]string{"status", "web", "-o", "yaml"}, 0, "kind: CredProxy\n"},
	}
	first := newConsole(t, nil)
	if code := first.run(t, "wait", "web", "--server", server, "--timeout", "30s"); code != 0 {
		t.Fatal(first.err.String())
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			asking := newConsole(t, nil)
			got := asking.run(t, append(tt.args, "--server", server)...)
			text := asking.out.String() + asking.err.String()
			if got != tt.want || !strings.Contains(text, tt.says) {
				t.Errorf("exit code %d, want %d and %q in:\n%s", got, tt.want, tt.says, text)
			}
			if strings.Contains(text, "\x1b") {
				t.Errorf("an escape reached the terminal:\n%q", text)
			}
		})
	}
}

func TestWaitReturnsWhenTheFileIsDropped(t *testing.T) {
	dir := specs(t)
	server := started(t, newConsole(t, &fakeController{}), dir, "--resync", "100ms")
	asking := newConsole(t, nil)
	ended := make(chan int, 1)
	go func() { ended <- asking.run(t, "wait", "web", "--server", server, "--timeout", "30s") }()
	if err := os.WriteFile(filepath.Join(dir, "web.yaml"), []byte(goodSpec), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d:\n%s", code, asking.err.String())
	}
}

func TestWaitLastsWhileAControllerRestarts(t *testing.T) {
	answers := make(chan int, 3)
	answers <- http.StatusNotFound
	answers <- http.StatusInternalServerError
	answers <- http.StatusOK
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		code := <-answers
		w.WriteHeader(code)
		_, _ = w.Write([]byte(map[int]string{
			http.StatusNotFound: `{"kind":"Status","message":"not found"}`,
			http.StatusOK:       `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`,
		}[code]))
	}))
	defer page.Close()
	c := newConsole(t, nil)
	if code := c.run(t, "wait", "web", "--server", page.URL, "--timeout", "30s"); code != 0 {
		t.Errorf("exit code %d:\n%s", code, c.err.String())
	}
}

func TestSomethingElseAtTheAddressIsNoController(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html>"))
	}))
	defer page.Close()
	c := newConsole(t, nil)
	if code := c.run(t, "status", "--server", page.URL); code != 3 || !strings.Contains(c.err.String(), "is not a controller") {
		t.Errorf("exit code %d:\n%s", code, c.err.String())
	}
}

func TestASecondRunSaysWhoHoldsTheEngine(t *testing.T) {
	dir, state := specs(t), t.TempDir()
	started(t, newConsole(t, &fakeController{}), dir, "--state-dir", state)
	again := func(args ...string) (int, string) {
		second := newConsole(t, &fakeController{})
		code := second.run(t, append([]string{"run", "--specs", dir, "--listen", "127.0.0.1:0", "--state-dir", state}, args...)...)
		return code, second.err.String()
	}
	code, text := again()
	if code != 1 || !strings.Contains(text, `another controller keeps the sidecars of instance "default"`) {
		t.Errorf("exit code %d:\n%s", code, text)
	}
	started(t, newConsole(t, &fakeController{}), dir, "--state-dir", state, "--instance", "other")
}

func TestAPortInUseIsSaid(t *testing.T) {
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	address := taken.Listener.Addr().String()
	c := newConsole(t, &fakeController{})
	code := c.run(t, "run", "--specs", specs(t), "--listen", address)
	if code != 1 || !strings.Contains(c.err.String(), address+" is in use by another process") {
		t.Errorf("exit code %d:\n%s", code, c.err.String())
	}
	other := strings.TrimPrefix(started(t, newConsole(t, &fakeController{}), specs(t)), "http://")
	c = newConsole(t, &fakeController{})
	code = c.run(t, "run", "--specs", specs(t), "--listen", other, "--state-dir", t.TempDir())
	if code != 1 || !strings.Contains(c.err.String(), "at the address "+other+" another controller answers") {
		t.Errorf("exit code %d:\n%s", code, c.err.String())
	}
}

func TestOneVariableOfOutputIsForVerbsOfDifferentFormats(t *testing.T) {
	dir := specs(t)
	for _, tt := range []struct {
		value, verb, says string
		want              int
	}{
		{"yaml", "version", "version  ", 0},
		{"wide", "plan", "Nothing to do", 0},
		{"json", "plan", `"kind": "Plan"`, 0},
		{"xml", "version", `CREDPROXY_OUTPUT: "xml" is not one of text, json, image`, 2},
	} {
		c := newConsole(t, &fakeController{})
		c.vars["CREDPROXY_OUTPUT"], c.vars["CREDPROXY_SPECS"] = tt.value, dir
		code := c.run(t, tt.verb)
		if text := c.out.String() + c.err.String(); code != tt.want || !strings.Contains(text, tt.says) {
			t.Errorf("%s of %s: exit code %d, want %d and %q in:\n%s", tt.verb, tt.value, code, tt.want, tt.says, text)
		}
	}
}
