package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOnlyTrailersOfABodyPass sends trailers over each protocol to an upstream of each: what says something of the body passes, what could
// stand for a field of the header does not.
func TestOnlyTrailersOfABodyPass(t *testing.T) {
	want := http.Header{"Content-Digest": {"sha-256=:abc:"}, "X-Checksum": {"1"}}
	trailers := http.Header{
		"Authorization": {"evil"}, "X_Api_Key": {"evil"}, "Cred-Proxy-Key": {"evil"}, "X-Forwarded-For": {"evil"}, "Cookie": {"evil"},
		"Host": {"evil"}, "Range": {"evil"}, "If-Match": {"evil"}, "Content-Type": {"evil"}, "X-Http-Method-Override": {"evil"},
		"Expect": {"evil"}, "Content-Encoding": {"evil"}, "X-Original-Url": {"evil"},
	}
	for name, values := range want {
		trailers[name] = values
	}
	got := make(chan http.Header, 4)
	receive := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r.Trailer
	}
	overTLS := tlsUpstream(t, receive)
	plain, secure := routeTo(newUpstream(t, receive)), exampleRoute()
	plain.Methods, secure.Methods = []string{"POST"}, []string{"POST"}
	for name, proxy := range map[string]*running{"HTTP/1.1": serve(t, plain), "HTTP/2": serveThrough(t, trusting(t, overTLS), secure)} {
		for protocol, client := range eachClient(t) {
			t.Run(protocol+" to "+name, func(t *testing.T) {
				r := newRequest(t, "POST", proxy.url("/r/x"), io.NopCloser(strings.NewReader("abc")))
				r.Trailer = trailers.Clone()
				if protocol == "HTTP/2" {
					// These net/http itself does not take.
					for _, name := range []string{"Authorization", "Host", "Range", "If-Match", "Content-Type", "Expect", "Content-Encoding"} {
						delete(r.Trailer, name)
					}
				}
				if res, body := does(t, client, r); res.StatusCode != http.StatusOK {
					t.Fatalf("%d %s", res.StatusCode, body)
				}
				if diff := cmp.Diff(want, <-got); diff != "" {
					t.Errorf("trailers (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// eachClient is one of each protocol.
func eachClient(t testing.TB) map[string]*http.Transport {
	t.Helper()
	return map[string]*http.Transport{"HTTP/1.1": {DisableKeepAlives: true, DisableCompression: true}, "HTTP/2": overHTTP2(t)}
}

func TestTrailersThatWereNotAnnouncedDoNotPass(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routeTo(upstream.URL))
	res, body := raw(t, proxy.addr, lines("POST /r/x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTrailer: X-Checksum\n\n3\nabc\n0\nX-Checksum: 1\nX-Sudden: 2\n\n"))
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	if diff := cmp.Diff(http.Header{"X-Checksum": {"1"}}, upstream.only(t).Trailer); diff != "" {
		t.Errorf("trailers (-want +got):\n%s", diff)
	}
}

func TestTrailersOfTheResponsePassOverHTTP2(t *testing.T) {
	answer := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Announced")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-Announced", "1")
		w.Header().Set(http.TrailerPrefix+"X-Sudden", "2")
	}
	for name, proxy := range map[string]*running{
		"from HTTP/1.1": serve(t, routeTo(newUpstream(t, answer))), "from HTTP/2": serveThrough(t, trusting(t, tlsUpstream(t, answer)), exampleRoute()),
	} {
		t.Run(name, func(t *testing.T) {
			res, body := does(t, overHTTP2(t), newRequest(t, "GET", proxy.url("/r/x"), nil))
			if body != "body" || res.Trailer.Get("X-Announced") != "1" || res.Trailer.Get("X-Sudden") != "2" {
				t.Errorf("got %q with trailers %v", body, res.Trailer)
			}
		})
	}
}

// TestInterimAnswersPass has an upstream send two before the answer, which are for clients of HTTP/1.1 and later.
func TestInterimAnswersPass(t *testing.T) {
	proxy := serve(t, routeTo(newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusProcessing)
		w.Header().Set("Link", "</a>")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusNoContent)
	})))
	for version, want := range map[string][]string{"1.1": {"102", "103", "204"}, "1.0": {"204"}} {
		conn := dial(t, proxy.addr)
		write(t, conn, "GET /r/x HTTP/"+version+"\r\nHost: a\r\nConnection: close\r\n\r\n")
		all, err := io.ReadAll(conn)
		if err != nil {
			t.Error(err)
		}
		var got []string
		for line := range strings.Lines(string(all)) {
			if status, ok := strings.CutPrefix(line, "HTTP/"+version+" "); ok {
				got = append(got, status[:3])
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("over HTTP/%s (-want +got):\n%s\nof %q", version, diff, all)
		}
	}
	f := newFramed(t, dial(t, proxy.addr))
	f.ask(1, "/r/x", true)
	for _, want := range []string{"102", "103", "204"} {
		if got := f.status(1); got != want {
			t.Errorf("over HTTP/2 there is %s instead of %s", got, want)
		}
	}
}

// TestAnUpstreamsRefusalComesBeforeTheBody: with Expect: 100-continue nothing of a body is asked for that the upstream does not want. Over
// HTTP/2 net/http keeps to itself that the client expects it, and asks as soon as the upstream was asked.
func TestAnUpstreamsRefusalComesBeforeTheBody(t *testing.T) {
	refuse := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	over2 := trusting(t, tlsUpstream(t, refuse))
	over1 := mustTransport(anywhere())
	t.Cleanup(over1.CloseIdleConnections)
	// However slow the machine is, it is the upstream's answer that is waited for.
	over1.ExpectContinueTimeout, over2.ExpectContinueTimeout = patience, patience
	for name, proxy := range map[string]*running{
		"HTTP/1.1": serveThrough(t, over1, routeTo(newUpstream(t, refuse))), "HTTP/2": serveThrough(t, over2, exampleRoute()),
	} {
		t.Run("of "+name, func(t *testing.T) {
			res, body := raw(t, proxy.addr, "POST /r/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
			if res.StatusCode != http.StatusUnauthorized {
				t.Errorf("got %d %q", res.StatusCode, body)
			}
		})
	}
}

func TestARefusalOfTheSidecarsComesBeforeTheBody(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routeTo(upstream.URL))
	res, body := raw(t, proxy.addr, "POST /none HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
	wantRefusal(t, res, body, http.StatusNotFound, "no_route")
	f := newFramed(t, dial(t, proxy.addr))
	f.send(1, false, ":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/none", "expect", "100-continue", "content-length", "1000")
	if got := f.status(1); got != "404" {
		t.Errorf("a client of HTTP/2 gets %s", got)
	}
}

func TestExpectContinueIsAnsweredOverHTTP2(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t, routeTo(upstream.URL))
	f := newFramed(t, dial(t, proxy.addr))
	f.send(1, false, ":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/r/x", "expect", "100-continue", "content-length", "4")
	if got := f.status(1); got != "100" {
		t.Fatalf("status %s", got)
	}
	f.must(0, f.WriteData(1, true, []byte("body")))
	if got := f.status(1); got != "200" || upstream.only(t).Body != "body" {
		t.Errorf("status %s; the upstream received %+v", got, upstream.all())
	}
}

// TestOldClientsKeepTheirConnectionWhereTheyAsk: a client of HTTP/1.0 says that it keeps a connection, which takes an answer of known length.
func TestOldClientsKeepTheirConnectionWhereTheyAsk(t *testing.T) {
	proxy := serve(t, routeTo(newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/known") {
			w.Header().Set("Content-Length", "2")
		}
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, "ok")
	})))
	for name, tt := range map[string]struct {
		request string
		kept    bool
	}{
		"asked, and known":   {"GET /r/known HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
		"asked, not known":   {"GET /r/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false},
		"not asked":          {"GET /r/known HTTP/1.0\r\n\r\n", false},
		"asked to close":     {"GET /r/known HTTP/1.0\r\nConnection: close\r\n\r\n", false},
		"1.1 asked to close": {"GET /r/known HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
		"1.1, not known":     {"GET /r/x HTTP/1.1\r\nHost: a\r\n\r\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			conn := newTalk(dial(t, proxy.addr))
			write(t, conn, tt.request)
			res, body := readResponse(t, conn.from)
			if res.StatusCode != http.StatusOK || body != "ok" || res.Header.Get("Transfer-Encoding") != "" {
				t.Errorf("got %d %q %v", res.StatusCode, body, res.Header)
			}
			if !tt.kept {
				conn.over(t)
				return
			}
			write(t, conn, tt.request)
			if res, body := readResponse(t, conn.from); res.StatusCode != http.StatusOK || body != "ok" {
				t.Errorf("the second request gets %d %q", res.StatusCode, body)
			}
		})
	}
}

func TestOldClientsUpgradeNothing(t *testing.T) {
	upstream, handshakes := echo(t)
	proxy := serve(t, routeTo(upstream))
	res, _ := raw(t, proxy.addr, "GET /r/x HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if got := <-handshakes; res.StatusCode != http.StatusOK || got.Get("Upgrade") != "" {
		t.Errorf("status %d; the upstream received %v", res.StatusCode, got)
	}
}

// TestAnUpstreamOfHTTP10IsUnderstood answers as old servers do: without a length, until the end of the connection.
func TestAnUpstreamOfHTTP10IsUnderstood(t *testing.T) {
	upstream := rawUpstream(t, func(conn net.Conn, _ *http.Request) {
		_, _ = io.WriteString(conn, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold")
	})
	proxy := serve(t, routeTo(upstream))
	for protocol, client := range eachClient(t) {
		if res, body := does(t, client, newRequest(t, "GET", proxy.url("/r/x"), nil)); res.StatusCode != http.StatusOK || body != "old" {
			t.Errorf("over %s: %d %q", protocol, res.StatusCode, body)
		}
	}
	conn := newTalk(dial(t, proxy.addr))
	write(t, conn, "GET /r/x HTTP/1.0\r\n\r\n")
	if _, body := readResponse(t, bufio.NewReader(conn)); body != "old" {
		t.Errorf("over HTTP/1.0: %q", body)
	}
}

// net/http reads any three digits for a status, and panics over one that it is to send.
func TestAnAnswerWithoutAStatusIsNone(t *testing.T) {
	for _, status := range []string{"000", "099"} {
		upstream := rawUpstream(t, func(conn net.Conn, _ *http.Request) {
			_, _ = io.WriteString(conn, "HTTP/1.1 "+status+" x\r\nContent-Length: 0\r\n\r\n")
		})
		proxy := serve(t, routeTo(upstream))
		res, body := get(t, proxy.url("/r/x"))
		wantRefusal(t, res, body, http.StatusBadGateway, "upstream_unreachable")
	}
}
