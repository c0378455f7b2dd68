package dockerdriver

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/routetable"
)

// use is a route: the reference of its token, which is also the name of the upstream where that belongs.
type use struct{ path, ref string }

// pushed is one generation, as it is sent, and what is there when it is served.
type pushed struct {
	generation int64
	archive    []byte
	files      []routetable.File
	// pairs are the token of each upstream.
	pairs map[string]string
}

// push makes a generation. The value of a token begins with its reference; the slots are given in order of the routes, so
// that routes in another order have their tokens in files of exchanged names.
func push(t *testing.T, generation int64, values map[string]string, uses ...use) pushed {
	t.Helper()
	table := routetable.Table{Listen: ":9099", InternalSubnets: []string{"10.1.2.0/24"}}
	slots, pairs := map[string]string{}, map[string]string{}
	for i, u := range uses {
		slot := fmt.Sprint(routetable.SlotPrefix, i+1)
		slots[slot], pairs[upstreamOf(u.ref)] = values[u.ref], values[u.ref]
		table.Routes = append(table.Routes, routetable.Route{
			Path: u.path, Upstream: upstreamOf(u.ref), Auth: &routetable.Auth{Scheme: "Bearer", TokenFile: slot},
		})
	}
	_, files, err := routetable.Seal(table, generation, slots, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := pack(files)
	if err != nil {
		t.Fatal(err)
	}
	return pushed{generation, archive, files, pairs}
}

func upstreamOf(ref string) string { return "https://" + ref + ".example.com" }

// A push that ends at any byte, on top of whatever generation was there before, alone or beside leftovers of all others, leaves
// the one before, the new one, or nothing that is served: never a token with the upstream of another reference, nor the
// token of one generation with the routes of another. Whoever was killed, controller, engine or sidecar, the volume is one
// of these.
func TestAPushThatEndsAtAnyByteLeavesOneGenerationOrNone(t *testing.T) {
	first := map[string]string{"git": "git-first", "api": "api-first", "ai": "ai-first"}
	second := map[string]string{"git": "git-second", "api": "api-second", "ai": "ai-first"}
	pushes := []pushed{
		push(t, 1, first, use{"/git", "git"}, use{"/api", "api"}),
		push(t, 2, first, use{"/git", "api"}, use{"/api", "git"}), // two tokens change places
		push(t, 3, second, use{"/git", "git"}, use{"/api", "api"}),
		push(t, 4, second, use{"/git", "api"}),
		push(t, 5, first, use{"/ai", "ai"}, use{"/api", "api"}, use{"/git", "git"}),
	}
	leftovers := fstest.MapFS{}
	for _, p := range pushes {
		leave(leftovers, p.files[:len(p.files)-1])
	}
	for i, next := range pushes {
		for _, before := range append([]pushed{{}}, pushes[:i]...) { // generations only grow
			for name, volume := range map[string]fstest.MapFS{"alone": {}, "beside leftovers": maps.Clone(leftovers)} {
				if name == "beside leftovers" {
					for _, f := range next.files {
						delete(volume, f.Name)
					}
				}
				leave(volume, before.files)
				t.Run(fmt.Sprintf("%d on %d %s", next.generation, before.generation, name), func(t *testing.T) {
					cutEverywhere(t, volume, before, next)
				})
			}
		}
	}
}

func leave(volume fstest.MapFS, files []routetable.File) {
	for _, f := range files {
		volume[f.Name] = &fstest.MapFile{Data: f.Data, Mode: f.Mode}
	}
}

// cutEverywhere looks at every state that unpacking the archive of next passes through, byte by byte.
func cutEverywhere(t *testing.T, volume fstest.MapFS, before, next pushed) {
	t.Helper()
	served := map[int64]int{}
	look := func() {
		loaded, err := routetable.Load(volume, func(string) string { return "" })
		if err != nil {
			served[0]++
			return
		}
		served[loaded.Table.Generation]++
		want := next.pairs
		if loaded.Table.Generation == before.generation {
			want = before.pairs
		}
		if got := pairsOf(t, &loaded); !maps.Equal(got, want) {
			t.Fatalf("generation %d is served with %v, want %v", loaded.Table.Generation, got, want)
		}
	}
	look()
	unpack(t, volume, next.archive, look)
	for _, generation := range []int64{before.generation, next.generation, 0} {
		if served[generation] == 0 {
			t.Errorf("generation %d was never what was found: %v", generation, served)
		}
	}
	if neither := len(served) - len(sets.New(before.generation, next.generation, 0)); neither > 0 {
		t.Errorf("%d generations that are neither were found: %v", neither, served)
	}
}

// unpack writes an archive into a volume as an engine does: it removes what is in the way of a file, makes the file, and
// writes what it has of it. After each of that, and each byte, it calls look; bytes of headers and padding change nothing.
func unpack(t *testing.T, volume fstest.MapFS, archive []byte, look func()) {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeDir {
			continue
		}
		delete(volume, header.Name)
		look()
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(data) + 1 {
			volume[header.Name] = &fstest.MapFile{Data: data[:n], Mode: fs.FileMode(header.Mode)}
			look()
		}
	}
}

// pairsOf are the token of each upstream, and fails where one belongs to another.
func pairsOf(t *testing.T, loaded *routetable.Loaded) map[string]string {
	t.Helper()
	pairs := map[string]string{}
	for _, r := range loaded.Table.Routes {
		tokens, ok := loaded.Tokens(r.Auth)
		token := tokens[routetable.OnlyToken]
		ref, _, _ := strings.Cut(token.Reveal(), "-")
		if !ok || r.Upstream != upstreamOf(ref) {
			t.Fatalf("generation %d sends the token of %s to %s", loaded.Table.Generation, ref, r.Upstream)
		}
		pairs[r.Upstream] = token.Reveal()
	}
	return pairs
}
