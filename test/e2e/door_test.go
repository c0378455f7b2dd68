//go:build e2e

package e2e

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// door is a socket that leads to the engine while it is open. Until then nothing is there.
type door struct {
	t    *testing.T
	path string
	// host is what --docker-host takes.
	host string
}

func newDoor(t *testing.T) *door {
	t.Helper()
	// A socket's path is at most 107 bytes long, and t.TempDir is often longer.
	dir, err := os.MkdirTemp("", "door") //nolint:usetesting // for the reason above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "docker.sock")
	return &door{t: t, path: path, host: "unix://" + path}
}

// open lets everyone through from now on.
func (d *door) open() {
	d.t.Helper()
	engine := docker(d.t, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
	network, addr, ok := strings.Cut(engine, "://")
	if !ok || (network != "unix" && network != "tcp") {
		d.t.Fatalf("this story needs an engine on a socket, not %s", engine)
	}
	listener, err := net.Listen("unix", d.path)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial(network, addr)
			if err != nil {
				in.Close()
				continue
			}
			go pass(in, out)
			go pass(out, in)
		}
	}()
}

// pass copies one way, and passes on that no more will come.
func pass(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
