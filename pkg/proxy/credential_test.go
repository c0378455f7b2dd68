package proxy

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/routetable"
)

func TestEachSchemeAddsItsCredential(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + token))
	tests := map[string]struct {
		auth        *routetable.Auth
		header, add string
	}{
		"Bearer": {bearer(), "Authorization", "Bearer " + token},
		"Token":  {&routetable.Auth{Scheme: "Token", TokenFile: "CRED_PROXY_TOKEN_1"}, "Authorization", "token " + token},
		"Basic":  {&routetable.Auth{Scheme: "Basic", Username: "x-access-token", TokenFile: "CRED_PROXY_TOKEN_1"}, "Authorization", "Basic " + basic},
		"Header": {&routetable.Auth{Scheme: "Header", Header: "x-goog-API-key", TokenFile: "CRED_PROXY_TOKEN_1"}, "X-Goog-Api-Key", token},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			upstream := newRecorder(t)
			proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL + "/base", Auth: tt.auth})
			res, body := get(t, proxy.url("/r/x?q=%20a"), tt.header, "client's own", "X-Keep", "me")
			if res.StatusCode != http.StatusOK || body != "upstream saw 1" {
				t.Fatalf("status %d, %q", res.StatusCode, body)
			}
			got := upstream.only(t)
			if diff := cmp.Diff([]string{tt.add}, got.Header[tt.header]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.header, diff)
			}
			if got.Target != "/base/x?q=%20a" || got.Host != strings.TrimPrefix(upstream.URL, "http://") {
				t.Errorf("asked for %s of %s", got.Target, got.Host)
			}
			if got.Header.Get("X-Keep") != "me" {
				t.Error("another header was lost")
			}
		})
	}
}

// credentials are ways to bring one; each is a header block.
func credentials() map[string]string {
	return map[string]string{
		"Authorization":             "Authorization: Bearer evil\n",
		"odd case":                  "aUTHORIZATION: Bearer evil\n",
		"doubled":                   "Authorization: Bearer evil\nauthorization: Basic evil\nAUTHORIZATION: evil\n",
		"empty, then one":           "Authorization:\nAuthorization: evil\n",
		"Proxy-Authorization":       "Proxy-Authorization: Basic evil\n",
		"X-Api-Key":                 "X-Api-Key: evil\nx-api-key: evil\n",
		"X-Goog-Api-Key":            "X-Goog-Api-Key: evil\n",
		"Api-Key":                   "api-key: evil\n",
		"Cred-Proxy-Key":            "cred-proxy-key: evil\nCRED_PROXY_KEY: evil\n",
		"underscores":               "X_Api_Key: evil\nproxy_authorization: evil\nX-Api_Key: evil\n",
		"own header":                "X-Route-Key: evil\nx-route-key: evil\nX_ROUTE-KEY: evil\n",
		"named by Connection":       "Connection: Authorization, X-Api-Key, X-Route-Key\nAuthorization: evil\nX-Route-Key: evil\n",
		"behind a bare line feed":   "X-Any: a\x00Authorization: evil\n",
		"in a trailer announcement": "Trailer: Authorization\n",
	}
}

func TestClientCredentialsNeverPass(t *testing.T) {
	header := &routetable.Auth{Scheme: "Header", Header: "X-Route-Key", TokenFile: "CRED_PROXY_TOKEN_1"}
	for kind, auth := range map[string]*routetable.Auth{"with a token": bearer(), "with a header": header, "without": nil} {
		for name, block := range credentials() {
			t.Run(kind+"/"+name, func(t *testing.T) {
				upstream := newRecorder(t)
				proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: auth})
				request := lines("GET /r/x HTTP/1.1\nHost: a\n" + block + "\n")
				res, _ := raw(t, proxy.addr, strings.ReplaceAll(request, "\x00", "\n"))
				if res.StatusCode != http.StatusOK {
					t.Fatalf("status %d", res.StatusCode)
				}
				wantOnlyOurs(t, upstream.only(t), auth)
			})
		}
	}
}

// wantOnlyOurs checks that the route's credential arrived once, and no other.
func wantOnlyOurs(t *testing.T, got seen, auth *routetable.Auth) {
	t.Helper()
	want := http.Header{}
	switch {
	case auth != nil && auth.Scheme == "Header":
		want["X-Route-Key"] = []string{token}
	case auth != nil:
		want["Authorization"] = []string{"Bearer " + token}
	}
	found := http.Header{}
	for name, values := range got.Header {
		// On a route of another scheme X-Route-Key is a header like any other.
		free := sameField(name, "X-Route-Key") && (auth == nil || auth.Scheme != "Header")
		if all := fmt.Sprint(name, values); strings.Contains(strings.ToLower(all), "evil") && !free {
			t.Errorf("a client's credential arrived: %s", all)
		}
		if strings.Contains(fmt.Sprint(values), token) {
			found[name] = values
		}
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("the credential of the route (-want +got):\n%s", diff)
	}
	if len(got.Trailer) > 0 {
		t.Errorf("trailers arrived: %v", got.Trailer)
	}
}

func TestCredentialInATrailerDoesNotPass(t *testing.T) {
	for name, announce := range map[string]string{"announced": "Trailer: Authorization, X-Api-Key\n", "not announced": ""} {
		t.Run(name, func(t *testing.T) {
			upstream := newRecorder(t)
			proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()})
			res, _ := raw(t, proxy.addr, lines("\nPOST /r/x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n"+announce+
				"\n3\nabc\n0\nAuthorization: evil\nX-Api-Key: evil\n\n"))
			if res.StatusCode != http.StatusOK {
				t.Fatalf("status %d", res.StatusCode)
			}
			got := upstream.only(t)
			if got.Body != "abc" {
				t.Errorf("body %q", got.Body)
			}
			wantOnlyOurs(t, got, bearer())
		})
	}
}

func TestMissingTokenIsSaidAndNothingIsSent(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t,
		routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: &routetable.Auth{Scheme: "Bearer", TokenEnv: "CRED_PROXY_TOKEN_2"}},
		routetable.Route{Path: "/open", Upstream: upstream.URL})
	res, body := get(t, proxy.url("/r/x"), "Authorization", "Bearer evil")
	wantRefusal(t, res, body, http.StatusServiceUnavailable, "no_token")
	if len(upstream.all()) != 0 {
		t.Error("the request went out without a credential")
	}
	if res, _ := get(t, proxy.url("/open/x")); res.StatusCode != http.StatusOK {
		t.Errorf("the other route answers %d", res.StatusCode)
	}
}

func TestCredentialIsNeverPrinted(t *testing.T) {
	table := tableOf(t, routetable.Route{Path: "/r", Upstream: "https://a.test", Auth: bearer()})
	all := fmt.Sprintf("%v %+v %#v", table.routes[0].credential, *table.routes[0].credential, table.routes[0])
	if strings.Contains(all, token) {
		t.Errorf("printed: %s", all)
	}
}

func TestLogTellsNothingOfARequestsContent(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()})
	res, _ := raw(t, proxy.addr, lines("\nPOST /r/%41path?privatequery HTTP/1.1\nHost: privatehost\nX-A: privateheader\nContent-Length: 11\n\nprivatebody"))
	if res.StatusCode != http.StatusOK {
		t.Fatalf("status %d", res.StatusCode)
	}
	_, _ = raw(t, proxy.addr, lines("\nPRIVATEMETHOD /r HTTP/1.1\nHost: a\n\n"))
	eventually(t, "two requests are logged", func() bool { return strings.Count(proxy.log.String(), `"msg":"request"`) == 2 })
	logged := proxy.log.String()
	for _, want := range []string{`"method":"POST"`, `"route":"/r"`, `"status":200`, `"response_bytes":14`, `"path":"/r/%41path"`, `"duration_ms":`, `"method":"OTHER"`} {
		if !strings.Contains(logged, want) {
			t.Errorf("the log lacks %s: %s", want, logged)
		}
	}
	if strings.Contains(strings.ToLower(logged), "private") || strings.Contains(logged, token) {
		t.Errorf("the log shows what was sent: %s", logged)
	}
}

func TestRequestIsKeptAsItIs(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()})
	conn := dial(t, proxy.addr)
	_, err := io.WriteString(conn, lines("\nPATCH /r/@s%2fn//x?a=1;b=%zz&&c HTTP/1.1\nHost: evil.test\nContent-Length: 5\nX-Many: 1\nX-Many: 2\nCookie: a=b\n"+
		"Forwarded: for=x\nX-Forwarded-For: 1.2.3.4\nX-Forwarded-Host: h\nX-Forwarded-Proto: https\nX-Forwarded-Port: 1\nX_Forwarded_For: 1\n"+
		"Connection: X-Hop, close\nX-Hop: 1\nKeep-Alive: 5\nTe: trailers\nProxy-Connection: x\n\nhello"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil {
		t.Fatal(err)
	}
	want := seen{
		Method: "PATCH", Target: "/@s%2fn//x?a=1;b=%zz&&c", Host: strings.TrimPrefix(upstream.URL, "http://"), Body: "hello",
		Header: http.Header{
			"X-Many": {"1", "2"}, "Cookie": {"a=b"}, "Content-Length": {"5"}, "Te": {"trailers"}, "Authorization": {"Bearer " + token},
			"Accept-Encoding": {"identity"},
		},
	}
	if diff := cmp.Diff(want, upstream.only(t)); diff != "" {
		t.Errorf("(-want +arrived)\n%s", diff)
	}
}
