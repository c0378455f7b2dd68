// Package buildinfo says which build this is, from what the Go toolchain stamped into the binary.
package buildinfo

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"credproxy.dev/controller/pkg/spec"
)

// Info is what the version verb prints.
type Info struct {
	Version string `json:"version"`
	// Commit is the full revision, with "-dirty" when the tree had changes; "unknown" outside a checkout.
	Commit    string `json:"commit"`
	GoVersion string `json:"goVersion"`
	Platform  string `json:"platform"`
	// APIVersions are those of the spec files that this build reads.
	APIVersions []string `json:"apiVersions"`
}

// stamped is the commit as make knows it; the linker sets it. It counts where Go found none.
var stamped string //nolint:gochecknoglobals // the linker can set nothing else

// Read returns what is known of this binary.
func Read() Info {
	info := Info{
		Version: "(devel)", Commit: "unknown", GoVersion: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, APIVersions: []string{spec.APIVersion},
	}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	if build.Main.Version != "" {
		info.Version = build.Main.Version
	}
	info.Commit = commit(build.Settings, stamped)
	return info
}

func commit(settings []debug.BuildSetting, otherwise string) string {
	revision, dirty := cmp.Or(otherwise, "unknown"), ""
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	return revision + dirty
}
