package source

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestLinks(t *testing.T) {
	tests := []struct {
		name string
		make func(f folder)
		want says
	}{
		{"a worktree behind a link, as git-sync lays it out", func(f folder) {
			f.write(".worktrees/abc/web.yaml", good("web"))
			f.write(".worktrees/abc/.git", "gitdir: elsewhere")
			f.link(".worktrees/abc", "current")
		}, says{Specs: []string{"web@current/web.yaml"}, Files: []string{"current/web.yaml Valid"}}},
		{"a ConfigMap", func(f folder) {
			f.write("..2026_01_01/web.yaml", good("web"))
			f.link("..2026_01_01", "..data")
			f.link("..data/web.yaml", "web.yaml")
		}, says{Specs: []string{"web@web.yaml"}, Files: []string{"web.yaml Valid"}}},
		{"an absolute link inside", func(f folder) {
			f.write(".store/web.yaml", good("web"))
			f.write(".more/api.yaml", good("api"))
			f.link(f.at(".store/web.yaml"), "web.yaml")
			f.link(f.at(".more"), "more")
		}, says{
			Specs: []string{"api@more/api.yaml", "web@web.yaml"},
			Files: []string{"more/api.yaml Valid", "web.yaml Valid"},
		}},
		{"a link that leaves and comes back", func(f folder) {
			f.write(".store/web.yaml", good("web"))
			f.link("../"+filepath.Base(f.path)+"/.store/web.yaml", "web.yaml")
		}, says{Specs: []string{"web@web.yaml"}, Files: []string{"web.yaml Valid"}}},
		{"a directory and a link to it", func(f folder) {
			f.write("z/web.yaml", good("web"))
			f.link("z", "a")
		}, says{Specs: []string{"web@z/web.yaml"}, Files: []string{"z/web.yaml Valid"}}},
		{"two links to one directory", func(f folder) {
			f.write(".z/web.yaml", good("web"))
			f.link(".z", "a")
			f.link("a", "b")
		}, says{Specs: []string{"web@a/web.yaml"}, Files: []string{"a/web.yaml Valid"}}},
		{"a file and a link to it", func(f folder) {
			f.write("z.yaml", good("web"))
			f.link("z.yaml", "a.yaml")
		}, says{Specs: []string{"web@z.yaml"}, Files: []string{"z.yaml Valid"}}},
		{"loops", func(f folder) {
			f.write("a/web.yaml", good("web"))
			f.link("..", "a/up")
			f.link(".", "a/here")
			f.link("../a", "a/again")
			f.link("b", "c")
			f.link("c", "b")
		}, says{
			Specs: []string{"web@a/web.yaml"}, Files: []string{"a/web.yaml Valid", "b Invalid", "c Invalid"}, KeepAll: true,
		}},
		{"a link with a good name to a file with another", func(f folder) {
			f.write("web.yaml.v2", good("web"))
			f.link("web.yaml.v2", "web.yaml")
		}, says{Specs: []string{"web@web.yaml"}, Files: []string{"web.yaml Valid"}}},
		{"a link with another name to a good file", func(f folder) {
			f.write("web.yaml", good("web"))
			f.link("web.yaml", "latest")
		}, says{Specs: []string{"web@web.yaml"}, Files: []string{"web.yaml Valid"}}},
		{"links outside that are none of our business", func(f folder) {
			f.link("/etc/hostname", "README.md")
			f.link("/missing", "notes.txt")
			f.link("/missing", ".emacs-lock")
		}, says{}},
		{"a directory outside", func(f folder) {
			f.link("/etc", "etc")
		}, says{Files: []string{"etc Invalid"}, KeepAll: true}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFolder(t)
			test.make(f)
			expect(t, f.source().Scan(t.Context()), test.want)
		})
	}
}

func TestTheRootIsALinkThatIsSwapped(t *testing.T) {
	f := newFolder(t)
	f.write("v1/web.yaml", good("web"))
	f.write("v1/api.yaml", good("api"))
	f.write("v2/web.yaml", wrong("web"))
	f.write("v2/new.yaml", good("new"))
	f.link("v1", "current")
	s, err := New(Options{Root: f.at("current")})
	f.must(err)
	expect(t, s.Scan(t.Context()), says{
		Specs: []string{"api@api.yaml", "web@web.yaml"}, Files: []string{"api.yaml Valid", "web.yaml Valid"},
	})
	// The next version breaks one file, removes one and adds one: last good objects outlive the swap.
	f.swap("v2", "current")
	expect(t, s.Scan(t.Context()), says{
		Specs: []string{"new@new.yaml", "~web@web.yaml"}, Files: []string{"new.yaml Valid", "web.yaml Invalid~"},
	})
}

// A link that leads nowhere for a while stands for a directory about which nothing is known.
func TestALinkToADirectoryThatBreaksDeletesNothing(t *testing.T) {
	for _, name := range []string{"current", "release-1.2"} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.write(".worktrees/abc/web.yaml", good("web"))
			f.link(".worktrees/abc", name)
			s := f.source()
			s.Scan(t.Context())
			f.rename(".worktrees/abc", ".worktrees/def")
			expect(t, s.Scan(t.Context()), says{
				Specs: []string{"~web@" + name + "/web.yaml"},
				Files: []string{name + " Invalid", name + "/web.yaml Invalid~"}, KeepAll: true,
			})
			f.swap(".worktrees/def", name)
			expect(t, s.Scan(t.Context()), says{Specs: []string{"web@" + name + "/web.yaml"}, Files: []string{name + "/web.yaml Valid"}})
			f.remove(name)
			expect(t, s.Scan(t.Context()), says{})
		})
	}
}

func TestEveryDirectoryThatDecidesIsWatched(t *testing.T) {
	f := newFolder(t)
	f.write(".store/x.yaml", good("x"))
	f.write(".worktrees/abc/team/web.yaml", good("web"))
	f.link("abc", ".worktrees/latest")
	f.link(".worktrees/latest", "current")
	f.link(".store/x.yaml", "x.yaml")
	f.mkdir("empty")
	outer := newFolder(t)
	outer.link(f.path, "specs")
	s, err := New(Options{Root: outer.at("specs")})
	f.must(err)
	_, r := s.scan(t.Context())
	places := placesOf(r.listing)
	for _, dir := range []string{"", "empty", ".worktrees/abc", ".worktrees/abc/team"} {
		if !places[f.at(dir)].all {
			t.Errorf("directory %q is not watched for all names", dir)
		}
	}
	for dir, name := range map[string]string{
		outer.path: "specs", f.path: "current", f.at(".worktrees"): "latest", f.at(".store"): "x.yaml",
	} {
		if !places[dir].names.Has(name) {
			t.Errorf("%s is not watched for %s; places %v", dir, name, places)
		}
	}
	if slices.Contains(r.dirs, ".store") {
		t.Error("a hidden directory was read")
	}
}
