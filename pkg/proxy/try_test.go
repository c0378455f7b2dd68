package proxy

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

// tried runs the command as a container does.
func tried(t *testing.T, env map[string]string, args ...string) routetable.Trial {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Try(t.Context(), args, func(name string) string { return env[name] }, &stdout, &stderr)
	trial, err := routetable.ParseTrial(stdout.Bytes())
	if code != 0 || err != nil || stderr.Len() > 0 {
		t.Fatalf("it ends with %d, %v: %q %q", code, err, &stdout, &stderr)
	}
	if strings.Count(stdout.String(), "\n") != 1 {
		t.Errorf("it says more than one line: %q", &stdout)
	}
	return trial
}

func TestTryTellsWhatAnAgentWouldGet(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()})
	trial := tried(t, nil, "-X", "POST", proxy.url("/r/x?q=1"))
	if trial.Status != 200 || trial.Route != "/r" || trial.Credential != "added" || trial.Length != int64(len("upstream saw 1")) ||
		!strings.HasPrefix(trial.ContentType, "text/plain") || trial.Code+trial.Stage+trial.Message != "" {
		t.Errorf("%+v", trial)
	}
	if got := upstream.only(t); got.Method != http.MethodPost || got.Target != "/x?q=1" || got.Body != "" {
		t.Errorf("the upstream saw %+v", got)
	}
	trial = tried(t, nil, proxy.url("/none"))
	if trial.Status != 404 || trial.Code != "no_route" || !strings.Contains(trial.Message, "the routes are /r") || trial.Route != "" || trial.Credential != "none" {
		t.Errorf("%+v", trial)
	}
}

func TestTryTellsHowFarTheSidecarGot(t *testing.T) {
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: "http://" + refusedAddress(t)})
	trial := tried(t, nil, proxy.url("/r"))
	if trial.Status != 502 || trial.Code != "upstream_unreachable" || trial.Stage != "connect" || !strings.Contains(trial.Message, "refused the connection") {
		t.Errorf("%+v", trial)
	}
}

func TestTryTellsWhyTheSidecarIsOutOfReach(t *testing.T) {
	closes := rawUpstream(t, func(conn net.Conn, _ *http.Request) { _ = conn.Close() })
	for stage, args := range map[string][]string{
		"connect":  {"http://" + refusedAddress(t)},
		"timeout":  {"-timeout", "200ms", "http://" + silent(t)},
		"exchange": {closes},
	} {
		if trial := tried(t, nil, args...); trial.Status != 0 || trial.Stage != stage || trial.Message == "" {
			t.Errorf("%s: %+v", stage, trial)
		}
	}
}

// Of an upstream's answer only status, type and length are told, and of a redirect nothing more either.
func TestTryDoesNotTellAnUpstreamsWords(t *testing.T) {
	upstream := rawUpstream(t, func(conn net.Conn, _ *http.Request) {
		_, _ = io.WriteString(conn, "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/secret\r\nX-Secret: secret\r\nContent-Type: text/plain\r\n\r\n{\"message\":\"secret\"}")
	})
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream})
	trial := tried(t, nil, proxy.url("/r"))
	if strings.Contains(string(trial.Line()), "secret") || trial.Status != 302 || trial.ContentType != "text/plain" || trial.Length != -1 {
		t.Errorf("%+v", trial)
	}
}

func TestTryShowsTheCallersKeyToTheSidecarAlone(t *testing.T) {
	var got string
	sidecar := newRecorder(t)
	trial := tried(t, map[string]string{routetable.TrialKeyVariable: "k3y"}, sidecar.URL)
	if got = sidecar.only(t).Header.Get(routetable.FieldKey); got != "k3y" || strings.Contains(string(trial.Line()), "k3y") {
		t.Errorf("the sidecar saw %q, and told is %+v", got, trial)
	}
	proxy, _ := guarded(t, inHeader("X-My-Key"))
	trial = tried(t, map[string]string{routetable.TrialKeyVariable: callerKey}, "-key-header", "X-My-Key", proxy.url("/r/x"))
	if trial.Status != 200 || trial.Route != "/r" || strings.Contains(string(trial.Line()), callerKey) {
		t.Errorf("in a header of the spec's own: told is %+v", trial)
	}
	trial = tried(t, nil, proxy.url("/r/x"))
	if trial.Status != 401 || trial.Code != "unauthorized" || trial.Route != "" {
		t.Errorf("without the key: told is %+v", trial)
	}
}

func TestTrysCommandLineIsChecked(t *testing.T) {
	for _, args := range [][]string{{}, {"http://a", "http://b"}, {"-X", "NO WAY", "http://a"}, {"-nonsense", "http://a"}, {"http://a b"}} {
		var stdout, stderr bytes.Buffer
		if code := Try(t.Context(), args, noEnv, &stdout, &stderr); code != 2 || stdout.Len() > 0 || stderr.Len() == 0 {
			t.Errorf("%q ends with %d, %q %q", args, code, &stdout, &stderr)
		}
	}
}
