package tokens

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// A bubble's clock stands in another year than the files', so that a test says when a file was written.
func written(t *testing.T, dir, name, content string) {
	t.Helper()
	write(t, dir, name, content)
	must(t, os.Chtimes(filepath.Join(dir, name), time.Now(), time.Now()))
}

func TestATokenThatIsBeingReplacedIsWaitedFor(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, path string){
		"emptied":       func(t *testing.T, path string) { must(t, os.WriteFile(path, nil, 0o600)) },
		"removed":       func(t *testing.T, path string) { must(t, os.Remove(path)) },
		"half a line":   func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte("a\nb"), 0o600)) },
		"no directory":  func(t *testing.T, path string) { must(t, os.RemoveAll(filepath.Dir(path))) },
		"not a regular": func(t *testing.T, path string) { must(t, os.Remove(path)); must(t, os.Mkdir(path, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir, ref := t.TempDir(), spec.TokenRef{File: "token"}
				r := resolver(t, Options{Dir: filepath.Join(dir, "tokens")})
				write(t, dir, "tokens/token", secret)
				verdict(t, r, ref, secret, nil, "")
				harm(t, filepath.Join(dir, "tokens/token"))
				time.AfterFunc(replacing/2, func() {
					must(t, os.RemoveAll(filepath.Join(dir, "tokens/token")))
					write(t, dir, "tokens/token", secret+"-next")
				})
				verdict(t, r, ref, secret+"-next", nil, "")
			})
		})
	}
}

// A token that is gone holds up one look, and none that follows.
func TestATokenThatStaysAwayIsWaitedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, ref := t.TempDir(), spec.TokenRef{File: "token"}
		r := resolver(t, Options{Dir: dir})
		took := func() time.Duration {
			began := time.Now()
			if _, err := r.Resolve(t.Context(), ref); !errors.Is(err, reconcile.ErrTokenMissing) {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		if d := took(); d != 0 {
			t.Errorf("a token that never was there was waited for, %s", d)
		}
		write(t, dir, "token", secret)
		verdict(t, r, ref, secret, nil, "")
		must(t, os.Remove(filepath.Join(dir, "token")))
		if first, second := took(), took(); first != replacing || second != 0 {
			t.Errorf("waited %s, then %s", first, second)
		}
	})
}

func TestHalfATokenIsNotTakenForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, ref := t.TempDir(), spec.TokenRef{File: "token"}
		r := resolver(t, Options{Dir: dir})
		written(t, dir, "token", secret[:3])
		time.AfterFunc(writing/2, func() { written(t, dir, "token", secret) })
		verdict(t, r, ref, secret, nil, "")
	})
}

func TestAFileThatIsWrittenAllTheTimeIsReadAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := resolver(t, Options{Dir: dir})
		written(t, dir, "token", secret)
		done := time.Now().Add(time.Second)
		go func() {
			for time.Now().Before(done) {
				must(t, os.Chtimes(filepath.Join(dir, "token"), time.Now(), time.Now()))
				<-time.After(time.Millisecond)
			}
		}()
		began := time.Now()
		verdict(t, r, spec.TokenRef{File: "token"}, secret, nil, "")
		if waited := time.Since(began); waited < mostWriting || waited > mostWriting+writing {
			t.Errorf("waited %s", waited)
		}
		<-time.After(time.Until(done) + time.Millisecond)
	})
}
