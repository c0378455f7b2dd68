package provider

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"credproxy.dev/controller/pkg/reconcile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "tok-5e1f0c9a"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mustNotTell holds that an error repeats no token.
func mustNotTell(t *testing.T, err error) {
	t.Helper()
	if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), secret[:6])) {
		t.Errorf("the error holds the token, or a part of it: %v", err)
	}
}

func tokenOf(text string) answer { return answer{token: reconcile.NewToken(text)} }
