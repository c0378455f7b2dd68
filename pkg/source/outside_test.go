package source

import "testing"

func TestWhoMayWriteInADirectoryDecidesWhatLiesThereOrIsReachedThroughIt(t *testing.T) {
	f := newFolder(t)
	f.write("specs/policy.yaml", "x")
	f.write("etc/policy.yaml", "x")
	f.write("specs-of-others/policy.yaml", "x")
	f.link("../etc/policy.yaml", "specs/link.yaml")
	f.link("../etc", "specs/etc")
	f.link("specs", "current")
	f.link("specs/policy.yaml", "in.yaml")
	f.link("../specs/link.yaml", "etc/back.yaml")
	f.link("etc/policy.yaml", "out.yaml")
	for path, want := range map[string]bool{
		"specs/policy.yaml": true, "current/policy.yaml": true, "in.yaml": true, "etc/../specs/policy.yaml": true,
		"specs/link.yaml": true, "specs/etc/policy.yaml": true, "etc/back.yaml": true, "specs/missing.yaml": true,
		"etc/policy.yaml": false, "out.yaml": false, "specs-of-others/policy.yaml": false, "etc/missing.yaml": false, "missing/x.yaml": false,
	} {
		for _, dir := range []string{"specs", "current"} {
			if got, err := Passes(f.at(path), f.at(dir)); err != nil || got != want {
				t.Errorf("%s passes %s: %v, %v; want %v", path, dir, got, err, want)
			}
		}
	}
}
