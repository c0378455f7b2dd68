// Package sidecarimage carries the sidecar's binaries inside the controller, so that the sidecar's image can be built
// without a registry, a checkout or Go.
package sidecarimage

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// bin holds cred-proxy-linux-ARCH.gz for each architecture. `make build` writes them; a checkout has none.
//
//go:embed all:bin
var bin embed.FS

// ErrMissing says that the controller was built without the binary.
var ErrMissing = errors.New("no sidecar binary")

// Architectures lists the values of GOARCH for which `make build` makes a binary.
func Architectures() []string { return []string{"amd64", "arm64"} }

// Binary returns the static sidecar binary for linux and an architecture, such as "amd64". The error is ErrMissing,
// with what to do, when this controller carries none.
func Binary(arch string) ([]byte, error) { return binary(bin, arch) }

func binary(files fs.FS, arch string) ([]byte, error) {
	name := "bin/cred-proxy-linux-" + arch + ".gz"
	packed, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w for linux/%s in this controller: build it with `make build`, which makes those for %v",
			ErrMissing, arch, Architectures())
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	unpacked, err := unzip(packed)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is damaged, build the controller anew with `make build`: %w", ErrMissing, name, err)
	}
	return unpacked, nil
}

func unzip(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
