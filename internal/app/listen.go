package app

import (
	"context"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"credproxy.dev/controller/internal/doctor"
)

// listen opens the address of the pages; remote is true unless it is on loopback.
func listen(ctx context.Context, address string) (listener net.Listener, remote bool, err error) {
	var config net.ListenConfig
	listener, err = config.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, unix.EADDRINUSE) && doctor.ControllerAt(ctx, address):
		return nil, false, fmt.Errorf("at the address %s another controller answers, which 'controller status --server http://%s' asks; end "+
			"that one, or choose another address with --listen: %w", address, address, err)
	case errors.Is(err, unix.EADDRINUSE):
		return nil, false, fmt.Errorf("the address %s is in use by another process; end that one, or choose "+
			"another address with --listen: %w", address, err)
	case err != nil:
		return nil, false, fmt.Errorf("the address %s cannot be listened on; choose another with --listen: %w",
			address, err)
	}
	tcp, ok := listener.Addr().(*net.TCPAddr)
	return listener, !ok || !tcp.IP.IsLoopback(), nil
}
