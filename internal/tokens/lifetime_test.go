package tokens

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"credproxy.dev/controller/internal/tokens/provider"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

func TestOnlyProvidersSayUntilWhenATokenIsInForce(t *testing.T) {
	plugin := filepath.Join(t.TempDir(), "plugin")
	must(t, os.WriteFile(plugin, []byte(`#!/bin/sh
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
"status":{"token":"any-token-of-a-provider","expirationTimestamp":"2999-01-02T03:04:05Z"}}'
`), 0o700))
	set := provider.NewSet(provider.Options{Providers: []provider.Provider{{
		Name: "shop", Command: plugin, Timeout: time.Minute, RefreshBefore: time.Minute, RefreshInterval: time.Minute,
	}}})
	given := spec.TokenRef{Provider: "shop", Key: "a"}
	r := resolver(t, Options{Providers: set})
	t.Cleanup(func() { must(t, r.Close()) })
	verdict(t, r, given, "any-token-of-a-provider", nil, "")

	expiry := time.Date(2999, 1, 2, 3, 4, 5, 0, time.UTC)
	if got := r.Lifetime(given); !got.Expiry.Equal(expiry) || !got.Renewal.Equal(expiry.Add(-time.Minute)) {
		t.Errorf("lifetime %v", got)
	}
	for _, ref := range []spec.TokenRef{{Env: "TOKEN"}, {File: "a"}, {Provider: "shop", Key: "b"}} {
		if got := r.Lifetime(ref); got != (reconcile.Lifetime{}) {
			t.Errorf("%s: lifetime %v", ref, got)
		}
	}
	if got := resolver(t, Options{}).Lifetime(given); got != (reconcile.Lifetime{}) {
		t.Errorf("without --token-providers: lifetime %v", got)
	}
}
