package proxy

import (
	"context"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// readHeaderTimeout bounds a client that dribbles its header. Bodies have no bound in time, since streams have
	// none either.
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	// maxHeaderBytes is ample for what agents and their tools send. net/http reads 4 KiB more before it refuses.
	maxHeaderBytes = 16 << 10
)

// newServer bounds what a client can hold open. The end of base cuts off the requests in flight.
func newServer(base context.Context, h http.Handler, lines *slog.Logger) *server {
	return splitHTTP2(&http.Server{
		Handler:           h,
		Protocols:         spoken(),
		HTTP2:             boundsOfHTTP2(),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// OPTIONS * is a request like any other, and refused as a path.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(newComplaints(lines), "", 0),
		BaseContext:                  func(net.Listener) context.Context { return base },
		ConnContext:                  introduce,
	})
}
