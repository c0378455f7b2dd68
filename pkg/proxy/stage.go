package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"

	"credproxy.dev/controller/pkg/routetable"
)

// stageOf tells how far a request got that failed.
func stageOf(err error) string {
	var (
		dns         *net.DNSError
		operation   *net.OpError
		certificate *tls.CertificateVerificationError
		unknown     x509.UnknownAuthorityError
		record      tls.RecordHeaderError
		alert       tls.AlertError
	)
	switch {
	case errors.As(err, &dns):
		return routetable.StageDNS
	case errors.As(err, &operation) && (operation.Op == "dial" || operation.Op == "proxyconnect"), errors.Is(err, errTunnel):
		return routetable.StageConnect
	case errors.As(err, &certificate), errors.As(err, &unknown), errors.As(err, &record), errors.As(err, &alert),
		errors.Is(err, http.ErrSchemeMismatch), handshakeTimedOut(err):
		return routetable.StageTLS
	case timedOut(err):
		return routetable.StageTimeout
	}
	return routetable.StageExchange
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// handshakeTimedOut tells net/http's two timeouts apart by their words, since they have no other mark.
func handshakeTimedOut(err error) bool { return err.Error() == "net/http: TLS handshake timeout" }
