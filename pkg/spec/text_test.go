package spec

import (
	"strings"
	"testing"
)

func TestWhatShowsAsNothingIsNotPrintable(t *testing.T) {
	for _, r := range "\u2800\u3164\u115f\u1160\uffa0\u034f\u00ad\u202e\u2066\u200b\u009b\x1b\n\u3000\ufeff" {
		if IsPrintable(r) {
			t.Errorf("%U is printable", r)
		}
		if shown := ShownPath("a" + string(r) + "b.yaml"); strings.ContainsRune(shown, r) || shown[0] != '"' {
			t.Errorf("a path is shown as %q", shown)
		}
	}
	for _, r := range "a é界한́✓⠁\ufe0f😀" {
		if !IsPrintable(r) {
			t.Errorf("%U is not printable", r)
		}
	}
}
