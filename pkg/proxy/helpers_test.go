package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

const (
	// token is what no client may ever bring or see.
	token = "t0ken-of-the-route"
	// patience bounds waits that end long before.
	patience = 10 * time.Second
)

func noEnv(string) string { return "" }

// seal makes a generation of routes whose auth, if any, uses slot 1.
func seal(t testing.TB, generation int64, routes ...routetable.Route) []routetable.File {
	t.Helper()
	return sealFor(t, generation, nil, "", routes...)
}

// sealFor makes a generation for callers who show a key, which is in slot 2 if it is in a file.
func sealFor(t testing.TB, generation int64, who *routetable.CallerAuth, key string, routes ...routetable.Route) []routetable.File {
	t.Helper()
	_, files, err := routetable.Seal(routetable.Table{
		Listen: ":0", InternalSubnets: []string{"127.0.0.0/8"}, InternalGateways: []string{"127.255.255.254"},
		CallerAuth: who, Routes: routes,
	}, generation, map[string]string{"CRED_PROXY_TOKEN_1": token, "CRED_PROXY_TOKEN_2": key}, bytes.NewReader(bytes.Repeat([]byte{7}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func load(t testing.TB, routes ...routetable.Route) routetable.Loaded {
	t.Helper()
	return loadFiles(t, seal(t, 1, routes...))
}

func loadFiles(t testing.TB, files []routetable.File) routetable.Loaded {
	t.Helper()
	volume := fstest.MapFS{}
	for _, f := range files {
		volume[f.Name] = &fstest.MapFile{Data: f.Data, Mode: f.Mode}
	}
	loaded, err := routetable.Load(volume, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func bearer() *routetable.Auth {
	return &routetable.Auth{Scheme: "Bearer", TokenFile: "CRED_PROXY_TOKEN_1"}
}

// sink collects what is written to it.
type sink struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (s *sink) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(b)
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

// anywhere dials whatever is asked for: upstreams of tests are on the loopback.
func anywhere() *dialer {
	d := newDialer(newHostWayOut(), func() (surroundings, error) { return surroundings{}, nil })
	d.atlas = atlas{{prefix: netip.MustParsePrefix("0.0.0.0/0")}, {prefix: netip.MustParsePrefix("::/0")}}
	return d
}

func mustTransport(d *dialer) *http.Transport {
	t, err := newTransport(d, usualConnections, way{}, nil)
	if err != nil {
		panic(err)
	}
	return t
}

// always takes one transport, whatever the way.
func always(transport http.RoundTripper) *outlets {
	return newOutlets(func(way, *tls.Certificate) (http.RoundTripper, error) { return transport, nil })
}

// running is a handler behind the sidecar's own server.
type running struct {
	*Handler
	addr string
	log  *sink
}

func (r *running) url(path string) string { return "http://" + r.addr + path }

func serve(t testing.TB, routes ...routetable.Route) *running {
	t.Helper()
	transport := mustTransport(anywhere())
	t.Cleanup(transport.CloseIdleConnections)
	return serveThrough(t, transport, routes...)
}

func serveThrough(t testing.TB, transport http.RoundTripper, routes ...routetable.Route) *running {
	t.Helper()
	return serveOutlets(t, always(transport), routes...)
}

func serveOutlets(t testing.TB, outlets *outlets, routes ...routetable.Route) *running {
	t.Helper()
	lines := &sink{}
	log := slog.New(slog.NewJSONHandler(lines, nil))
	h := NewHandler(outlets, log, lines, "web")
	if err := h.Swap(load(t, routes...)); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base, cutOff := context.WithCancel(context.Background())
	server := newServer(base, h, log)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		cutOff()
		_ = server.Close()
		<-ended
	})
	return &running{Handler: h, addr: listener.Addr().String(), log: lines}
}

// seen is one request as an upstream received it.
type seen struct {
	Method, Target, Host, Body string
	Header, Trailer            http.Header
}

// recorder is an upstream that keeps what it receives.
type recorder struct {
	*httptest.Server
	mu   sync.Mutex
	seen []seen
}

func newRecorder(t testing.TB) *recorder {
	t.Helper()
	r := &recorder{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.seen = append(r.seen, seen{req.Method, req.RequestURI, req.Host, string(body), req.Header.Clone(), req.Trailer.Clone()})
		_, _ = fmt.Fprintf(w, "upstream saw %d", len(r.seen))
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *recorder) all() []seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]seen(nil), r.seen...)
}

// only returns the one request that has arrived.
func (r *recorder) only(t testing.TB) seen {
	t.Helper()
	all := r.all()
	if len(all) != 1 {
		t.Fatalf("the upstream received %d requests, not one: %+v", len(all), all)
	}
	return all[0]
}

// dial opens a raw connection that gives up after patience.
func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// answer is what tests look at in a response whose body has been read.
type answer struct {
	StatusCode      int
	Header, Trailer http.Header
	Close           bool
}

// raw sends bytes as they are and returns the first response with its body.
func raw(t testing.TB, addr, request string) (answer, string) {
	t.Helper()
	conn := dial(t, addr)
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return readResponse(t, bufio.NewReader(conn))
}

func readResponse(t testing.TB, from *bufio.Reader) (answer, string) {
	t.Helper()
	res, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	return readBody(t, res)
}

func readBody(t testing.TB, res *http.Response) (answer, string) {
	t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, res.Trailer, res.Close}, string(body)
}

// wantSwitch reads the answer to an offer to switch protocols.
func wantSwitch(t testing.TB, from *bufio.Reader) {
	t.Helper()
	res, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("status %d", res.StatusCode)
	}
}

// lines turns a readable request into one with the line ends of RFC 9112.
func lines(request string) string {
	return strings.ReplaceAll(strings.TrimLeft(request, "\n"), "\n", "\r\n")
}

// wantRefusal checks an error of the sidecar's own against the contract.
func wantRefusal(t testing.TB, res answer, body string, status int, code string) {
	t.Helper()
	var said struct{ Error, Message, Route string }
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		t.Fatalf("status %d, body %q: %v", res.StatusCode, body, err)
	}
	if res.StatusCode != status || said.Error != code || res.Header.Get(routetable.FieldError) != code || said.Message == "" {
		t.Errorf("status %d, %s %q, body %q; want %d %s", res.StatusCode, routetable.FieldError, res.Header.Get(routetable.FieldError), body, status, code)
	}
	if res.Header.Get("Content-Type") != "application/json" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("a refusal is sent as %v", res.Header)
	}
}

// get is http.Get without following redirects.
func get(t testing.TB, url string, header ...string) (answer, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return readBody(t, res)
}

// eventually waits for a state.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline, again := time.After(patience), time.NewTicker(2*time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("it did not come to be that %s", what)
		case <-again.C:
		}
	}
}
