package proxy

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/routetable"
)

// callerKey is what callers have to show, and what no upstream may see.
const callerKey = "k3y-of-the-callers-A"

func anySlot() *routetable.CallerAuth {
	return &routetable.CallerAuth{TokenFile: "CRED_PROXY_TOKEN_2"}
}

func inHeader(name string) *routetable.CallerAuth {
	return &routetable.CallerAuth{Header: name, TokenFile: "CRED_PROXY_TOKEN_2"}
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// guarded serves three routes to an upstream: /r with a token in Authorization, /h with one in X-Route-Key, /open with
// none.
func guarded(t *testing.T, who *routetable.CallerAuth) (*running, *recorder) {
	t.Helper()
	upstream := newRecorder(t)
	routes := []routetable.Route{
		{Path: "/r", Upstream: upstream.URL, Auth: bearer()},
		{Path: "/h", Upstream: upstream.URL, Auth: &routetable.Auth{Scheme: "Header", Header: "x-route-key", TokenFile: "CRED_PROXY_TOKEN_1"}},
		{Path: "/open", Upstream: upstream.URL},
	}
	proxy := serve(t, routes...)
	if err := proxy.Swap(loadFiles(t, sealFor(t, 1, who, callerKey, routes...))); err != nil {
		t.Fatal(err)
	}
	return proxy, upstream
}

// shows are ways to show a key that are accepted on every route; each is a header block.
func shows(key string) map[string]string {
	return map[string]string{
		"its own header":          "Cred-Proxy-Key: " + key + "\n",
		"in any case":             "cRED-pROXY-kEY: " + key + "\n",
		"with white space around": "Cred-Proxy-Key: \t " + key + " \t\n",
		"as a bearer token":       "Authorization: Bearer " + key + "\n",
		"as bEARER":               "Authorization: bEARER " + key + "\n",
		"behind two spaces":       "Authorization: Bearer  " + key + "\n",
		"as token":                "Authorization: token " + key + "\n",
		"as Token":                "authorization: Token " + key + "\n",
		"bare in Authorization":   "Authorization: " + key + "\n",
		"as a password":           "Authorization: " + basic("git", key) + "\n",
		"as a password alone":     "Authorization: bAsIc " + strings.TrimPrefix(basic("", key), "Basic ") + "\n",
		"as a user":               "Authorization: " + basic(key, "x-oauth-basic") + "\n",
		"as a user alone":         "Authorization: " + basic(key, "") + "\n",
		"to Anthropic":            "X-Api-Key: " + key + "\n",
		"to Google":               "x-goog-api-key: " + key + "\n",
		"to Azure":                "api-key: " + key + "\n",
		"besides a made-up one":   "Authorization: Bearer made-up\nCred-Proxy-Key: " + key + "\n",
		"named by Connection":     "Connection: cred-proxy-key, X-Api-Key\nCred-Proxy-Key: " + key + "\nX-Api-Key: " + key + "\n",
		"everywhere":              "Cred-Proxy-Key: " + key + "\nAuthorization: " + basic(key, key) + "\nX-Api-Key: " + key + "\nX_Api_Key: " + key + "\n",
	}
}

func TestTheKeyOpensEveryRouteAndIsTakenOut(t *testing.T) {
	for name, block := range shows(callerKey) {
		for _, path := range []string{"/r", "/h", "/open"} {
			t.Run(name+path, func(t *testing.T) {
				proxy, upstream := guarded(t, anySlot())
				res, body := raw(t, proxy.addr, lines("GET "+path+"/x HTTP/1.1\nHost: a\n"+block+"\n"))
				if res.StatusCode != http.StatusOK {
					t.Fatalf("status %d, %s", res.StatusCode, body)
				}
				wantNoKey(t, upstream.only(t))
			})
		}
	}
}

// wantNoKey checks that what arrived has the key nowhere, in no encoding of a header.
func wantNoKey(t *testing.T, got seen) {
	t.Helper()
	if all := fmt.Sprint(got); strings.Contains(all, callerKey) {
		t.Errorf("the key arrived: %s", all)
	}
	for _, value := range got.Header["Authorization"] {
		if value != "Bearer "+token {
			t.Errorf("arrived with Authorization: %s", value)
		}
	}
}

func TestTheKeyMayComeInTheHeaderOfTheRoute(t *testing.T) {
	proxy, upstream := guarded(t, anySlot())
	if res, body := get(t, proxy.url("/h/x"), "X-Route-Key", callerKey); res.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %s", res.StatusCode, body)
	}
	if got := upstream.only(t).Header["X-Route-Key"]; len(got) != 1 || got[0] != token {
		t.Errorf("arrived with X-Route-Key %q", got)
	}
	res, body := get(t, proxy.url("/r/x"), "X-Route-Key", callerKey)
	wantRefusal(t, res, body, http.StatusUnauthorized, "unauthorized")
}

func TestWhoDoesNotShowTheKeyIsServedNothing(t *testing.T) {
	blocks := map[string]string{
		"no key":                   "",
		"an empty one":             "Cred-Proxy-Key:\nAuthorization:\n",
		"in another header":        "X-Key: " + callerKey + "\n",
		"with underscores":         "Cred_Proxy_Key: " + callerKey + "\n",
		"for another proxy":        "Proxy-Authorization: Bearer " + callerKey + "\n",
		"in a cookie":              "Cookie: Cred-Proxy-Key=" + callerKey + "\n",
		"twice":                    "Cred-Proxy-Key: " + callerKey + "\ncred-proxy-key: " + callerKey + "\n",
		"beside another one":       "Authorization: Bearer " + callerKey + "\nauthorization: Bearer made-up\n",
		"one slot doubled":         "Cred-Proxy-Key: " + callerKey + "\nX-Api-Key: a\nX-Api-Key: b\n",
		"in a list":                "Cred-Proxy-Key: a, " + callerKey + "\n",
		"with another scheme":      "Authorization: Digest " + callerKey + "\n",
		"with a scheme elsewhere":  "X-Api-Key: Bearer " + callerKey + "\n",
		"behind a tab":             "Authorization: Bearer\t" + callerKey + "\n",
		"with more behind it":      "Authorization: Bearer " + callerKey + " x\n",
		"not in base64":            "Authorization: Basic git:" + callerKey + "\n",
		"in base64 without colon":  "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(callerKey)) + "\n",
		"in base64 without end":    "Authorization: " + strings.TrimRight(basic("g", callerKey), "=") + "\n",
		"folded":                   "Cred-Proxy-Key: " + callerKey[:4] + "\n " + callerKey[4:] + "\n",
		"the token":                "Authorization: Bearer " + token + "\n",
		"in the announced trailer": "Trailer: Cred-Proxy-Key\n",
	}
	for name, key := range map[string]string{
		"the beginning": callerKey[:len(callerKey)-1], "the end": callerKey[1:], "one more": callerKey + "A", "in capitals": strings.ToUpper(callerKey),
		"another last letter": callerKey[:len(callerKey)-1] + "B", "with a zero": callerKey + "%00", "very long": strings.Repeat(callerKey, 100),
	} {
		for how, block := range shows(key) {
			blocks[name+" "+how] = block
		}
	}
	for name, block := range blocks {
		t.Run(name, func(t *testing.T) {
			proxy, upstream := guarded(t, anySlot())
			res, body := raw(t, proxy.addr, lines("GET /r/x HTTP/1.1\nHost: a\n"+block+"\n"))
			wantUnauthorized(t, res, body, "Bearer", "Basic")
			if got := upstream.all(); len(got) != 0 {
				t.Errorf("the upstream received %+v", got)
			}
			if logged := proxy.log.String(); strings.Contains(logged, callerKey[1:8]) || strings.Contains(logged, token) {
				t.Errorf("the log shows what was sent: %s", logged)
			}
		})
	}
}

func wantUnauthorized(t *testing.T, res answer, body string, schemes ...string) {
	t.Helper()
	wantRefusal(t, res, body, http.StatusUnauthorized, "unauthorized")
	var challenged []string
	for _, challenge := range res.Header.Values("WWW-Authenticate") {
		scheme, parameters, _ := strings.Cut(challenge, " ")
		challenged = append(challenged, scheme)
		if !strings.HasPrefix(parameters, `realm="cred-proxy"`) {
			t.Errorf("the challenge is %q", challenge)
		}
	}
	if diff := cmp.Diff(schemes, challenged); diff != "" {
		t.Errorf("challenges (-want +got):\n%s", diff)
	}
	if all := body + fmt.Sprint(res.Header); strings.Contains(all, "/open") || strings.Contains(all, "/r") || strings.Contains(all, callerKey) {
		t.Errorf("the answer tells too much: %s", all)
	}
}

// TestTheKeyComesBeforeEverythingElse: who is unknown hears the same whatever they ask for.
func TestTheKeyComesBeforeEverythingElse(t *testing.T) {
	for _, request := range []string{
		"GET /r/x", "GET /nowhere", "GET /", "GET /r/../x", "GET /r//x", "GET /r/%2e%2e/", "GET http://evil.test/r/x", "OPTIONS *", "TRACE /r/x", "CONNECT evil.test:443",
	} {
		t.Run(request, func(t *testing.T) {
			proxy, upstream := guarded(t, anySlot())
			res, body := raw(t, proxy.addr, lines(request+" HTTP/1.1\nHost: a\n\n"))
			wantUnauthorized(t, res, body, "Bearer", "Basic")
			if got := upstream.all(); len(got) != 0 {
				t.Errorf("the upstream received %+v", got)
			}
		})
	}
}

// TestABodyIsNotReadBeforeTheKey: the answer comes although the body never does.
func TestABodyIsNotReadBeforeTheKey(t *testing.T) {
	for name, framing := range map[string]string{
		"announced": "Content-Length: 1000\n\n", "in chunks": "Transfer-Encoding: chunked\n\n", "if wanted": "Content-Length: 1000\nExpect: 100-continue\n\n",
		"with the key in a trailer": "Transfer-Encoding: chunked\nTrailer: Cred-Proxy-Key\n\n3\nabc\n0\nCred-Proxy-Key: " + callerKey + "\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			proxy, upstream := guarded(t, anySlot())
			res, body := raw(t, proxy.addr, lines("POST /open/x HTTP/1.1\nHost: a\n"+framing))
			wantUnauthorized(t, res, body, "Bearer", "Basic")
			if !res.Close {
				t.Error("the connection is kept for the body of somebody unknown")
			}
			if got := upstream.all(); len(got) != 0 {
				t.Errorf("the upstream received %+v", got)
			}
		})
	}
}

func TestTheKeyInATrailerDoesNotPass(t *testing.T) {
	proxy, upstream := guarded(t, anySlot())
	res, body := raw(t, proxy.addr, lines("POST /open/x HTTP/1.1\nHost: a\nCred-Proxy-Key: "+callerKey+
		"\nTransfer-Encoding: chunked\nTrailer: Cred-Proxy-Key\n\n3\nabc\n0\nCred-Proxy-Key: "+callerKey+"\n\n"))
	if res.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %s", res.StatusCode, body)
	}
	wantNoKey(t, upstream.only(t))
}

// TestEachRequestOfAConnectionShowsTheKey: what came before on a connection vouches for nobody.
func TestEachRequestOfAConnectionShowsTheKey(t *testing.T) {
	proxy, upstream := guarded(t, anySlot())
	conn := dial(t, proxy.addr)
	write(t, conn, lines("GET /r/1 HTTP/1.1\nHost: a\nCred-Proxy-Key: "+callerKey+"\n\nGET /r/2 HTTP/1.1\nHost: a\n\nGET /r/3 HTTP/1.1\nHost: a\nApi-Key: "+callerKey+"\n\n"))
	from := bufio.NewReader(conn)
	for i, want := range []int{http.StatusOK, http.StatusUnauthorized, http.StatusOK} {
		if res, body := readResponse(t, from); res.StatusCode != want {
			t.Errorf("request %d: status %d, %s", i+1, res.StatusCode, body)
		}
	}
	if got := upstream.all(); len(got) != 2 || got[1].Target != "/3" {
		t.Errorf("the upstream received %+v", got)
	}
}

func TestWithAHeaderTheKeyIsLookedForThereAlone(t *testing.T) {
	tests := []struct {
		name, header, block string
		served              bool
	}{
		{"there", "x-my_KEY", "X-My_Key: " + callerKey + "\n", true},
		{"elsewhere", "X-My-Key", "Cred-Proxy-Key: " + callerKey + "\nAuthorization: Bearer " + callerKey + "\nX-Api-Key: " + callerKey + "\n", false},
		{"with underscores", "X-My-Key", "X_My_Key: " + callerKey + "\n", false},
		{"twice", "X-My-Key", "X-My-Key: " + callerKey + "\nX-My-Key: " + callerKey + "\n", false},
		{"there and with underscores", "X-My-Key", "X_My_Key: " + callerKey + "\nX-My-Key: " + callerKey + "\n", true},
		{"there, among doubled others", "X-My-Key", "X-Api-Key: a\nX-Api-Key: b\nX-My-Key: " + callerKey + "\n", true},
		{"with a scheme", "X-My-Key", "X-My-Key: Bearer " + callerKey + "\n", false},
		{"named by Connection", "X-My-Key", "Connection: X-My-Key\nX-My-Key: " + callerKey + "\n", true},
		{"in Authorization", "Authorization", "Authorization: " + basic("git", callerKey) + "\n", true},
		{"not in Authorization", "Authorization", "X-Api-Key: " + callerKey + "\n", false},
		{"in a route's own header", "X-Route-Key", "X-Route-Key: " + callerKey + "\n", true},
	}
	for _, tt := range tests {
		for _, path := range []string{"/r/x", "/h/x", "/open/x"} {
			t.Run(tt.name+path, func(t *testing.T) {
				proxy, upstream := guarded(t, inHeader(tt.header))
				res, body := raw(t, proxy.addr, lines("GET "+path+" HTTP/1.1\nHost: a\n"+tt.block+"\n"))
				if tt.served {
					if res.StatusCode != http.StatusOK {
						t.Fatalf("status %d, %s", res.StatusCode, body)
					}
					wantNoKey(t, upstream.only(t))
					return
				}
				schemes := []string{"Cred-Proxy-Key"}
				if tt.header == "Authorization" {
					schemes = []string{"Bearer", "Basic"}
				}
				wantUnauthorized(t, res, body, schemes...)
				if !strings.Contains(body, tt.header) || len(upstream.all()) != 0 {
					t.Errorf("answered %s; the upstream received %+v", body, upstream.all())
				}
			})
		}
	}
}

func TestAWebSocketNeedsTheKeyToo(t *testing.T) {
	url, handshakes := echo(t)
	routes := []routetable.Route{{Path: "/r", Upstream: url, Auth: bearer()}}
	proxy := serve(t, routes...)
	if err := proxy.Swap(loadFiles(t, sealFor(t, 1, anySlot(), callerKey, routes...))); err != nil {
		t.Fatal(err)
	}
	offer := "GET /r/ws HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: x\n"
	res, body := raw(t, proxy.addr, lines(offer+"\n"))
	wantUnauthorized(t, res, body, "Bearer", "Basic")

	conn := dial(t, proxy.addr)
	write(t, conn, lines(offer+"Cred-Proxy-Key: "+callerKey+"\n\n"))
	wantSwitch(t, bufio.NewReader(conn))
	if got := <-handshakes; strings.Contains(fmt.Sprint(got), callerKey) || got.Get("Authorization") != "Bearer "+token {
		t.Errorf("the upstream saw %v", got)
	}
}

func TestWithoutItsKeyASidecarServesNobody(t *testing.T) {
	proxy, upstream := guarded(t, &routetable.CallerAuth{TokenEnv: "CRED_PROXY_TOKEN_2"})
	for _, header := range [][]string{nil, {"Cred-Proxy-Key", callerKey}, {"Cred-Proxy-Key", ""}, {"Authorization", basic("", "")}} {
		for _, path := range []string{"/r/x", "/open/x", "/nowhere"} {
			res, body := get(t, proxy.url(path), header...)
			wantRefusal(t, res, body, http.StatusServiceUnavailable, "no_token")
		}
	}
	if got := upstream.all(); len(got) != 0 {
		t.Errorf("the upstream received %+v", got)
	}
}

func TestAReloadChangesTheKey(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	upstream := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/slow") {
			close(begun)
			<-end
		}
		_, _ = io.WriteString(w, "served")
	})
	routes := []routetable.Route{{Path: "/r", Upstream: upstream, Auth: bearer()}}
	s := start(t, newMachine(internal()), nil)
	s.push(t, sealFor(t, 1, anySlot(), callerKey, routes...))
	s.wantReport(t, ready(1))
	url := "http://" + s.addr(internal()) + "/r"
	slow := make(chan string)
	go func() {
		_, body := get(t, url+"/slow", "Cred-Proxy-Key", callerKey)
		slow <- body
	}()
	<-begun

	const next = "an0ther-key-of-the-callers"
	s.push(t, sealFor(t, 2, anySlot(), next, routes...))
	s.signals <- syscall.SIGHUP
	s.wantReport(t, routetable.Report{Event: routetable.EventReloaded, Generation: 2, Serving: true})
	if res, _ := get(t, url, "Cred-Proxy-Key", callerKey); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("with the old key: status %d", res.StatusCode)
	}
	if res, _ := get(t, url, "Cred-Proxy-Key", next); res.StatusCode != http.StatusOK {
		t.Errorf("with the new key: status %d", res.StatusCode)
	}
	close(end)
	if body := <-slow; body != "served" {
		t.Errorf("the request in flight got %q", body)
	}
	if logged := s.log.String(); strings.Contains(logged, callerKey) || strings.Contains(logged, next) {
		t.Errorf("the log shows a key: %s", logged)
	}

	s.push(t, seal(t, 3, routes...))
	s.signals <- syscall.SIGHUP
	s.wantReport(t, routetable.Report{Event: routetable.EventReloaded, Generation: 3, Serving: true})
	if res, _ := get(t, url); res.StatusCode != http.StatusOK {
		t.Errorf("without callerAuth: status %d", res.StatusCode)
	}
}

func TestTheKeyIsNeverPrinted(t *testing.T) {
	loaded := loadFiles(t, sealFor(t, 1, anySlot(), callerKey, routeTo("https://a.test")))
	c := newCallers(&loaded)
	all := fmt.Sprintf("%v %+v %#v", c, *c, *c)
	for _, form := range []string{callerKey, fmt.Sprintf("%x", callerKey), c.digest.Reveal(), fmt.Sprintf("%x", c.digest.Reveal())} {
		if strings.Contains(all, form) {
			t.Errorf("printed: %s", all)
		}
	}
}

// FuzzCallers holds that nobody is known whose field does not hold the whole key, and that all who send it in one of the
// ways that are documented are.
func FuzzCallers(f *testing.F) {
	f.Add(uint8(1), "Bearer "+callerKey)
	f.Add(uint8(1), basic("a", callerKey))
	f.Add(uint8(0), callerKey[:5])
	loaded := loadFiles(f, sealFor(f, 1, anySlot(), callerKey, routeTo("https://a.test")))
	c := newCallers(&loaded)
	f.Fuzz(func(t *testing.T, which uint8, value string) {
		slots := clientSlots()
		field := slots[int(which)%len(slots)]
		_, encoded, _ := strings.Cut(value, " ")
		decoded, _ := base64.StdEncoding.DecodeString(strings.TrimLeft(encoded, " "))
		holds := strings.Contains(value, callerKey) || strings.Contains(string(decoded), callerKey)
		if c.know(http.Header{field: {value}}, nil) && !holds {
			t.Errorf("%s: %q is taken for the key", field, value)
		}
		if c.know(http.Header{field: {value, callerKey}}, nil) {
			t.Errorf("%s: one of two values is taken", field)
		}
		if routetable.CheckCallerKey(value) != nil {
			return
		}
		own := loadFiles(t, sealFor(t, 1, anySlot(), value, routeTo("https://a.test")))
		for _, h := range []http.Header{
			{field: {value}}, {"Authorization": {"Bearer " + value}}, {"Authorization": {"TOKEN " + value}},
			{"Authorization": {basic("git", value)}}, {"Authorization": {basic(value, "")}},
		} {
			if !newCallers(&own).know(h, nil) {
				t.Errorf("%v does not show the key", h)
			}
		}
	})
}

// TestTheKeyIsComparedInConstantTimeOnly: timings cannot be asserted, so this holds what they follow from.
func TestTheKeyIsComparedInConstantTimeOnly(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var uses []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "digest.Reveal()") && !strings.HasSuffix(file, "_test.go") {
				uses = append(uses, strings.TrimSpace(line))
			}
		}
	}
	want := []string{"return subtle.ConstantTimeCompare(sum[:], []byte(c.digest.Reveal()))"}
	if diff := cmp.Diff(want, uses); diff != "" {
		t.Errorf("where the key's digest is looked at (-want +got):\n%s", diff)
	}
}
