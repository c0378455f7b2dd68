package source

import (
	"errors"
	"fmt"
	"testing"

	"credproxy.dev/controller/pkg/spec"
)

// meanwhile makes a source that does something while its scan reads the file of that path.
func (f folder) meanwhile(root, path string, do func()) *Source {
	f.t.Helper()
	s, err := New(Options{Root: root})
	f.must(err)
	s.decode = func(file string, data []byte) spec.Decoded {
		if file == path {
			do()
		}
		return decodeSpec(file, data)
	}
	return s
}

func TestAFileThatMovesDuringTheScanIsNotMissed(t *testing.T) {
	tests := map[string]struct{ from, to string }{
		"before it is read": {"z/web.yaml", "a/web.yaml"},
		"after it was read": {"a/web.yaml", "z/web.yaml"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.mkdir("a")
			f.mkdir("z")
			f.write("m.yaml", good("m"))
			f.write(test.from, good("web"))
			moved := false
			s := f.meanwhile(f.path, "m.yaml", func() {
				if !moved {
					f.rename(test.from, test.to)
					moved = true
				}
			})
			snap := s.Scan(t.Context())
			if !snap.Complete || len(snap.Specs) != 2 || snap.Specs[1].File != test.to {
				t.Fatalf("got %+v, %v", saying(snap), snap.Err)
			}
		})
	}
}

func TestARootThatIsSwappedDuringTheScanIsReadAsAWhole(t *testing.T) {
	f := newFolder(t)
	f.write("v1/a.yaml", good("a"))
	f.write("v1/b.yaml", good("b"))
	f.write("v2/a.yaml", good("b")) // the names change places
	f.write("v2/b.yaml", good("a"))
	f.link("v1", "current")
	swapped := false
	s := f.meanwhile(f.at("current"), "a.yaml", func() {
		if !swapped {
			f.swap("v2", "current")
			f.remove("v1")
			swapped = true
		}
	})
	expect(t, s.Scan(t.Context()), says{Specs: []string{"a@b.yaml", "b@a.yaml"}, Files: []string{"a.yaml Valid", "b.yaml Valid"}})
}

func TestADirectoryThatDoesNotRestIsNotConcludedFrom(t *testing.T) {
	f := newFolder(t)
	f.write("m.yaml", good("m0"))
	n := 0
	s := f.meanwhile(f.path, "m.yaml", func() {
		n++
		f.write("m.yaml", good(fmt.Sprintf("m%d", n))) // so that it is decoded, and this done, in each look
		f.write(fmt.Sprintf("n%d.yaml", n), good(fmt.Sprintf("n%d", n)))
	})
	snap, r := s.scan(t.Context())
	if snap.Complete || !errors.Is(snap.Err, errTorn) || !r.unsettled {
		t.Fatalf("got %+v, %v", saying(snap), snap.Err)
	}
	if n != maxLooks {
		t.Errorf("%d looks", n)
	}
}
