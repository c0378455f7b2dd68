package buildinfo

import (
	"runtime/debug"
	"testing"
)

func TestTheCommitSaysWhetherTheTreeWasChanged(t *testing.T) {
	tests := map[string]struct {
		settings []debug.BuildSetting
		stamped  string
		want     string
	}{
		"outside a checkout":    {nil, "", "unknown"},
		"in a linked work tree": {nil, "def-dirty", "def-dirty"},
		"clean":                 {[]debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "false"}}, "abc-dirty", "abc"},
		"changed":               {[]debug.BuildSetting{{Key: "vcs.modified", Value: "true"}, {Key: "vcs.revision", Value: "abc"}}, "", "abc-dirty"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := commit(tt.settings, tt.stamped); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEveryBuildSaysSomething(t *testing.T) {
	info := Read()
	if info.Version == "" || info.Commit == "" || info.GoVersion == "" || len(info.APIVersions) != 1 {
		t.Errorf("got %+v", info)
	}
}
