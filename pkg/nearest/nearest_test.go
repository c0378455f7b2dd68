package nearest

import (
	"strings"
	"testing"
)

func TestNamesThatAreNear(t *testing.T) {
	names := []string{"vault", "age", "one-password", "proxyURL"}
	for typed, want := range map[string]string{
		"vautl": "vault", "valt": "vault", "onepassword": "one-password", "agee": "age", "gcp": "", "x": "", "": "",
		"PROXYURL": "proxyURL", "AGE": "age", strings.Repeat("vault", 100): "",
		"ONE-": "one-password", "on": "", "one-password-too": "",
	} {
		if got := Name(typed, names); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
	if got := Name("team", []string{"team-north", "team-south"}); got != "" {
		t.Errorf("of two that begin so, %q was meant", got)
	}
}

func TestAHintIsGivenForWhatIsNearOnly(t *testing.T) {
	for typed, want := range map[string]string{"valt": "; do you mean vault?", "nothing": ""} {
		if got := Hint(typed, []string{"vault"}); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}
