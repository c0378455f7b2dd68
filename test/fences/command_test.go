package fences

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCommandsOfTheController(t *testing.T) {
	for text, want := range map[string][]Command{
		"controller version":                                 {{1, []string{"version"}}},
		"true\nbin/controller run --specs /x 2>log &":        {{2, []string{"run", "--specs", "/x"}}},
		"A=b controller wait web && controller status":       {{1, []string{"wait", "web"}}, {1, []string{"status"}}},
		"docker exec c /controller status -o wide | head":    {{1, []string{"status", "-o", "wide"}}},
		"x=$(controller plan --specs 'a b' \\\n  --offline)": {{1, []string{"plan", "--specs", "a b", "--offline"}}},
		"controller status   # words: controller run":        {{1, []string{"status"}}, {1, []string{"run"}}},
		"controller --help":                                  {{1, []string{"--help"}}},
		"install bin/controller /usr/local/bin/controller":   nil,
		"tar -C bin -c controller | docker import -":         nil,
		"systemctl restart credproxy-controller now":         nil,
		"docker run credproxy-controller:local run":          nil,
	} {
		if diff := cmp.Diff(want, Commands(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}
