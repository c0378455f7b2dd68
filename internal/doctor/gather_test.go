package doctor

import (
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"credproxy.dev/controller/internal/web"
)

func write(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte("128\n"), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

func makeDir(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestTokenFilesThatAllMayRead(t *testing.T) {
	dir := t.TempDir()
	tokens, hidden := filepath.Join(dir, "tokens"), filepath.Join(dir, "tokens", "hidden")
	makeDir(t, tokens, 0o755)
	makeDir(t, hidden, 0o700)
	write(t, filepath.Join(tokens, "good"), 0o640)
	write(t, filepath.Join(hidden, "out-of-reach"), 0o644)
	if found := LookAtTokenDir(tokens, dir+"/specs"); found.Readable != "" || found.Err != nil || found.InSpecs || found.Mode.Perm() != 0o755 {
		t.Errorf("%+v", found)
	}
	write(t, filepath.Join(tokens, "open"), 0o644)
	if found := LookAtTokenDir(tokens, ""); found.Readable != "open" {
		t.Errorf("%+v", found)
	}
}

func TestTokensBeneathSpecsAreFoundThroughLinks(t *testing.T) {
	dir := t.TempDir()
	makeDir(t, filepath.Join(dir, "specs", "tokens"), 0o700)
	link := filepath.Join(dir, "link")
	if err := os.Symlink("specs", link); err != nil {
		t.Fatal(err)
	}
	for _, tokens := range []string{filepath.Join(dir, "specs", "tokens"), filepath.Join(link, "tokens"), link} {
		if found := LookAtTokenDir(tokens, filepath.Join(dir, "specs")); !found.InSpecs {
			t.Errorf("%s: %+v", tokens, found)
		}
	}
	makeDir(t, filepath.Join(dir, "specs-tokens"), 0o700)
	if found := LookAtTokenDir(filepath.Join(dir, "specs-tokens"), filepath.Join(dir, "specs")); found.InSpecs {
		t.Errorf("a neighbour: %+v", found)
	}
}

func TestDirectoriesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), 0o600)
	for _, name := range []string{"file", "nowhere"} {
		if found := LookAtTokenDir(filepath.Join(dir, name), dir); found.Err == nil {
			t.Errorf("tokens in %s: %+v", name, found)
		}
	}
	if found := LookAtStateDir(filepath.Join(dir, "file", "locks")); found.Err == nil {
		t.Errorf("state beneath a file: %+v", found)
	}
	if found := LookAtStateDir(filepath.Join(dir, "a", "b")); found.Err != nil || !found.Missing {
		t.Errorf("state that is to be made: %+v", found)
	}
	if found := LookAtStateDir(dir); found.Err != nil || found.Missing {
		t.Errorf("state: %+v", found)
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); err == nil {
		t.Error("looking made the directory")
	}
}

func TestTheSocketsModeIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := os.Chmod(path, 0o660); err != nil {
		t.Fatal(err)
	}
	found := LookAtSocket("unix://" + path)
	if found.Path != path || !found.Usable || found.Mode != fs.ModeSocket|0o660 || found.Group == "" || found.Err != nil {
		t.Errorf("%+v", found)
	}
	if found := LookAtSocket("unix:///nowhere.sock"); found.Err == nil || found.Usable {
		t.Errorf("%+v", found)
	}
	if found := LookAtSocket("tcp://127.0.0.1:2375"); found.Path != "" {
		t.Errorf("%+v", found)
	}
}

func TestWhoListens(t *testing.T) {
	says := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(says)) }))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	for _, tt := range []struct {
		says       string
		controller bool
	}{{"hello", false}, {"a page that is longer, and not what a controller says", false}, {web.Greeting + " More.", true}} {
		says = tt.says
		if found := LookAtListen(t.Context(), address, false); !found.Taken || found.Controller != tt.controller || !found.Loopback {
			t.Errorf("%q: %+v", tt.says, found)
		}
	}
	if found := LookAtListen(t.Context(), "127.0.0.1:0", false); found.Taken || found.Err != nil || !found.Loopback {
		t.Errorf("a free one: %+v", found)
	}
	if found := LookAtListen(t.Context(), ":0", true); found.Loopback || found.Err != nil || !found.RemoteAPI {
		t.Errorf("every address: %+v", found)
	}
	if found := LookAtListen(t.Context(), "192.0.2.1:0", false); found.Err == nil || found.Taken {
		t.Errorf("another machine's: %+v", found)
	}
	if found := LookAtListen(t.Context(), "127.0.0.1:nothing", false); found.Err == nil {
		t.Errorf("none: %+v", found)
	}
}

func TestInotifyLimitsAreRead(t *testing.T) {
	dir := t.TempDir()
	if found := LookAtInotify(dir); found.Err == nil {
		t.Errorf("%+v", found)
	}
	write(t, filepath.Join(dir, "max_user_watches"), 0o644)
	write(t, filepath.Join(dir, "max_user_instances"), 0o644)
	if found := LookAtInotify(dir); found != (Inotify{Watches: 128, Instances: 128}) {
		t.Errorf("%+v", found)
	}
}
