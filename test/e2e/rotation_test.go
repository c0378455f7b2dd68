//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	fileRotations = 60 // at least, under load
	envRotations  = 6
)

// tokenFiles are the files of a token as a mounted secret has them, behind a link that is --token-dir:
// current → v1, v1/token → ..data/token, v1/..data → ..1.
type tokenFiles struct {
	t   *testing.T
	dir string
	// laid counts the directories that were made.
	laid int
}

func (w *world) tokenFiles(value string) *tokenFiles {
	w.t.Helper()
	f := &tokenFiles{t: w.t, dir: w.tokens}
	f.swapDirectory(value)
	return f
}

// manners are the ways in which a token is rotated.
func (f *tokenFiles) manners() []func(value string) {
	return []func(string){f.write, f.rename, f.swapFile, f.swapData, f.replace, f.swapDirectory}
}

func (f *tokenFiles) write(value string) {
	f.must(os.WriteFile(f.real(), []byte(value+"\n"), 0o644))
}

func (f *tokenFiles) rename(value string) { writeFile(f.t, f.real(), value+"\n") }

func (f *tokenFiles) replace(value string) {
	path := f.real()
	f.must(os.Remove(path))
	f.must(os.WriteFile(path, []byte(value), 0o644))
}

// swapFile has the token's own link lead to another file.
func (f *tokenFiles) swapFile(value string) {
	f.must(os.WriteFile(f.at("..data", value), []byte(value), 0o644))
	f.link("..data/"+value, f.at("token"))
}

// swapData is what the kubelet does.
func (f *tokenFiles) swapData(value string) {
	target, err := os.Readlink(f.at("token"))
	f.must(err)
	f.must(os.Mkdir(f.at(".."+value), 0o755))
	f.must(os.WriteFile(f.at(".."+value, filepath.Base(target)), []byte(value), 0o644))
	f.link(".."+value, f.at("..data"))
}

// swapDirectory has --token-dir lead to another directory.
func (f *tokenFiles) swapDirectory(value string) {
	f.laid++
	name := fmt.Sprintf("v%d", f.laid)
	f.must(os.MkdirAll(filepath.Join(f.dir, name, "..1"), 0o755))
	f.must(os.WriteFile(filepath.Join(f.dir, name, "..1/token"), []byte(value), 0o644))
	f.link("..1", filepath.Join(f.dir, name, "..data"))
	f.link("..data/token", filepath.Join(f.dir, name, "token"))
	f.link(name, filepath.Join(f.dir, "current"))
}

// link puts a link in the place of another in one move.
func (f *tokenFiles) link(target, path string) {
	f.must(os.Symlink(target, path+".new"))
	f.must(os.Rename(path+".new", path))
}

func (f *tokenFiles) at(names ...string) string {
	return filepath.Join(append([]string{f.dir, "current"}, names...)...)
}

// real is the path of the token's file without links.
func (f *tokenFiles) real() string {
	path, err := filepath.EvalSymlinks(f.at("token"))
	f.must(err)
	return path
}

func (f *tokenFiles) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// While a token is rotated over and over, by every manner of change, no request fails, and none that begins after the
// sidecar has confirmed a generation carries a token of before.
func TestRotationsLoseNoRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	files := w.tokenFiles("token-0")
	c := w.run("--token-dir", files.at(), "--resync", "10m") // no look but for what is noticed
	w.drop("web.yaml", w.spec("web", "/v1"))
	c.ready("web")
	fresh, keeping := w.visitors("-c", "2", "-pause", breath), w.visitors("-c", "2", "-pause", breath, "-keep")
	ask := func(confirmed int) {
		for _, v := range []*visitors{fresh, keeping} {
			v.ask("web", fmt.Sprintf("%s/api/x?confirmed=%d", proxyURL, confirmed))
		}
	}
	ask(0)
	made, deadline := 0, time.Now().Add(loadAtMost)
	for made < fileRotations || fresh.total().OK+keeping.total().OK < reloadRequests {
		if time.Now().After(deadline) {
			t.Fatalf("after %s there were %d rotations", loadAtMost, made)
		}
		before := c.count("web", "Reloaded")
		rotate := files.manners()[made%len(files.manners())]
		made++
		rotate(fmt.Sprintf("token-%d", made))
		eventually(t, "the new generation is confirmed", func() error { return want(c.count("web", "Reloaded") > before, made) })
		ask(made)
	}
	t.Logf("%d rotations", made)
	if ids := labelled(t, "container", w.id); len(ids) != 1 {
		t.Errorf("there are containers %v", ids)
	}
	fresh.lostNone("who makes new connections")
	keeping.lostNone("who keeps connections")
	w.noneOutlived(made)
}

// With the token in its environment a sidecar is replaced for each rotation. From the end of its predecessor nothing carries the
// token of before.
func TestRotationsOfAnEnvironmentLoseNoRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "token-0")
	c := w.run("--resync", "10m", "--drain-timeout", "5s")
	w.drop("web.yaml", w.spec("web", "/v1", "spec: tokenDelivery: Env"))
	last := c.ready("web")
	fresh := w.visitors("-c", "2", "-pause", breath)
	fresh.ask("web", proxyURL+"/api/x?confirmed=0")
	for made := 1; made <= envRotations; made++ {
		w.setToken("token", fmt.Sprintf("token-%d", made))
		last = c.otherThan("web", last)
		eventually(t, "its predecessor is gone", func() error {
			ids := labelled(t, "container", w.id)
			return want(len(ids) == 1 && ids[0] == last.Status.ContainerID && exists(w.id+"-web"), ids)
		})
		fresh.turn() // as in TestReplacementsLoseNoRequest
		fresh.ask("web", fmt.Sprintf("%s/api/x?confirmed=%d", proxyURL, made))
	}
	fresh.turn()
	fresh.lostNone("who makes new connections")
	w.noneOutlived(envRotations)
}

// noneOutlived fails when a request that began after a rotation was confirmed carried a token of before, or when no request
// carried the last token.
func (w *world) noneOutlived(rotations int) {
	w.t.Helper()
	eventually(w.t, "a request arrives after the last confirmation", func() error {
		last := 0
		for _, seen := range w.tally() {
			var confirmed, token int
			if _, err := fmt.Sscanf(seen.URI, "/v1/x?confirmed=%d", &confirmed); err != nil {
				w.t.Fatalf("arrived: %+v", seen)
			}
			if _, err := fmt.Sscanf(strings.TrimPrefix(seen.Authorization, "Bearer "), "token-%d", &token); err != nil || token < confirmed {
				w.t.Fatalf("%d requests that began after rotation %d carried %q", seen.Requests, confirmed, seen.Authorization)
			}
			if confirmed == rotations {
				last += seen.Requests
			}
		}
		return want(last > 0, last)
	})
}
