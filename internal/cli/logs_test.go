package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/internal/ptytest"
	"credproxy.dev/controller/internal/terminal"
	"credproxy.dev/controller/pkg/reconcile"
)

const (
	requestLine = `{"time":"2026-01-02T03:04:05.678Z","level":"INFO","msg":"request","spec":"web","route":"/a","method":"GET","path":"/a/b",` +
		`"status":503,"duration_ms":12.345,"credential":false,"error":"no_token"}`
	servingLine = `{"time":"2026-01-02T03:04:06Z","level":"INFO","msg":"serving a routing table","generation":3,"routes":2}`
	warningLine = `{"time":"2026-01-02T03:04:07Z","level":"WARN","msg":"not serving","reason":"no interface\nis inside \u001b[2J"}`
	// hostileLine has what steers terminals in every place, as it is and as escapes.
	hostileLine = "{\"time\":\"\x9b2J\",\"level\":\"\u009b2J\\u001b[31m\",\"msg\":\"a\u202eb\\u202e\\r\\n\\u0007\",\"k\\u001b\":\"\\u009b\x7f\u2800\u3164\u115f\u1160\uffa0\u034f\"}"
	plainLine   = "panic: \x1b]0;title\x07 at \x9b1A\r here"
)

// logConsole is a console before an engine with sidecars.
func logConsole(t *testing.T) (*console, *fakeengine.Engine) {
	t.Helper()
	e := fakeengine.New(0)
	c := newConsole(t, nil)
	c.logs = e.Driver("default")
	c.vars["CREDPROXY_SERVER"] = "http://127.0.0.1:1"
	return c, e
}

// steers are what a terminal or a text's direction is steered by, and letters and symbols that show as nothing.
var steers = regexp.MustCompile("[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f\u202a-\u202e\u2066-\u2069\u2800\u3164\u115f\u1160\uffa0\u034f]")

func TestALogIsToldForPeople(t *testing.T) {
	c, e := logConsole(t)
	logOf(e, "web", requestLine, servingLine, warningLine, hostileLine, plainLine)
	if code := c.run(t, "logs", "web"); code != 0 || c.err.String() != "" {
		t.Fatalf("exit code %d: %s", code, c.err.String())
	}
	text := c.out.String()
	at, _ := time.Parse(time.RFC3339, "2026-01-02T03:04:05.678Z")
	for _, words := range []string{
		at.Local().Format(logTime) + "  INFO   GET /a/b → 503 in 12.345 ms route=/a credential=false error=no_token\n",
		"INFO   serving a routing table generation=3 routes=2\n",
		"WARN   not serving reason=\"no interface is inside \ufffd[2J\"\n",
		"a\ufffdb\ufffd", "panic: \ufffd]0;title\ufffd at ",
	} {
		if !strings.Contains(text, words) {
			t.Errorf("it does not say %q:\n%s", words, text)
		}
	}
	if found := steers.FindString(text); found != "" || strings.Count(text, "\n") != 5 {
		t.Errorf("%q is in %q", found, text)
	}
}

func TestALineWithoutATimeHasNoneInJSON(t *testing.T) {
	from := reconcile.LogSource{ContainerID: "0123456789abcdef", ContainerName: "cred-proxy-web"}
	for _, tt := range []struct {
		at   time.Time
		want string
	}{
		{time.Time{}, `{"msg":"panic","container":"cred-proxy-web","containerID":"0123456789ab"}`},
		{time.Unix(1, 0).UTC(), `{"time":"1970-01-01T00:00:01Z","msg":"panic","container":"cred-proxy-web","containerID":"0123456789ab"}`},
	} {
		if got := logObject(from, reconcile.LogLine{Time: tt.at, Text: "panic"}); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestALogAsJSONIsWhatWasWrittenAndSafe(t *testing.T) {
	c, e := logConsole(t)
	id := logOf(e, "web", requestLine, warningLine, hostileLine, plainLine, "{}", `{"a":`+"\t\r"+`{"b":[1,2]}}`, `{"a":1} {"b":2}`, "[]", "7", strings.Repeat("x", 99), `{"container":"mine","containerID":7}`)
	if code := c.run(t, "logs", "web", "-o", "json"); code != 0 || c.err.String() != "" {
		t.Fatalf("exit code %d: %s", code, c.err.String())
	}
	if found := steers.FindString(c.out.String()); found != "" {
		t.Errorf("%q is in %q", found, c.out.String())
	}
	lines := strings.Split(strings.TrimSuffix(c.out.String(), "\n"), "\n")
	if len(lines) != 11 {
		t.Fatalf("there are %d lines:\n%s", len(lines), c.out.String())
	}
	for _, line := range lines {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if object["containerID"] != id[:12] || !strings.HasPrefix(fmt.Sprint(object["container"]), "cred-proxy-web") {
			t.Errorf("it does not say of which container it is: %s", line)
		}
	}
	for i, want := range map[int]string{0: strings.TrimSuffix(requestLine, "}") + ",", 4: "{", 5: `{"a":{"b":[1,2]},`,
		6: `,"msg":"{\"a\":1} {\"b\":2}",`, 7: `,"msg":"[]",`, 8: `,"msg":"7",`, 10: `{"container":"mine","containerID":7,`} {
		if !strings.HasSuffix(strings.TrimSuffix(lines[i], `"container":"cred-proxy-web-0","containerID":"`+id[:12]+`"}`), want) {
			t.Errorf("%s is not %s and where it comes from", lines[i], want)
		}
	}
}

func TestALineThatIsTooLongIsCutAndSaysSo(t *testing.T) {
	e := readLogLine(lineOf(strings.Repeat("x", 5), true))
	if e.words != "xxxxx … (it is longer)" {
		t.Errorf("it says %q", e.words)
	}
	if object := logObject(sourceOf("web"), lineOf(`{"a":1}`, true)); !strings.HasSuffix(object, `"msg":"{\"a\":1}","cut":true,"container":"cred-proxy-web","containerID":"0123456789ab"}`) {
		t.Errorf("it is %s", object)
	}
}

func TestOfTwoContainersEachLineSaysWhich(t *testing.T) {
	c, e := logConsole(t)
	logOf(e, "web", servingLine)
	logOf(e, "web", warningLine)
	if code := c.run(t, "logs", "web", "--tail", "5"); code != 0 {
		t.Fatalf("exit code %d: %s", code, c.err.String())
	}
	if !regexp.MustCompile(`(?m)^cred-proxy-web-0  .*serving a routing`).MatchString(c.out.String()) ||
		!regexp.MustCompile(`(?m)^cred-proxy-web-1  .*not serving`).MatchString(c.out.String()) {
		t.Errorf("it says\n%s", c.out.String())
	}
	if !strings.Contains(c.err.String(), "web has 2 containers: cred-proxy-web-0 (") {
		t.Errorf("it says %s", c.err.String())
	}
}

func TestALogThatIsFollowedSaysWhichContainersComeAndGo(t *testing.T) {
	c, e := logConsole(t)
	old := logOf(e, "web", servingLine)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- Run(ctx, []string{"logs", "web", "-f"}, c.system()) }()
	until(t, c.out.String, "serving a routing table")
	fresh := logOf(e, "web", warningLine)
	until(t, c.out.String, "cred-proxy-web-1  ")
	e.RemoveContainer(old, true)
	until(t, c.err.String, "cred-proxy-web-0 ("+old[:12]+") is gone\n")
	e.RemoveContainer(fresh, true)
	until(t, c.err.String, "web has no container now; the next one is waited for\n")
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(c.err.String(), "cred-proxy-web-1 ("+fresh[:12]+") is there now\n") {
		t.Errorf("it says %s", c.err.String())
	}
}

func TestALogFitsIntoATerminal(t *testing.T) {
	for _, tt := range []struct {
		columns  int
		vars     map[string]string
		args     []string
		coloured bool
	}{
		{120, nil, nil, true}, {60, nil, nil, true}, {60, map[string]string{"NO_COLOR": "1"}, nil, false}, {40, nil, []string{"--color", "never"}, false},
	} {
		c, e := logConsole(t)
		logOf(e, "web", requestLine, warningLine)
		pty := ptytest.Open(t, tt.columns, 20)
		c.terminal = pty.Out
		for name, value := range tt.vars {
			c.vars[name] = value
		}
		if code := c.run(t, append([]string{"logs", "web"}, tt.args...)...); code != 0 {
			t.Fatalf("exit code %d: %s", code, c.err.String())
		}
		pty.Until(t, func(text string) bool { return strings.Contains(text, "[2J\"") })
		for line := range strings.Lines(pty.Text()) {
			if terminal.Cells(strings.TrimSuffix(line, "\n")) > tt.columns {
				t.Errorf("%d columns: %q is too wide", tt.columns, line)
			}
		}
		if got := strings.Contains(pty.Raw(), "\x1b[33m"); got != tt.coloured {
			t.Errorf("%+v: coloured is %v:\n%q", tt, got, pty.Raw())
		}
	}
}

func TestALogOfNobodySaysWhatToDo(t *testing.T) {
	controller := &fakeController{broken: map[string]string{"api": "TokenMissing"}}
	server := declares(t, controller, "web.yaml", goodSpec, "api.yaml", specNamed("api"))
	for name, tt := range map[string]struct {
		server, asked string
		says          []string
	}{
		"declared, and not Ready": {server, "api", []string{"api has no container: TokenMissing: env NOPE has no value", "'controller status api'"}},
		"declared by nobody":      {server, "wbe", []string{"wbe: no spec file declares it; do you mean web?"}},
		"no controller, mistyped": {"http://127.0.0.1:1", "weeb", []string{`weeb has no container of instance "default" on the engine; do you mean web?`, "no controller answers at http://127.0.0.1:1"}},
		"no controller, hostile":  {"http://127.0.0.1:1", "x\x1b[2J", []string{"x\ufffd[2J has no container"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, e := logConsole(t)
			logOf(e, "web", servingLine)
			code := c.run(t, "logs", tt.asked, "--server", tt.server)
			if code != 1 || c.out.String() != "" {
				t.Errorf("exit code %d, and prints %q", code, c.out.String())
			}
			for _, words := range tt.says {
				if !strings.Contains(c.err.String(), words) {
					t.Errorf("it does not say %q:\n%s", words, c.err.String())
				}
			}
			if found := steers.FindString(c.err.String()); found != "" {
				t.Errorf("%q is in %q", found, c.err.String())
			}
		})
	}
}

func TestACommandLineOfLogsThatIsWrong(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want int
		says string
	}{
		"no name":         {nil, 2, "NAME is missing: controller logs NAME"},
		"two names":       {[]string{"web", "api"}, 2, `"api" is one argument too many`},
		"a form":          {[]string{"web", "-o", "yaml"}, 2, "--output"},
		"a time":          {[]string{"web", "--since", "yesterday"}, 2, "since"},
		"a time to come":  {[]string{"web", "--since", "-5m"}, 2, "--since: -5m0s is not a time to look back"},
		"no engine":       {[]string{"web"}, 1, "no engine here"},
		"an address":      {[]string{"nobody", "--server", "http://[::1"}, 2, "--server"},
		"no number":       {[]string{"web", "--tail", "all"}, 2, "tail"},
		"a mistyped flag": {[]string{"web", "--folow"}, 2, "--follow"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := logConsole(t)
			if name == "no engine" {
				c.engineErr = fmt.Errorf("no engine here")
			}
			if code := c.run(t, append([]string{"logs"}, tt.args...)...); code != tt.want || !strings.Contains(c.err.String(), tt.says) {
				t.Errorf("exit code %d: %s", code, c.err.String())
			}
		})
	}
}

func TestALogThatNobodyReadsEnds(t *testing.T) {
	c, e := logConsole(t)
	logOf(e, "web", servingLine)
	reader, writer := pipe(t)
	c.terminal = writer
	ended := make(chan int, 1)
	go func() { ended <- c.run(t, "logs", "web", "-f") }()
	if _, err := bufio.NewReader(reader).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != codeClosedPipe || c.err.String() != "" {
		t.Errorf("exit code %d, and says %q", code, c.err.String())
	}
}

func lineOf(text string, cut bool) reconcile.LogLine { return reconcile.LogLine{Text: text, Cut: cut} }

func sourceOf(name string) reconcile.LogSource {
	return reconcile.LogSource{ContainerID: "0123456789abcdef", ContainerName: "cred-proxy-" + name, SpecName: name}
}

// FuzzLogLine holds, for anything that a container can write, that neither form of it steers a terminal or is more than one line, and that
// the one for programs is an object of JSON.
func FuzzLogLine(f *testing.F) {
	for _, line := range []string{requestLine, servingLine, warningLine, hostileLine, plainLine, "", "{}", `{"a":{"b":"\ud800"}}`, "{\"a\":\"\U000e0001\"}", `{"a":1,"a":2}`} {
		f.Add(line, false)
		f.Add(line, true)
	}
	f.Fuzz(func(t *testing.T, text string, cut bool) {
		text = strings.ReplaceAll(text, "\n", "") // lines are cut there
		line := lineOf(text, cut)
		if words := readLogLine(line).words + readLogLine(line).level; steers.MatchString(words) || strings.Contains(words, "\n") {
			t.Errorf("it says %q", words)
		}
		object := logObject(sourceOf("web"), line)
		var fields map[string]any
		if err := json.Unmarshal([]byte(object), &fields); err != nil || fields["containerID"] == nil {
			t.Errorf("%q is no object: %v", object, err)
		}
		if steers.MatchString(object) || strings.Contains(object, "\n") {
			t.Errorf("it is %q", object)
		}
	})
}
