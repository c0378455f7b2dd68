package attacks

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"credproxy.dev/controller/pkg/proxy"
	"credproxy.dev/controller/pkg/routetable"
)

// stage is what an attack may change of the usual scene before its sidecar starts.
type stage struct {
	*internet
	network *network
	table   routetable.Table
	// tokens are those of the slots.
	tokens map[string]string
	// files are changed before they are written to the volume.
	files func([]routetable.File) []routetable.File
	// fields are what honest requests have.
	fields []string
	// over is closed when the sidecar has ended, or does not end; finish closes it.
	over   chan struct{}
	finish func()
	// stdout and stderr replace those that keep what is written.
	stdout, stderr io.Writer
}

// The routes of the usual scene are to hosts of their own, each with a credential in another place.
func newStage(piped bool) *stage {
	s := &stage{internet: &internet{more: make(chan struct{}), ended: make(chan struct{})}, network: newNetwork(piped), tokens: tokens(), over: make(chan struct{})}
	s.finish = sync.OnceFunc(func() { close(s.over) })
	s.table.Listen, s.table.InternalSubnets, s.table.InternalGateways = ":9099", []string{subnet}, []string{gateway}
	s.add(routetable.Route{Path: "/r", Upstream: "http://upstream.test/base", Auth: auth("Bearer", 1)},
		&host{name: "upstream.test", at: "93.184.216.1", adds: []field{{"Authorization", "Bearer " + token(1)}}})
	s.add(routetable.Route{Path: "/key", Upstream: "http://key.test", Auth: auth("Header", 2)},
		&host{name: "key.test", at: "93.184.216.2", adds: []field{{"X-Service-Key", token(2)}}})
	s.add(routetable.Route{Path: "/query", Upstream: "http://query.test/v1", Auth: &routetable.Auth{
		Scheme: "Custom", Tokens: map[string]routetable.TokenPlace{"token": {TokenFile: slot(3)}},
		Query: []routetable.Addition{{Name: "key", Value: "{token}"}},
	}}, &host{name: "query.test", at: "93.184.216.3", query: "key=" + escaped(token(3))})
	s.add(routetable.Route{Path: "/open", Upstream: "http://open.test"}, &host{name: "open.test", at: "93.184.216.4"})
	return s
}

func auth(scheme string, n int) *routetable.Auth {
	a := &routetable.Auth{Scheme: scheme, TokenFile: slot(n)}
	if scheme == "Header" {
		a.Header = "X-Service-Key"
	}
	return a
}

// add declares a route, and an upstream if there is none for it yet.
func (s *stage) add(r routetable.Route, h *host) {
	s.table.Routes = append(s.table.Routes, r)
	if h != nil {
		s.hosts = append(s.hosts, h)
	}
}

// route is the declared one of a path.
func (s *stage) route(path string) *routetable.Route {
	for i := range s.table.Routes {
		if s.table.Routes[i].Path == path {
			return &s.table.Routes[i]
		}
	}
	panic("no route " + path)
}

// upstream is the host of a name.
func (s *stage) upstream(name string) *host {
	for _, h := range s.hosts {
		if h.name == name {
			return h
		}
	}
	panic("no host " + name)
}

// scene is a sidecar that runs, and what it says.
type scene struct {
	*stage
	t        testing.TB
	dir      string
	signals  chan os.Signal
	door     door
	out, log *sink
	// standard is what the standard logger of the process is told.
	standard *sink
	stop     func()
	cast     []*agent
}

func (s *stage) start(t testing.TB) *scene {
	t.Helper()
	c := &scene{stage: s, t: t, dir: t.TempDir(), signals: make(chan os.Signal), out: newSink(), log: newSink()}
	c.push(1)
	ctx, cancel := context.WithCancel(context.Background())
	stdout, stderr := io.Writer(c.out), io.Writer(c.log)
	if s.stdout != nil {
		stdout = s.stdout
	}
	if s.stderr != nil {
		stderr = s.stderr
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := proxy.Run(ctx, proxy.Options{
			Dir: c.dir, Stdout: stdout, Stderr: stderr, Signals: c.signals, Network: s.network, Out: s.internet,
			Getenv: func(string) string { return "" },
		})
		if err != nil {
			t.Errorf("the sidecar ended: %v", err)
		}
	}()
	c.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(c.patience()):
			t.Error("the sidecar does not end")
		}
		c.finish()
		<-ended
	})
	return c
}

// push writes a generation into the volume, as the controller does.
func (s *scene) push(generation int64) {
	s.t.Helper()
	_, files, err := routetable.Seal(s.table, generation, s.tokens, bytes.NewReader(bytes.Repeat([]byte{7}, 64)))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.stage.files != nil {
		files = s.stage.files(files)
	}
	for _, f := range files {
		name := filepath.Join(s.dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			s.t.Fatal(err)
		}
		_ = os.Remove(name)
		if f.Mode&os.ModeSymlink != 0 {
			s.link(name, f.Data)
			continue
		}
		if err := os.WriteFile(name, f.Data, f.Mode); err != nil {
			s.t.Fatal(err)
		}
	}
}

// link puts a link into the volume that leads out of it.
func (s *scene) link(name string, data []byte) {
	s.t.Helper()
	outside := filepath.Join(s.t.TempDir(), "outside")
	if err := errors.Join(os.WriteFile(outside, data, 0o600), os.Symlink(outside, name)); err != nil {
		s.t.Fatal(err)
	}
}
