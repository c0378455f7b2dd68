package app

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"syscall"

	"credproxy.dev/controller/internal/plainfile"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// roots are the operator's files of certificates, beneath --ca-dir. It keeps the last good version of each that was asked for.
type roots struct {
	dir string
	log *slog.Logger

	mu   sync.Mutex
	good map[string]string
	bad  map[string]bool
}

func newRoots(o Options) *roots {
	return &roots{dir: o.CADir, log: o.Log, good: map[string]string{}, bad: map[string]bool{}}
}

// add puts the certificates that a declaration's routes name into it, and withholds the routes for which there are none.
func (r *roots) add(d *reconcile.Declared) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d.Roots = map[string]string{}
	failed := map[string]error{}
	for _, cp := range d.Specs {
		for _, route := range cp.Spec.Routes {
			for _, file := range route.CertificateFiles() {
				if _, known := d.Roots[file]; !known && failed[file] == nil {
					if text, err := r.text(file); err == nil {
						d.Roots[file] = text
					} else {
						failed[file] = err
					}
				}
				if err := failed[file]; err != nil {
					d.Withhold(cp.Name, route.Path, unusable(file, err))
				}
			}
		}
	}
}

func unusable(file string, err error) reconcile.Withheld {
	return reconcile.Withheld{
		Word: routetable.WithheldMissing, Reason: reconcile.ReasonRootsUnusable,
		Message: fmt.Sprintf("the file of certificates %s %v", file, err),
	}
}

// text is what a file says, or said when it was good.
func (r *roots) text(file string) (string, error) {
	text, err := readRoots(r.dir, file)
	before, known := r.good[file]
	switch {
	case err == nil:
		r.good[file], r.bad[file] = text, false
		return text, nil
	case !known:
		return "", err
	case !r.bad[file]:
		r.log.Error("a file of certificates is bad; what was in it last stays in force", "file", file, "error", err)
	}
	r.bad[file] = true
	return before, nil
}

// readRoots reads a file of certificates. Links lead nowhere out of the directory. Its errors fit behind the file's name.
func readRoots(dir, name string) (string, error) {
	if dir == "" {
		return "", errors.New("cannot be used: add --ca-dir DIR to permit the files beneath a directory")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", errors.New("is not there: --ca-dir cannot be opened; make it, and let the user that runs the controller read it")
	}
	defer root.Close()
	file, err := root.OpenFile(name, plainfile.Flags, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return "", errors.New("is not there: put the certificates into it, beneath --ca-dir")
	case err != nil:
		return "", errors.New("cannot be opened: let the user that runs the controller read it, and have no link lead out of --ca-dir")
	}
	defer file.Close()
	text, _, err := plainfile.Read(file, routetable.MaxCertificatesBytes)
	switch {
	case errors.Is(err, plainfile.ErrTooLarge):
		return "", fmt.Errorf("is larger than %d bytes", routetable.MaxCertificatesBytes)
	case errors.Is(err, plainfile.ErrIrregular):
		return "", errors.New("is not a regular file")
	case err != nil:
		return "", errors.New("cannot be read")
	}
	return routetable.Certificates(string(text))
}
