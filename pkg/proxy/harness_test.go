package proxy

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/routetable"
)

// machine is a network namespace made of loopback sockets.
type machine struct {
	mu      sync.Mutex
	now     []Place
	opened  []Place
	sockets map[Place]net.Listener
	notices chan struct{}
}

func newMachine(places ...Place) *machine {
	return &machine{now: places, sockets: map[Place]net.Listener{}, notices: make(chan struct{}, 1)}
}

func (m *machine) Places() ([]Place, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now, nil
}

func (m *machine) Listen(ctx context.Context, at Place, _ uint16) (net.Listener, error) {
	config := net.ListenConfig{}
	config.SetMultipathTCP(false)
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opened, m.sockets[at] = append(m.opened, at), l
	return l, nil
}

// gateways is where a machine's way out would lead.
func (m *machine) Gateways() ([]netip.Addr, error) { return []netip.Addr{addrOf("93.184.216.1")}, nil }

func (m *machine) Changes(context.Context) (<-chan struct{}, error) { return m.notices, nil }

func (m *machine) change(places ...Place) {
	m.mu.Lock()
	m.now = places
	m.mu.Unlock()
	m.notices <- struct{}{}
}

// addr is where the last socket at a place listens.
func (m *machine) addr(at Place) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sockets[at].Addr().String()
}

// started is a sidecar that runs in this process.
type started struct {
	*machine
	dir     string
	signals chan os.Signal
	reports *bufio.Scanner
	log     *sink
	done    chan error
}

func start(t *testing.T, m *machine, env map[string]string) *started {
	t.Helper()
	s := startOn(t, m, near(t), env)
	s.machine = m
	return s
}

// near is the way to upstreams that are where the internal network is: on the loopback.
func near(t *testing.T) *outlets {
	t.Helper()
	transport := mustTransport(anywhere())
	t.Cleanup(transport.CloseIdleConnections)
	return always(transport)
}

func startOn(t *testing.T, n Network, outlets *outlets, env map[string]string) *started {
	t.Helper()
	return startIn(t, t.TempDir(), n, outlets, env)
}

// startIn starts a sidecar with a volume that another may have served out of.
func startIn(t *testing.T, dir string, n Network, outlets *outlets, env map[string]string) *started {
	t.Helper()
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	s := &started{
		dir: dir, signals: make(chan os.Signal), reports: bufio.NewScanner(out),
		log: &sink{}, done: make(chan error, 1),
	}
	var running sync.WaitGroup
	running.Go(func() {
		s.done <- Run(ctx, Options{
			Dir: s.dir, Stdout: in, Stderr: s.log, Signals: s.signals, Network: n, outlets: outlets,
			Getenv: func(name string) string { return env[name] },
		})
	})
	t.Cleanup(func() {
		cancel()
		_ = out.Close()
		running.Wait()
	})
	return s
}

// push writes files as the controller does: the document last.
func (s *started) push(t *testing.T, files []routetable.File) {
	t.Helper()
	for _, f := range files {
		name := filepath.Join(s.dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		// Like a copy by the engine, in place: a reader may meet half of it.
		_ = os.Remove(name)
		if err := os.WriteFile(name, f.Data, f.Mode); err != nil {
			t.Fatal(err)
		}
	}
}

// heard reads the next report.
func (s *started) heard(t *testing.T) routetable.Report {
	t.Helper()
	for {
		if !s.reports.Scan() {
			t.Fatalf("no more reports; log: %s", s.log)
		}
		if _, err := routetable.ParseCounters(s.reports.Bytes()); err != nil {
			break
		}
	}
	r, err := routetable.ParseReport(s.reports.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// listen reads what is left of the reports, until they end.
func (s *started) listen() {
	for s.reports.Scan() {
	}
}

func (s *started) wantReport(t *testing.T, want routetable.Report) {
	t.Helper()
	got := s.heard(t)
	if !strings.Contains(got.Error, want.Error) || (want.Error == "") != (got.Error == "") {
		t.Errorf("error %q, want %q", got.Error, want.Error)
	}
	if (got.Generation > 0) != (got.Digest != "" && got.RoutesDigest != "") {
		t.Errorf("digests do not go with generation %d", got.Generation)
	}
	got.Error, want.Error, got.Digest, got.RoutesDigest = "", "", "", ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s\nlog: %s", diff, s.log)
	}
}

func internal() Place { return Place{2, "eth0", addrOf("127.0.0.1")} }

func ready(generation int64) routetable.Report {
	return routetable.Report{Event: routetable.EventReady, Generation: generation, Serving: true}
}

// unasked is a report of a change that nobody asked for.
func unasked(generation int64, why string) routetable.Report {
	return routetable.Report{Event: routetable.EventState, Generation: generation, Serving: why == "", Error: why}
}
