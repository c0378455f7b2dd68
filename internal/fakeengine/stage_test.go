package fakeengine

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// stage is an engine with two networks and one driver.
type stage struct {
	*testing.T
	*Engine
	driver           *Driver
	internal, egress string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	e := New(0)
	return &stage{T: t, Engine: e, driver: e.Driver("one"), internal: e.AddNetwork("in", true), egress: e.AddNetwork("out", false)}
}

func (s *stage) noError(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *stage) request() reconcile.CreateRequest {
	s.Helper()
	image, err := s.driver.EnsureImage(s.Context(), "")
	s.noError(err)
	return reconcile.CreateRequest{
		ContainerName: "cred-proxy-web", SpecName: "web", SpecHash: "v1:0", ImageID: image, Network: s.internal,
		Alias: "cred-proxy", Resources: spec.Resources{Memory: "64Mi", CPUs: "1", Pids: 64},
	}
}

// push copies a generation with two routes, of which one adds the token.
func (s *stage) push(id string, generation int64, token string) error {
	s.Helper()
	var subnets []string
	for _, n := range s.Snapshot().Networks {
		if n.ID == s.internal {
			subnets = n.Subnets
		}
	}
	_, files, err := routetable.Seal(routetable.Table{
		Listen: ":9099", InternalSubnets: subnets,
		Routes: []routetable.Route{
			{Path: "/", Upstream: "https://other.invalid"},
			{Path: "/git", Upstream: "https://git.invalid", Auth: &routetable.Auth{Scheme: "Bearer", TokenFile: "CRED_PROXY_TOKEN_1"}},
		},
	}, generation, map[string]string{"CRED_PROXY_TOKEN_1": token}, bytes.NewReader(make([]byte, 64)))
	s.noError(err)
	return s.driver.CopyRoutes(s.Context(), id, files)
}

// serve makes a sidecar that serves generation 1.
func (s *stage) serve() string {
	s.Helper()
	id, err := s.driver.Create(s.Context(), s.request())
	s.noError(err)
	s.noError(s.push(id, 1, "one"))
	s.noError(s.driver.Connect(s.Context(), id, s.egress))
	s.noError(s.driver.Start(s.Context(), id))
	_, err = s.driver.WaitReady(s.Context(), id, 1)
	s.noError(err)
	return id
}

func (s *stage) sidecar() reconcile.Sidecar {
	s.Helper()
	o, err := s.driver.Observe(s.Context())
	s.noError(err)
	if len(o.Sidecars) != 1 {
		s.Fatalf("there are %d sidecars", len(o.Sidecars))
	}
	return o.Sidecars[0]
}

// token is what a request to a path would carry; empty for none.
func (s *stage) token(path string) string {
	s.Helper()
	answers := s.Ask(s.internal, "cred-proxy", 9099, path)
	if len(answers) != 1 {
		s.Fatalf("%d sidecars answer", len(answers))
	}
	return answers[0].Tokens[routetable.OnlyToken].Reveal()
}

func wants(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("error is %v, want one of the kind %q", err, kind)
	}
}

// over is a context that is over already.
func over(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
