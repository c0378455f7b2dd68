package proxy

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/routetable"
)

// second is the token in slot 2, of routes that have two.
const second = "s3cond & t/ken=ü"

// custom is an auth of the tokens one and two.
func custom(a routetable.Auth) *routetable.Auth {
	a.Scheme = "Custom"
	a.Tokens = map[string]routetable.TokenPlace{"one": {TokenFile: "CRED_PROXY_TOKEN_1"}, "two": {TokenFile: "CRED_PROXY_TOKEN_2"}}
	return &a
}

// everything adds in every way.
func everything() *routetable.Auth {
	return custom(routetable.Auth{
		Headers: []routetable.Addition{
			{Name: "x-app-key", Value: "{one}"}, {Name: "X-Both", Value: "k={one}; {{s}}={two}"}, {Name: "anthropic-version", Value: "2023-06-01"},
		},
		Query: []routetable.Addition{{Name: "key", Value: "{two}"}, {Name: "v", Value: "1 2"}},
		Basic: &routetable.Basic{Username: "{one}", Password: "{two}"},
	})
}

func keyInQuery() *routetable.Auth {
	return &routetable.Auth{
		Scheme: "Custom", Tokens: map[string]routetable.TokenPlace{"k": {TokenFile: "CRED_PROXY_TOKEN_1"}},
		Query: []routetable.Addition{{Name: "api.key", Value: "{k}"}},
	}
}

// serveTwo serves routes with a token in each of two slots.
func serveTwo(t testing.TB, routes ...routetable.Route) *running {
	t.Helper()
	proxy := serve(t, routetable.Route{Path: "/none", Upstream: routes[0].Upstream})
	if err := proxy.Swap(loadFiles(t, sealFor(t, 2, nil, second, routes...))); err != nil {
		t.Fatal(err)
	}
	return proxy
}

func TestSeveralCredentialsAreAddedAtOnce(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serveTwo(t, routetable.Route{Path: "/r", Upstream: upstream.URL + "/base", Auth: everything()})
	res, _ := raw(t, proxy.addr, lines("\nGET /r/x?b=2&a=%20 HTTP/1.1\nHost: a\nX-App-Key: evil\nx_app_key: evil\nX_BOTH: evil\nAuthorization: evil\n"+
		"Anthropic-Version: evil\nanthropic_version: evil\nX-Keep: me\n\n"))
	if res.StatusCode != http.StatusOK {
		t.Fatalf("status %d", res.StatusCode)
	}
	want := seen{
		Method: "GET", Target: "/base/x?key=s3cond%20%26%20t%2Fken%3D%C3%BC&v=1%202&b=2&a=%20", Host: strings.TrimPrefix(upstream.URL, "http://"),
		Header: http.Header{
			"X-App-Key": {token}, "X-Both": {"k=" + token + "; {s}=" + second}, "Anthropic-Version": {"2023-06-01"}, "X-Keep": {"me"},
			"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(token+":"+second))}, "Accept-Encoding": {"identity"},
		},
	}
	if diff := cmp.Diff(want, upstream.only(t)); diff != "" {
		t.Errorf("(-want +arrived)\n%s", diff)
	}
}

func TestEitherHalfOfBasicMayBeTheToken(t *testing.T) {
	for want, halves := range map[string]routetable.Basic{
		token + ":": {Username: "{one}"}, ":" + token: {Password: "{one}"}, "x-{" + token + "}:" + token: {Username: "x-{{{one}}}", Password: "{one}"},
	} {
		upstream := newRecorder(t)
		auth := &routetable.Auth{Scheme: "Custom", Basic: &halves, Tokens: map[string]routetable.TokenPlace{"one": {TokenFile: "CRED_PROXY_TOKEN_1"}}}
		proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: auth})
		_, _ = get(t, proxy.url("/r"))
		if got := upstream.only(t).Header["Authorization"]; len(got) != 1 || got[0] != "Basic "+base64.StdEncoding.EncodeToString([]byte(want)) {
			t.Errorf("%+v is sent as %q", halves, got)
		}
	}
}

func TestARouteThatLacksOneOfItsTokensSendsNothing(t *testing.T) {
	upstream := newRecorder(t)
	auth := everything()
	auth.Tokens["two"] = routetable.TokenPlace{TokenEnv: "CRED_PROXY_TOKEN_2"}
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: auth})
	res, body := get(t, proxy.url("/r/x"))
	wantRefusal(t, res, body, http.StatusServiceUnavailable, "no_token")
	if got := upstream.all(); len(got) != 0 {
		t.Errorf("the upstream received %+v", got)
	}
}

// TestWhatOneRouteAddsNoClientBringsToAnother: a field that holds a credential for one upstream may hold one for another, and
// so may a parameter of the same upstream.
func TestWhatOneRouteAddsNoClientBringsToAnother(t *testing.T) {
	upstream, other := newRecorder(t), newRecorder(t)
	proxy := serveTwo(t,
		routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: everything()},
		routetable.Route{Path: "/same", Upstream: upstream.URL + "/same"},
		routetable.Route{Path: "/other", Upstream: other.URL, Auth: bearer(), Unscrubbed: true},
		routetable.Route{Path: "/cookie", Upstream: other.URL, Auth: &routetable.Auth{Scheme: "Header", Header: "cookie", TokenFile: "CRED_PROXY_TOKEN_1"}, Unscrubbed: true})
	sent := "?key=evil&v=2 HTTP/1.1\nHost: a\nX-App-Key: evil\nx_both: evil\nAnthropic-Version: mine\nCookie: a=b\n\n"
	for path, want := range map[string]struct {
		at     *recorder
		target string
		header http.Header
	}{
		"/same": {upstream, "/same?v=2", http.Header{"Anthropic-Version": {"mine"}, "Cookie": {"a=b"}}},
		"/other": {other, "/?key=evil&v=2", http.Header{
			"Anthropic-Version": {"mine"}, "Cookie": {"a=b"}, "Authorization": {"Bearer " + token},
		}},
		"/cookie": {other, "/?key=evil&v=2", http.Header{"Anthropic-Version": {"mine"}, "Cookie": {token}}},
	} {
		before := len(want.at.all())
		if res, body := raw(t, proxy.addr, lines("GET "+path+sent)); res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", path, res.StatusCode, body)
		}
		got := want.at.all()[before]
		if got.Target != want.target {
			t.Errorf("%s: asked for %s, want %s", path, got.Target, want.target)
		}
		if diff := cmp.Diff(want.header, got.Header); diff != "" {
			t.Errorf("%s (-want +arrived):\n%s", path, diff)
		}
	}
}

// TestParametersInThePlaceOfACredentialDoNotPass sends api.key, the parameter that the route adds, in every way in which a
// server could find it.
func TestParametersInThePlaceOfACredentialDoNotPass(t *testing.T) {
	ours := "api.key=" + token
	tests := map[string]struct{ sent, want string }{
		"nothing":                 {"", ours},
		"an empty query":          {"?", ours},
		"others alone":            {"?b=2&a=%zz&&c;d=%20", ours + "&b=2&a=%zz&&c;d=%20"},
		"the parameter":           {"?api.key=evil", ours},
		"first":                   {"?api.key=evil&b=2", ours + "&b=2"},
		"in the middle":           {"?a=1&api.key=evil&b=2", ours + "&a=1&b=2"},
		"last":                    {"?a=1&api.key=evil", ours + "&a=1"},
		"often":                   {"?api.key=evil&a=1&api.key=evil&api.key", ours + "&a=1"},
		"without a value":         {"?api.key", ours},
		"behind a semicolon":      {"?a=1;api.key=evil&b=2", ours + "&a=1&b=2"},
		"before a semicolon":      {"?api.key=evil;b=2", ours + "&b=2"},
		"in another case":         {"?API.Key=evil&b=2", ours + "&b=2"},
		"encoded":                 {"?%61pi%2ekey=evil&b=2", ours + "&b=2"},
		"encoded twice":           {"?%2561pi.key=evil&b=2", ours + "&b=2"},
		"encoded over and over":   {"?%25252525252561=evil&b=2", ours + "&b=2"},
		"encoded equals sign":     {"?api.key%3Devil&b=2", ours + "&b=2"},
		"beside a bad encoding":   {"?api%2ekey%zz=1&%61pi.key=evil", ours + "&api%2ekey%zz=1"},
		"as a list":               {"?api.key[]=evil&api.key[0]=evil&api.key%5B%5D=evil&b=2", ours + "&b=2"},
		"as PHP names it":         {"?api_key=evil&api+key=evil&api%20key=evil&api[key=evil&b=2", ours + "&b=2"},
		"behind a space":          {"?+api.key=evil&%20%09api.key=evil&api.key+=evil&b=2", ours + "&b=2"},
		"before a NUL":            {"?api.key%00x=evil&b=2", ours + "&b=2"},
		"behind a question mark":  {"??api.key=evil&b=2", ours + "&b=2"},
		"in letters that fold":    {"?api.\u212aey=evil&api.%e2%84%aaey=evil&b=2", ours + "&b=2"},
		"before a fragment":       {"?b=2#x&api.key=evil", ours + "&b=2#x"},
		"names that only look so": {"?apikey=1&api-key=2&xapi.key=3&api.keys=4&key=5&a=api.key", ours + "&apikey=1&api-key=2&xapi.key=3&api.keys=4&key=5&a=api.key"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			upstream := newRecorder(t)
			proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: keyInQuery()})
			res, body := raw(t, proxy.addr, lines("GET /r/x"+tt.sent+" HTTP/1.1\nHost: a\n\n"))
			if res.StatusCode != http.StatusOK {
				t.Fatalf("%d %s", res.StatusCode, body)
			}
			if got := upstream.only(t).Target; got != "/x?"+tt.want {
				t.Errorf("asked for %s\nwant       /x?%s", got, tt.want)
			}
		})
	}
}

func TestWhatPassesIsTheClientsOwnAlone(t *testing.T) {
	const mine = "Authorization: Bearer mine\nX-Api-Key: mine\nApi-Key: mine\nX-Other: mine\nProxy-Authorization: mine\nproxy_authorization: mine\n" +
		"Cred-Proxy-Key: mine\ncred_proxy_key: mine\nX-Forwarded-For: 1.2.3.4\n"
	other := &routetable.Auth{
		Scheme: "Custom", Tokens: map[string]routetable.TokenPlace{"k": {TokenFile: "CRED_PROXY_TOKEN_1"}},
		Headers: []routetable.Addition{{Name: "X-Other", Value: "{k}"}}, Query: []routetable.Addition{{Name: "key", Value: "{k}"}},
	}
	tests := map[string]struct {
		auth   *routetable.Auth
		target string
		want   http.Header
	}{
		"without auth": {nil, "/?key=mine", http.Header{"Authorization": {"Bearer mine"}, "X-Api-Key": {"mine"}, "Api-Key": {"mine"}, "X-Other": {"mine"}}},
		"with a token": {bearer(), "/?key=mine", http.Header{"Authorization": {"Bearer " + token}, "X-Api-Key": {"mine"}, "Api-Key": {"mine"}, "X-Other": {"mine"}}},
		"with a header": {&routetable.Auth{Scheme: "Header", Header: "X-Api_Key", TokenFile: "CRED_PROXY_TOKEN_1"}, "/?key=mine",
			http.Header{"Authorization": {"Bearer mine"}, "X-Api_key": {token}, "Api-Key": {"mine"}, "X-Other": {"mine"}}},
		"with all": {other, "/?key=" + token, http.Header{"Authorization": {"Bearer mine"}, "X-Api-Key": {"mine"}, "Api-Key": {"mine"}, "X-Other": {token}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			upstream := newRecorder(t)
			proxy := serve(t,
				routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: tt.auth, PassCredentials: true, Unscrubbed: true},
				routetable.Route{Path: "/else", Upstream: upstream.URL, Auth: other})
			if res, body := raw(t, proxy.addr, lines("GET /r?key=mine HTTP/1.1\nHost: a\n"+mine+"\n")); res.StatusCode != http.StatusOK {
				t.Fatalf("%d %s", res.StatusCode, body)
			}
			got := upstream.only(t)
			if diff := cmp.Diff(tt.want, got.Header); diff != "" || got.Target != tt.target {
				t.Errorf("asked for %s (-want +arrived):\n%s", got.Target, diff)
			}
		})
	}
}

func TestTheCallerKeyNeverPasses(t *testing.T) {
	const mine = "X-Api-Key: mine\n"
	for name, tt := range map[string]struct {
		who  *routetable.CallerAuth
		sent string
		want http.Header
	}{
		"in Authorization":        {anySlot(), "Authorization: Bearer " + callerKey + "\n" + mine, http.Header{"X-Api-Key": {"mine"}}},
		"in Basic":                {anySlot(), "Authorization: " + basic("git", callerKey) + "\n" + mine, http.Header{"X-Api-Key": {"mine"}}},
		"in an API key":           {anySlot(), "X-Api-Key: " + callerKey + "\nAuthorization: Bearer mine\n", http.Header{"Authorization": {"Bearer mine"}}},
		"in two places":           {anySlot(), "X-Api-Key: " + callerKey + "\nApi-Key: " + callerKey + "\n", http.Header{}},
		"in the sidecar's own":    {anySlot(), "Cred-Proxy-Key: " + callerKey + "\n" + mine, http.Header{"X-Api-Key": {"mine"}}},
		"with underscores too":    {anySlot(), "Api-Key: " + callerKey + "\napi_key: " + callerKey + "\n" + mine, http.Header{"X-Api-Key": {"mine"}}},
		"in a header of its own":  {&routetable.CallerAuth{Header: "X-Mine", TokenFile: "CRED_PROXY_TOKEN_2"}, "X-Mine: " + callerKey + "\nx_mine: a\n" + mine, http.Header{"X-Api-Key": {"mine"}}},
		"beside one, by mistake":  {&routetable.CallerAuth{Header: "X-Mine", TokenFile: "CRED_PROXY_TOKEN_2"}, "X-Mine: " + callerKey + "\nApi-Key: " + callerKey + "\n" + mine, http.Header{"X-Api-Key": {"mine"}}},
		"among others of a field": {&routetable.CallerAuth{Header: "X-Mine", TokenFile: "CRED_PROXY_TOKEN_2"}, "X-Mine: " + callerKey + "\nApi-Key: a\nApi-Key: " + callerKey + "\n" + mine, http.Header{"X-Api-Key": {"mine"}}},
	} {
		t.Run(name, func(t *testing.T) {
			upstream := newRecorder(t)
			proxy := serve(t, routetable.Route{Path: "/none", Upstream: upstream.URL})
			route := routetable.Route{Path: "/r", Upstream: upstream.URL, PassCredentials: true}
			if err := proxy.Swap(loadFiles(t, sealFor(t, 2, tt.who, callerKey, route))); err != nil {
				t.Fatal(err)
			}
			if res, body := raw(t, proxy.addr, lines("GET /r HTTP/1.1\nHost: a\n"+tt.sent+"\n")); res.StatusCode != http.StatusOK {
				t.Fatalf("%d %s", res.StatusCode, body)
			}
			if diff := cmp.Diff(tt.want, upstream.only(t).Header); diff != "" {
				t.Errorf("(-want +arrived):\n%s", diff)
			}
		})
	}
}

func TestTheKeyMayComeInEveryHeaderWithATokenOfTheRoute(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routetable.Route{Path: "/none", Upstream: upstream.URL})
	auth := &routetable.Auth{
		Scheme: "Custom", Tokens: map[string]routetable.TokenPlace{"k": {TokenFile: "CRED_PROXY_TOKEN_1"}},
		Headers: []routetable.Addition{{Name: "X-One", Value: "{k}"}, {Name: "X-Two", Value: "{k}"}, {Name: "X-Version", Value: "1"}},
	}
	if err := proxy.Swap(loadFiles(t, sealFor(t, 2, anySlot(), callerKey, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: auth}))); err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]int{"X-One": 200, "X-Two": 200, "X-Version": 401, "X-Else": 401} {
		if res, _ := get(t, proxy.url("/r"), header, callerKey); res.StatusCode != want {
			t.Errorf("the key in %s: %d, want %d", header, res.StatusCode, want)
		}
	}
}

func TestSeveralCredentialsAreNeverPrinted(t *testing.T) {
	loaded := loadFiles(t, sealFor(t, 1, nil, second, routetable.Route{Path: "/r", Upstream: "https://a.test", Auth: everything()}))
	table, err := newTable(loaded, always(nil).through)
	if err != nil {
		t.Fatal(err)
	}
	c := table.routes[0].credential
	all := fmt.Sprintf("%v %+v %#v %v %+v %#v %+v", c, *c, *c, c.headers, c.headers[0], c.headers, table.routes[0])
	for _, value := range []string{token, second, c.headers[3].values[0], "t%2Fken"} {
		if strings.Contains(all, value) {
			t.Errorf("printed: %s", all)
		}
	}
}

// TestBytesBeyondASCIIAreEncodedInTheQuery: servers do not agree on what others mean in a request's first line.
func TestBytesBeyondASCIIAreEncodedInTheQuery(t *testing.T) {
	for sent, want := range map[string]string{
		"": "", "a=%c3%a4&b=+": "a=%c3%a4&b=+", "a=\u00e4": "a=%C3%A4", "\xff&a=\u2028b": "%FF&a=%E2%80%A8b",
	} {
		if got := inASCII(sent); got != want {
			t.Errorf("%q becomes %q, not %q", sent, got, want)
		}
	}
}

// FuzzQuery holds that what a route adds is there once, and that nothing a client sends is understood as its parameter.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "api.key=evil", "a;api.key=b", "%61pi.key", "a&&;;=", "api.key[]", "?api.key", "+api_key=%", "%2561pi.key"} {
		f.Add(seed)
	}
	loaded := load(f, routetable.Route{Path: "/r", Upstream: "https://a.test", Auth: keyInQuery()})
	table, err := newTable(loaded, always(nil).through)
	if err != nil {
		f.Fatal(err)
	}
	rt, ours := table.routes[0], "api.key="+token
	f.Fuzz(func(t *testing.T, sent string) {
		got := rt.query(sent)
		rest, ok := strings.CutPrefix(got, ours)
		if !ok || rest != "" && rest[0] != '&' {
			t.Fatalf("%q becomes %q", sent, got)
		}
		rest = strings.TrimPrefix(rest, "&")
		if again := withoutParams(rest, rt.takenParams); again != rest {
			t.Errorf("%q left %q, of which %q stays", sent, rest, again)
		}
		for pair := range strings.FieldsFuncSeq(rest, func(r rune) bool { return r == '&' || r == ';' }) {
			name, _, _ := strings.Cut(decodeOnce(decodeOnce(pair)), "=")
			if strings.EqualFold(name, "api.key") || strings.EqualFold(name, "api_key") {
				t.Errorf("%q arrives as %q", sent, got)
			}
			if !strings.Contains(sent, pair) {
				t.Errorf("%q is nothing of %q", pair, sent)
			}
		}
	})
}
