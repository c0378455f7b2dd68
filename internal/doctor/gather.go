package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"credproxy.dev/controller/internal/operatorfile"
	"credproxy.dev/controller/internal/web"
)

const (
	// mostFiles bounds how many files of a directory of tokens are looked at.
	mostFiles = 10_000
	// answerTime bounds the wait for what listens on the controller's address.
	answerTime = 2 * time.Second
)

// LookAtSocket looks at the socket of an engine's address, if it is one of this machine.
func LookAtSocket(host string) Socket {
	path, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		return Socket{}
	}
	found := Socket{Path: path, Usable: unix.Access(path, unix.R_OK|unix.W_OK) == nil}
	info, err := os.Stat(path)
	if err != nil {
		found.Err = err
		return found
	}
	found.Mode = info.Mode()
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		found.Group = groupName(owner.Gid)
	}
	return found
}

func groupName(gid uint32) string {
	number := strconv.FormatUint(uint64(gid), 10)
	if group, err := user.LookupGroupId(number); err == nil {
		return group.Name
	}
	return number
}

// LookAtTokenDir looks at a directory of tokens and the modes of its files, and reads none of them.
func LookAtTokenDir(dir, specs string) TokenDir {
	found := TokenDir{Dir: dir}
	if dir == "" {
		return found
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		found.Err = err
		return found
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		found.Err = err
	case !info.IsDir():
		found.Err = fmt.Errorf("%s is not a directory", dir)
	default:
		found.Mode = info.Mode()
		found.InSpecs = operatorfile.Beneath(real, specs)
		found.Readable, found.Err = readableByAll(real)
	}
	return found
}

// readableByAll names a file that every user may read who gets into the directory; empty when there is none.
func readableByAll(dir string) (name string, err error) {
	seen := 0
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if seen++; err != nil || seen > mostFiles {
			return err
		}
		switch {
		case entry.IsDir() && path != dir && info.Mode()&othersEnter == 0:
			return fs.SkipDir
		case info.Mode().IsRegular() && info.Mode()&othersRead != 0:
			name, _ = filepath.Rel(dir, path)
			return fs.SkipAll
		}
		return nil
	})
	return name, err
}

// LookAtStateDir finds out whether a directory can be written, or made, without doing either.
func LookAtStateDir(dir string) StateDir {
	found := StateDir{Dir: dir}
	at := dir
	for {
		info, err := os.Stat(at)
		if errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at) {
			found.Missing, at = true, filepath.Dir(at)
			continue
		}
		switch {
		case err != nil:
			found.Err = err
		case !info.IsDir():
			found.Err = fmt.Errorf("%s is not a directory", at)
		default:
			if err := unix.Access(at, unix.W_OK|unix.X_OK); err != nil {
				found.Err = fmt.Errorf("%s cannot be written: %w", at, err)
			}
		}
		return found
	}
}

// LookAtListen tries to listen on an address, for a moment, and asks what listens there already.
func LookAtListen(ctx context.Context, address string, remoteAPI bool) Listen {
	found := Listen{Address: address, RemoteAPI: remoteAPI}
	resolved, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		found.Err = err
		return found
	}
	found.Loopback = resolved.IP.IsLoopback()
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		_ = listener.Close()
	case errors.Is(err, syscall.EADDRINUSE):
		found.Taken, found.Controller = true, isController(ctx, dialable(resolved))
	default:
		found.Err = err
	}
	return found
}

// dialable is the loopback address where one that stands for all of them is listened on.
func dialable(a *net.TCPAddr) string {
	if len(a.IP) == 0 || a.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(a.Port))
	}
	return a.String()
}

// ControllerAt reports whether a controller answers where it is to be listened on.
func ControllerAt(ctx context.Context, address string) bool {
	resolved, err := net.ResolveTCPAddr("tcp", address)
	return err == nil && isController(ctx, dialable(resolved))
}

func isController(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return false
	}
	request.Header.Set("Accept", "text/plain")
	transport := &http.Transport{DisableKeepAlives: true} // and no proxy
	response, err := transport.RoundTrip(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	beginning := make([]byte, len(web.Greeting))
	_, err = io.ReadFull(response.Body, beginning)
	return err == nil && string(beginning) == web.Greeting
}

// LookAtInotify reads this user's limits from the folder where Linux tells them.
func LookAtInotify(folder string) Inotify {
	watches, err := number(filepath.Join(folder, "max_user_watches"))
	instances, err2 := number(filepath.Join(folder, "max_user_instances"))
	return Inotify{watches, instances, errors.Join(err, err2)}
}

func number(file string) (int, error) {
	text, err := os.ReadFile(file) //nolint:gosec // one of the kernel's own
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
