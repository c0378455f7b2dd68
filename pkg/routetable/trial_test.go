package routetable

import (
	"strings"
	"testing"
)

func TestATrialIsOneLine(t *testing.T) {
	want := Trial{Status: 502, ContentType: "a/b\n", Length: -1, Milliseconds: 1.5, Route: "/r", Credential: CredentialAdded, Code: "c", Stage: StageTLS, Message: "m"}
	line := want.Line()
	if strings.Count(string(line), "\n") != 1 {
		t.Errorf("%q", line)
	}
	if got, err := ParseTrial(line); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestParseTrialRefuses(t *testing.T) {
	for name, line := range map[string]string{
		"nothing":           "",
		"a report":          `{"event":"ready","generation":1}`,
		"no JSON":           "cred-proxy: no",
		"a line too long":   `{"status":200,"message":"` + strings.Repeat("x", MaxTrialBytes) + `"}`,
		"another type":      `{"status":"200"}`,
		"more than one":     `{"status":200}{"status":200}`,
		"neither nor where": `{"length":5}`,
	} {
		if got, err := ParseTrial([]byte(line)); err == nil {
			t.Errorf("%s is taken for %+v", name, got)
		}
	}
}
