package dockerdriver

import (
	"slices"
	"testing"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

func TestSidecarIsToldItsDrainTimeout(t *testing.T) {
	token := reconcile.NewToken("secret")
	d := newFakeEngine(t).driver(func(o *Options) { o.DrainTimeout = 90 * time.Second })
	made := d.config(reconcile.CreateRequest{SpecName: "web", Env: map[string]reconcile.Token{"CRED_PROXY_TOKEN_1": token}})
	if !slices.Contains(made.Env, "CRED_PROXY_DRAIN_TIMEOUT=1m30s") {
		t.Errorf("its environment is %q", made.Env)
	}
	if slots := slotsOf(made.Env); len(slots) != 1 || !slots["CRED_PROXY_TOKEN_1"].Equal(token) {
		t.Errorf("its slots are %v", slots)
	}
	if *made.StopTimeout <= 90 {
		t.Errorf("the engine kills it after %d s", *made.StopTimeout)
	}
}
