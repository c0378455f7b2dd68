package tokens

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"credproxy.dev/controller/internal/tokens/provider"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// shop is a provider whose plugin gives what lies in a directory under the key, and is asked again each second.
func shop(t *testing.T) (r *Resolver, dir string) {
	t.Helper()
	dir = t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "plugin"), []byte(`#!/bin/sh
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'
cat "$1/$CREDPROXY_TOKEN_KEY" || exit
printf '"}}'
`), 0o700))
	set := provider.NewSet(provider.Options{Providers: []provider.Provider{{
		Name: "shop", Command: filepath.Join(dir, "plugin"), Args: []string{dir}, Timeout: time.Minute,
		RefreshBefore: time.Minute, RefreshInterval: time.Second,
	}}})
	r = resolver(t, Options{Providers: set})
	t.Cleanup(func() { must(t, r.Close()) })
	return r, dir
}

func TestProviders(t *testing.T) {
	r, dir := shop(t)
	write(t, dir, "team-a/github", secret)
	write(t, dir, "lines", secret+`\n`+secret)
	tests := []struct {
		name, provider, key, want string
		kind                      error
		says                      string
	}{
		{"good", "shop", "team-a/github", secret, nil, ""},
		{"two lines", "shop", "lines", "", reconcile.ErrTokenInvalid, "control character"},
		{"missing", "shop", "missing", "", reconcile.ErrTokenMissing, "exit status 1"},
		{"mistyped", "shpo", "team-a/github", "", reconcile.ErrTokenDenied, "do you mean shop?"},
		{"not declared", "vault", "team-a/github", "", reconcile.ErrTokenDenied, "--token-providers"},
		{"no key", "shop", "../team-a/github", "", reconcile.ErrTokenInvalid, "key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			verdict(t, r, spec.TokenRef{Provider: tt.provider, Key: tt.key}, tt.want, tt.kind, tt.says)
		})
	}
	t.Run("without --token-providers", func(t *testing.T) {
		verdict(t, resolver(t, Options{}), spec.TokenRef{Provider: "shop", Key: "a"}, "", reconcile.ErrTokenDenied, "--token-providers FILE")
	})
}

func TestATokenThatAProviderGivesAnewIsTold(t *testing.T) {
	r, dir := shop(t)
	write(t, dir, "a", secret)
	ref := spec.TokenRef{Provider: "shop", Key: "a"}
	ctx, stop := context.WithCancel(t.Context())
	told, ended := make(chan spec.TokenRef, 10), make(chan error)
	go func() { ended <- r.Watch(ctx, func(ref spec.TokenRef) { told <- ref }) }()
	verdict(t, r, ref, secret, nil, "")
	if got := <-told; got != ref {
		t.Errorf("told of %v", got)
	}
	write(t, dir, "a.new", secret+"-next")
	must(t, os.Rename(filepath.Join(dir, "a.new"), filepath.Join(dir, "a")))
	if got := <-told; got != ref {
		t.Errorf("told of %v", got)
	}
	verdict(t, r, ref, secret+"-next", nil, "")
	stop()
	must(t, <-ended)
}
