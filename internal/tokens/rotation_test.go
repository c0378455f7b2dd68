package tokens

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// rotations is how often each manner of change is tried. The first is found by a look when the watch begins; the others
// have to be noticed, since the next look is seconds away.
const rotations = 4

// patience bounds every wait for something that has to come.
const patience = lookAgain / 2

func TestEveryMannerOfRotationIsNoticed(t *testing.T) {
	replace := func(t *testing.T, link, target string) {
		must(t, os.Symlink(target, link+".new"))
		must(t, os.Rename(link+".new", link))
	}
	tests := []struct {
		name string
		// tokens is --token-dir, and file the reference; both are ready after the first rotation.
		tokens, file string
		rotate       func(t *testing.T, dir, value string)
	}{
		{"written in place", ".", "token", func(t *testing.T, dir, value string) { write(t, dir, "token", value) }},
		{"written piece by piece", ".", "token", func(t *testing.T, dir, value string) {
			file, err := os.Create(filepath.Join(dir, "token"))
			must(t, err)
			defer file.Close()
			for _, b := range []byte(value) {
				_, err := file.Write([]byte{b})
				must(t, err)
			}
		}},
		{"renamed over", ".", "token", func(t *testing.T, dir, value string) {
			write(t, dir, ".token.new", value)
			must(t, os.Rename(filepath.Join(dir, ".token.new"), filepath.Join(dir, "token")))
		}},
		{"removed and made anew", ".", "token", func(t *testing.T, dir, value string) {
			must(t, os.RemoveAll(filepath.Join(dir, "token")))
			write(t, dir, "token", value)
		}},
		{"a link that is swapped", ".", "token", func(t *testing.T, dir, value string) {
			write(t, dir, value, value)
			replace(t, filepath.Join(dir, "token"), value)
		}},
		{"..data of a mounted secret", ".", "token", func(t *testing.T, dir, value string) {
			write(t, dir, ".."+value+"/token", value)
			replace(t, filepath.Join(dir, "..data"), ".."+value)
			if _, err := os.Lstat(filepath.Join(dir, "token")); err != nil {
				must(t, os.Symlink("..data/token", filepath.Join(dir, "token")))
			}
		}},
		{"a link in the middle of the way", ".", "current/team/token", func(t *testing.T, dir, value string) {
			write(t, dir, value+"/team/token", value)
			replace(t, filepath.Join(dir, "current"), value)
		}},
		{"--token-dir is a link that is swapped", "current", "token", func(t *testing.T, dir, value string) {
			write(t, dir, value+"/token", value)
			replace(t, filepath.Join(dir, "current"), value)
		}},
		{"the target of such a link", "current", "token", func(t *testing.T, dir, value string) {
			write(t, dir, "v1/token", value)
			replace(t, filepath.Join(dir, "current"), "v1")
		}},
		{"a directory is replaced", ".", "team/deep/token", func(t *testing.T, dir, value string) {
			write(t, dir, "new/deep/token", value)
			must(t, os.RemoveAll(filepath.Join(dir, "old")))
			if _, err := os.Lstat(filepath.Join(dir, "team")); err == nil {
				must(t, os.Rename(filepath.Join(dir, "team"), filepath.Join(dir, "old")))
			}
			must(t, os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "team")))
		}},
		{"--token-dir goes and comes back", "tokens", "team/token", func(t *testing.T, dir, value string) {
			must(t, os.RemoveAll(filepath.Join(dir, "tokens")))
			write(t, dir, "tokens/team/token", value)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			test.rotate(t, dir, "value-0")
			n := notice(t, resolver(t, Options{Dir: filepath.Join(dir, test.tokens)}))
			ref := spec.TokenRef{File: test.file}
			n.until(ref, "value-0")
			for i := range rotations {
				value := fmt.Sprint("value-", i+1)
				test.rotate(t, dir, value)
				n.until(ref, value)
			}
		})
	}
}

// noticing is a resolver whose watch runs.
type noticing struct {
	t *testing.T
	*Resolver
	told chan spec.TokenRef
}

func notice(t *testing.T, r *Resolver) *noticing {
	t.Helper()
	n := &noticing{t, r, make(chan spec.TokenRef, 1000)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Watch(ctx, func(ref spec.TokenRef) { n.told <- ref }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return n
}

// until resolves a reference now and whenever it is told of, until it has a value.
func (n *noticing) until(ref spec.TokenRef, want string) {
	n.t.Helper()
	impatience := time.After(patience)
	for {
		token, err := n.Resolve(n.t.Context(), ref)
		if err == nil && token.Reveal() == want {
			return
		}
		select {
		case told := <-n.told:
			if told != ref {
				n.t.Fatalf("told of %s", told)
			}
		case <-impatience:
			n.t.Fatalf("the change was not told; Resolve says %v", err)
		}
	}
}

func TestAFileThatComesIsNoticed(t *testing.T) {
	dir := t.TempDir()
	n := notice(t, resolver(t, Options{Dir: filepath.Join(dir, "not/there/yet")}))
	ref := spec.TokenRef{File: "team/token"}
	if _, err := n.Resolve(t.Context(), ref); !errors.Is(err, reconcile.ErrTokenMissing) {
		t.Fatal(err)
	}
	write(t, dir, "not/there/yet/team/token", secret)
	n.until(ref, secret)
}

func TestWhereATokenIsLookedFor(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "tokens/..v1/mounted", secret)
	write(t, dir, "tokens/team/deep", secret)
	write(t, dir, "outside/secret", secret)
	for name, target := range map[string]string{
		"tokens/..data": "..v1", "tokens/mounted": "..data/mounted", "tokens/out": "../outside/secret", "link": "tokens",
	} {
		must(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	tests := []struct {
		dir, file string
		want      []string
	}{
		{"tokens", "plain", []string{"tokens", "tokens/plain"}},
		{"tokens", "team/deep", []string{"tokens", "tokens/team", "tokens/team/deep"}},
		{"tokens", "no/such", []string{"tokens", "tokens/no"}},
		{"tokens", "mounted", []string{"tokens", "tokens/..data", "tokens/..v1", "tokens/..v1/mounted", "tokens/mounted"}},
		{"link", "plain", []string{"link", "tokens", "tokens/plain"}},
		{"gone/away", "plain", []string{"gone"}},
		{"tokens", "out", []string{"tokens", "tokens/out"}}, // nothing out there is read
	}
	for _, test := range tests {
		t.Run(test.dir+" "+test.file, func(t *testing.T) {
			p, _ := placesOf(filepath.Join(dir, test.dir), []string{test.file})
			got := sets.New[string]()
			for at, names := range p {
				for name := range names {
					rel, err := filepath.Rel(dir, filepath.Join(at, name))
					must(t, err)
					got.Insert(rel)
				}
			}
			if !got.Equal(sets.New(test.want...)) {
				t.Errorf("got %q, want %q", sets.List(got), test.want)
			}
		})
	}
}

func TestFilesThatNobodyAsksForAreWatchedNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := resolver(t, Options{Dir: t.TempDir(), Lately: time.Minute})
		for _, name := range []string{"a", "b"} {
			_, err := r.Resolve(t.Context(), spec.TokenRef{File: name})
			if !errors.Is(err, reconcile.ErrTokenMissing) {
				t.Fatal(err)
			}
			<-time.After(40 * time.Second)
		}
		if got := r.files.since(time.Now().Add(-time.Minute)); len(got) != 1 || got[0] != "b" {
			t.Errorf("watched: %q", got)
		}
	})
}

// trouble is a watch that has the trouble that the test gives it.
type trouble struct {
	refusals int // of Follow, until it succeeds
	missed   bool
	lost     error
	waits    chan struct{}
}

func (w *trouble) Follow(sets.Set[string], sets.Set[string]) (bool, error) {
	if w.refusals--; w.refusals < 0 {
		return false, nil
	}
	return false, fmt.Errorf("raise fs.inotify.max_user_watches: %w", syscall.ENOSPC)
}

func (w *trouble) Close() {}

func (w *trouble) Wait(ctx context.Context, atMost time.Duration, _ func(fsnotify.Event) bool) (bool, error) {
	select {
	case <-w.waits:
		return w.missed, w.lost
	case <-ctx.Done():
	case <-time.After(atMost):
	}
	return false, nil
}

func TestAfterMissedEventsEveryFileIsTold(t *testing.T) {
	for name, w := range map[string]*trouble{"overflow": {missed: true}, "lost": {missed: true, lost: errors.New("lost")}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				told, ctx, cancel := watching(t, w, "a", "b")
				if len(told) != 0 {
					t.Fatalf("told of %d without cause", len(told))
				}
				w.waits <- struct{}{}
				if first, second := <-told, <-told; first != "a" || second != "b" {
					t.Errorf("told of %s and %s", first, second)
				}
				cancel()
				<-ctx.Done()
				synctest.Wait()
			})
		})
	}
}

func TestWhatCannotBeWatchedIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := resolver(t, Options{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&log, nil))})
		w := &rotation{watch: &trouble{refusals: 5}, files: r.files, lately: time.Hour, tell: r.setWatchErr}
		r.files.note("a", reading{at: time.Now()})
		ctx, cancel := context.WithTimeout(t.Context(), 10*lookAgain)
		defer cancel()
		time.AfterFunc(lookAgain, func() {
			if r.WatchErr() == nil {
				t.Error("WatchErr does not tell")
			}
		})
		w.run(ctx, func(string) {})
		said := log.String()
		if strings.Count(said, "max_user_watches") != 1 || strings.Count(said, "again") != 1 || r.WatchErr() != nil {
			t.Errorf("said:\n%s", said)
		}
	})
}

// watching runs a rotation of files that are not there, in a bubble.
func watching(t *testing.T, w *trouble, names ...string) (told chan string, ctx context.Context, cancel func()) {
	told, w.waits = make(chan string, 10), make(chan struct{})
	r := &rotation{watch: w, files: newFiles(t.TempDir()), lately: time.Hour, tell: func(error) {}}
	for _, name := range names {
		r.files.note(name, reading{at: time.Now()})
	}
	ctx, cancel = context.WithCancel(t.Context())
	go r.run(ctx, func(name string) { told <- name })
	synctest.Wait()
	return told, ctx, cancel
}
