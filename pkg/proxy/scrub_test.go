package proxy

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// hidden is what the token is overwritten with.
const hidden = "******************"

func asBasic() *routetable.Auth {
	return &routetable.Auth{Scheme: "Basic", Username: "me", TokenFile: "CRED_PROXY_TOKEN_1"}
}

// repeats are the forms in which an upstream may have a token.
func repeats() map[string]string {
	escaped, json := "", ""
	for _, b := range []byte(token) {
		escaped += fmt.Sprintf("%%%02x", b)
		json += fmt.Sprintf(`\u%04X`, b)
	}
	return map[string]string{
		"plain": token, "hex": hex.EncodeToString([]byte(token)), "escaped": escaped, "json": json,
		"basic": base64.StdEncoding.EncodeToString([]byte("me:" + token)), "url": base64.RawURLEncoding.EncodeToString([]byte("x" + token)),
	}
}

// TestATokenThatAnUpstreamRepeatsDoesNotArrive looks at all that can be seen of an answer, interim ones and trailers included.
func TestATokenThatAnUpstreamRepeatsDoesNotArrive(t *testing.T) {
	upstream := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Link", "<"+token+">")
		w.WriteHeader(http.StatusEarlyHints)
		h.Del("Link")
		h.Set("Location", "https://elsewhere.test/?token="+token)
		h.Set("X-Saw", r.Header.Get("Authorization"))
		for name, form := range repeats() {
			h.Add("X-Form", name+"="+form)
		}
		h.Set("Trailer", "X-Announced")
		w.WriteHeader(http.StatusAccepted)
		for name, form := range repeats() {
			half := len(form) / 2
			_, _ = io.WriteString(w, name+"="+form[:half])
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, form[half:]+"\n")
		}
		_, _ = io.WriteString(w, "the end "+token[:len(token)-1])
		h.Set("X-Announced", token)
		h.Set(http.TrailerPrefix+"X-Sudden", "a "+token)
	})
	for name, auth := range map[string]*routetable.Auth{"Bearer": bearer(), "Basic": asBasic()} {
		for _, version := range []string{"1.1", "1.0"} {
			t.Run(name+" to HTTP/"+version, func(t *testing.T) {
				proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream, Auth: auth})
				conn := dial(t, proxy.addr)
				write(t, conn, "GET /r/x HTTP/"+version+"\r\nHost: a\r\nConnection: close\r\n\r\n")
				from, all := bufio.NewReader(conn), ""
				for status := 0; status < 200; {
					res, body := readResponse(t, from)
					status, all = res.StatusCode, all+fmt.Sprintln(res.Header, body, res.Trailer)
				}
				for form, text := range repeats() {
					if strings.Contains(all, text) {
						t.Errorf("what arrived has the token: %s", form)
					}
				}
				for _, want := range []string{"https://elsewhere.test/?token=" + hidden, "plain=" + hidden + "\n", "the end " + token[:len(token)-1]} {
					if !strings.Contains(all, want) {
						t.Errorf("%q is not in what arrived:\n%s", want, all)
					}
				}
				if strings.Contains(proxy.log.String(), token) || !strings.Contains(proxy.log.String(), `"scrubbed":true`) {
					t.Errorf("the log is %s", proxy.log)
				}
			})
		}
	}
}

// TestATokenInTrailersOfHTTP2DoesNotArrive is for upstreams whose trailers come behind a body of announced length.
func TestATokenInTrailersOfHTTP2DoesNotArrive(t *testing.T) {
	upstream := tlsUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "Grpc-Message")
		w.Header().Set("Content-Length", "4")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("Grpc-Message", "no such user: "+token)
	})
	rt := exampleRoute()
	rt.Unscrubbed = false
	proxy := serveThrough(t, trusting(t, upstream), rt)
	res, body := get(t, proxy.url("/r/x"))
	if body != "body" || res.Trailer.Get("Grpc-Message") != "no such user: "+hidden {
		t.Errorf("got %q with trailers %v", body, res.Trailer)
	}
}

func TestAnswersKeepTheirLength(t *testing.T) {
	text := strings.Repeat("x", 40_000) + token + strings.Repeat("y", 40_000) + token
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(text)))
		_, _ = io.WriteString(w, text)
	}), Auth: bearer()})
	res, body := get(t, proxy.url("/r/x"))
	if want := strings.ReplaceAll(text, token, hidden); body != want || res.Header.Get("Content-Length") != fmt.Sprint(len(text)) {
		t.Errorf("%d bytes came, announced as %s", len(body), res.Header.Get("Content-Length"))
	}
}

// TestAnEventArrivesThoughAnyTextMayFollow ends each event with what could begin a token, but for its empty line.
func TestAnEventArrivesThoughAnyTextMayFollow(t *testing.T) {
	next := make(chan struct{})
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, data := range []string{token, token[:5], "%", `\`} {
			_, _ = io.WriteString(w, "data: "+data+"\n\n")
			_ = http.NewResponseController(w).Flush()
			<-next
		}
	}), Auth: bearer()})
	res, err := http.Get(proxy.url("/r/x"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	from := bufio.NewReader(res.Body)
	for _, want := range []string{hidden, token[:5], "%", `\`} {
		line, err := from.ReadString('\n')
		if line != "data: "+want+"\n" {
			t.Fatalf("got %q, %v", line, err)
		}
		if line, err = from.ReadString('\n'); line != "\n" {
			t.Fatalf("got %q, %v", line, err)
		}
		next <- struct{}{}
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestAWebSocketIsScrubbedAndEachMessageArrives has messages that end with what could begin a token.
func TestAWebSocketIsScrubbedAndEachMessageArrives(t *testing.T) {
	upstream, handshakes := echo(t)
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream, Auth: bearer()})
	conn := dial(t, proxy.addr)
	write(t, conn, lines("\nGET /r/x HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Key: k\nSec-WebSocket-Extensions: permessage-deflate\n\n"))
	from := bufio.NewReader(conn)
	wantSwitch(t, from)
	if got := (<-handshakes)["Sec-Websocket-Extensions"]; got != nil {
		t.Errorf("the handshake asked for %q", got)
	}
	for _, text := range []string{"your token is " + token + ".", token, token[:3], "t"} {
		write(t, conn, frame(text))
		want := frame(strings.ReplaceAll(text, token, hidden))
		got := make([]byte, len(want))
		if _, err := io.ReadFull(from, got); string(got) != want {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
	write(t, conn, "\xc1\x04zzzz") // as if compressed
	if rest, err := io.ReadAll(from); len(rest) > 0 {
		t.Errorf("a compressed frame came as %q, %v", rest, err)
	}
	_ = conn.Close()
	proxy.tunnels.Wait()
	eventually(t, "the tunnel is logged as scrubbed", func() bool { return strings.Contains(proxy.log.String(), `"scrubbed":true`) })
}

func TestATokenInAHandshakeDoesNotArrive(t *testing.T) {
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 "+token+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Saw: "+token+"\r\n\r\n")
	}), Auth: bearer()})
	conn := dial(t, proxy.addr)
	write(t, conn, lines("\nGET /r/x HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n"))
	all, err := io.ReadAll(conn)
	if err != nil || strings.Contains(string(all), token) || !strings.Contains(string(all), "X-Saw: "+hidden) {
		t.Errorf("got %q, %v", all, err)
	}
	_ = conn.Close()
	proxy.tunnels.Wait()
}

func TestOnlyWhatCanBeSearchedIsAskedFor(t *testing.T) {
	upstream := newRecorder(t)
	proxy := serve(t,
		routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()},
		routetable.Route{Path: "/trusted", Upstream: upstream.URL, Auth: bearer(), Unscrubbed: true})
	asks := []string{"Accept-Encoding", "gzip, br", "Range", "bytes=1-2", "If-Range", `"x"`, "Grpc-Accept-Encoding", "gzip"}
	get(t, proxy.url("/r/x"), asks...)
	get(t, proxy.url("/trusted/x"), asks...)
	all := upstream.all()
	got, as := all[0].Header, all[1].Header
	if got.Get("Accept-Encoding") != "identity" || got.Get("Grpc-Accept-Encoding") != "identity" || got.Get("Range") != "" || got.Get("If-Range") != "" {
		t.Errorf("the upstream was asked for %v", got)
	}
	for i := 0; i < len(asks); i += 2 {
		if as.Get(asks[i]) != asks[i+1] {
			t.Errorf("of a route that is not scrubbed %s arrived as %q", asks[i], as.Get(asks[i]))
		}
	}
}

// TestAnswersThatCannotBeSearchedAreRefused has upstreams that do not send what they were asked for.
func TestAnswersThatCannotBeSearchedAreRefused(t *testing.T) {
	cases := map[string]struct {
		method string
		status int
		header http.Header
		want   int
	}{
		"gzip":                       {"GET", 200, http.Header{"Content-Encoding": {"gzip"}}, 502},
		"several encodings":          {"GET", 200, http.Header{"Content-Encoding": {"identity", "br"}}, 502},
		"a failure in gzip":          {"GET", 404, http.Header{"Content-Encoding": {"gzip"}}, 502},
		"compressed messages":        {"POST", 200, http.Header{"Content-Type": {"application/grpc"}, "Grpc-Encoding": {"gzip"}}, 502},
		"a part":                     {"GET", 206, http.Header{"Content-Range": {"bytes 0-3/10"}}, 502},
		"identity":                   {"GET", 200, http.Header{"Content-Encoding": {"Identity"}}, 200},
		"gzip, if there were a body": {"HEAD", 200, http.Header{"Content-Encoding": {"gzip"}}, 200},
		"gzip without a body":        {"GET", 304, http.Header{"Content-Encoding": {"gzip"}}, 304},
		"nothing at all":             {"GET", 204, nil, 204},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			proxy := serve(t, routetable.Route{Path: "/r", Upstream: newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range c.header {
					w.Header()[name] = values
				}
				w.WriteHeader(c.status)
				if c.status != 204 && c.status != 304 {
					_, _ = io.WriteString(w, "body")
				}
			}), Auth: bearer()})
			req, err := http.NewRequest(c.method, proxy.url("/r/x"), nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := (&http.Transport{DisableKeepAlives: true, DisableCompression: true}).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			got, body := readBody(t, res)
			if got.StatusCode != c.want {
				t.Fatalf("status %d, want %d: %s", got.StatusCode, c.want, body)
			}
			if c.want == http.StatusBadGateway {
				wantRefusal(t, got, body, c.want, "unreadable")
				if !strings.Contains(body, "scrubResponses: false") {
					t.Errorf("it is not said what to do: %s", body)
				}
			}
		})
	}
}

func TestAHandshakeWithExtensionsIsRefused(t *testing.T) {
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
	}), Auth: bearer()})
	res, body := raw(t, proxy.addr, lines("\nGET /r/x HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n"))
	wantRefusal(t, res, body, http.StatusBadGateway, "unreadable")
}

// TestAMessageOfGRPCArrivesWhenItIsWhole ends each with what could begin a token.
func TestAMessageOfGRPCArrivesWhenItIsWhole(t *testing.T) {
	message := func(text string) string { return "\x00\x00\x00\x00" + string(rune(len(text))) + text }
	texts, next := []string{"a " + token[:4], token, "t"}, make(chan struct{})
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/grpc+proto")
		for _, text := range texts {
			_, _ = io.WriteString(w, message(text))
			_ = http.NewResponseController(w).Flush()
			<-next
		}
	}), Auth: bearer()})
	res, err := http.Get(proxy.url("/r/x"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	for _, text := range texts {
		want := message(strings.ReplaceAll(text, token, hidden))
		got := make([]byte, len(want))
		if _, err := io.ReadFull(res.Body, got); string(got) != want {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
		next <- struct{}{}
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestARouteCanLetItsTokenPass(t *testing.T) {
	upstream := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "made-up")
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	})
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream, Auth: bearer(), Unscrubbed: true})
	if res, body := get(t, proxy.url("/r/x")); res.StatusCode != http.StatusOK || body != "Bearer "+token {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
}

// TestWhatBeganBeforeARotationIsScrubbedOfItsOwnToken has an answer that ends after its route has lost its credential.
func TestWhatBeganBeforeARotationIsScrubbedOfItsOwnToken(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	upstream := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-finish
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	})
	proxy := serve(t, routetable.Route{Path: "/r", Upstream: upstream, Auth: bearer()})
	answer := make(chan string)
	go func() {
		_, body := get(t, proxy.url("/r"))
		answer <- body
	}()
	<-begun
	if err := proxy.Swap(load(t, routetable.Route{Path: "/r", Upstream: upstream})); err != nil {
		t.Fatal(err)
	}
	close(finish)
	if body := <-answer; body != "Bearer "+hidden {
		t.Errorf("got %q", body)
	}
}

func TestAnUpstreamThatRepeatsTokensIsWarnedOfOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScrubbing(map[string]routetable.Token{"": routetable.NewToken(token)})
		if got := s.echoes.due(); got != 0 {
			t.Errorf("%d are told before there is any", got)
		}
		s.echoes.count.Add(2)
		if got := s.echoes.due(); got != 2 {
			t.Errorf("of two %d are told", got)
		}
		s.echoes.count.Add(3)
		<-time.After(scrubWarnPause - time.Second)
		if got := s.echoes.due(); got != 0 {
			t.Errorf("%d are told within the minute", got)
		}
		<-time.After(2 * time.Second)
		if got := s.echoes.due(); got != 3 {
			t.Errorf("of three %d are told", got)
		}
	})
}
