package provider

import (
	"errors"
	"strings"
	"testing"
	"time"

	"credproxy.dev/controller/internal/tokens/value"
	"credproxy.dev/controller/pkg/reconcile"
)

// then is when the answers of these tests are given.
func then() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

const head = `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",`

func status(fields string) string { return head + `"status":{` + fields + `}}` }

func TestAnswers(t *testing.T) {
	good, later := `"token":"`+secret+`"`, `"2026-01-02T04:04:05Z"`
	tests := []struct {
		name, text string
		kind       error
		says       string
	}{
		{"token", status(good), nil, ""},
		{"with an expiry", status(good + `,"expirationTimestamp":` + later), nil, ""},
		{"with fields of later versions", status(good + `,"more":{"a":[1]}`), nil, ""},
		{"with a line end after it", status(`"token":"` + secret + `\n"`), nil, ""},
		{"with white space around it", "\n " + status(good) + "\n", nil, ""},
		{"with a certificate", status(good + `,"clientCertificateData":"x","clientKeyData":"y"`), nil, ""},
		{"nothing", "", reconcile.ErrTokenInvalid, "not one ExecCredential"},
		{"the token alone", secret, reconcile.ErrTokenInvalid, "not one ExecCredential"},
		{"half of it", status(good)[:len(head)+25], reconcile.ErrTokenInvalid, "not one ExecCredential"},
		{"two of them", status(good) + status(good), reconcile.ErrTokenInvalid, "not one ExecCredential"},
		{"words after it", status(good) + " done " + secret, reconcile.ErrTokenInvalid, "not one ExecCredential"},
		{"not UTF-8", status("\"token\":\"" + secret + "\xff\""), reconcile.ErrTokenInvalid, "not one ExecCredential"},
		{"a number for a token", status(`"token":5`), reconcile.ErrTokenInvalid, "not one ExecCredential"},
		{"no expiry that can be read", status(good + `,"expirationTimestamp":"` + secret + `"`), reconcile.ErrTokenInvalid, "not one ExecCredential"},
		{"another kind", strings.Replace(status(good), "ExecCredential", secret, 1), reconcile.ErrTokenInvalid, "not one ExecCredential"},
		{"the beta version", strings.Replace(status(good), "k8s.io/v1", "k8s.io/v1beta1", 1), reconcile.ErrTokenInvalid, "v1beta1, and was asked in"},
		{"another version", strings.Replace(status(good), "k8s.io/v1", secret, 1), reconcile.ErrTokenInvalid, "another version"},
		{"no status", head + `"spec":{}}`, reconcile.ErrTokenMissing, "no token"},
		{"no token", status(""), reconcile.ErrTokenMissing, "no token"},
		{"an empty token", status(`"token":""`), reconcile.ErrTokenMissing, "no token"},
		{"a line end for a token", status(`"token":"\n"`), reconcile.ErrTokenMissing, "no token"},
		{"a certificate alone", status(`"clientCertificateData":"x"`), reconcile.ErrTokenMissing, "no token"},
		{"a token of two lines", status(`"token":"` + secret + `\n` + secret + `"`), reconcile.ErrTokenInvalid, "control character"},
		{"a token with a NUL", status(`"token":"` + secret + `\u0000"`), reconcile.ErrTokenInvalid, "control character"},
		{"a token that has expired", status(good + `,"expirationTimestamp":"2026-01-02T03:04:05Z"`), reconcile.ErrTokenInvalid, "expired"},
		{"a token that is too long", status(`"token":"` + strings.Repeat("x", value.MaxBytes+1) + `"`), reconcile.ErrTokenInvalid, "64 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, why := decode([]byte(tt.text), then())
			if tt.kind == nil {
				if why != nil || got.token.Reveal() != secret {
					t.Fatalf("%v", why)
				}
				if want := strings.Contains(tt.text, later); got.expiry.Equal(then().Add(time.Hour)) != want || got.expiry.IsZero() == want {
					t.Errorf("expires at %v", got.expiry)
				}
				return
			}
			if why == nil || !errors.Is(why, tt.kind) || !strings.Contains(why.Error(), tt.says) {
				t.Fatalf("%v, want %v that says %q", why, tt.kind, tt.says)
			}
			if errors.Is(why, reconcile.ErrTokenUnknown) {
				t.Error("an answer counts as none")
			}
			mustNotTell(t, why)
		})
	}
}

func TestTheLongestTokenIsTaken(t *testing.T) {
	longest := strings.Repeat("x", value.MaxBytes)
	got, why := decode([]byte(status(`"token":"`+longest+`"`)), then())
	if why != nil || got.token.Reveal() != longest {
		t.Error(why)
	}
}

// FuzzAnswer holds that whatever a plugin writes gives a token that a header can carry, or words that hold none of it.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{"", secret, status(`"token":"x"`), status(`"token":"\u0000"`), head, `{"kind":"ExecCredential"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, why := decode(append(data, secret...), then()); why != nil {
			mustNotTell(t, why)
		}
		got, why := decode(data, then())
		if why == nil && (got.token.Reveal() == "" || strings.ContainsAny(got.token.Reveal(), "\x00\n\r\t\x7f")) {
			t.Errorf("taken for a token: %q", got.token.Reveal())
		}
	})
}
