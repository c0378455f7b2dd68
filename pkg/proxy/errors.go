package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"syscall"
)

// errorHeader carries the code of an error that is the sidecar's own and not the upstream's.
const errorHeader = "Cred-Proxy-Error"

// refusal is an answer that the sidecar gives itself. Its codes are:
//
//	400 bad_path              the path could lead out of its route
//	400 bad_request           the body is not framed as it should be, or the header has too many fields
//	403 denied                CONNECT or TRACE
//	404 no_route              no route has a prefix of the path
//	502 upstream_unreachable  the upstream could not be asked
//	503 no_token              the route's token is missing
//	504 upstream_timeout      the upstream did not answer in time
type refusal struct {
	status int
	code   string
	// message is for people, and for agents that read what they are told.
	message string
}

func noRoute(t *table) *refusal {
	return &refusal{http.StatusNotFound, "no_route", "no route has a prefix of this path; the routes are " + t.paths()}
}

func noToken(rt *route) *refusal {
	return &refusal{http.StatusServiceUnavailable, "no_token",
		"the sidecar has no token for route " + rt.path + "; the controller's status says which one is missing"}
}

func denied(message string) *refusal {
	return &refusal{http.StatusForbidden, "denied", message}
}

func badPathRefusal(why string) *refusal {
	return &refusal{http.StatusBadRequest, "bad_path", why}
}

func badRequest(why string) *refusal {
	return &refusal{http.StatusBadRequest, "bad_request", why}
}

// upstreamRefusal words a failed exchange with an upstream. The error's own text is not used: it may quote what the
// upstream sent.
func upstreamRefusal(rt *route, err error) *refusal {
	host := rt.upstream.Host
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return &refusal{http.StatusGatewayTimeout, "upstream_timeout", host + " did not answer in time"}
	}
	return &refusal{http.StatusBadGateway, "upstream_unreachable", host + " could not be reached: " + reason(err)}
}

func reason(err error) string {
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		unknown     x509.UnknownAuthorityError
		record      tls.RecordHeaderError
		alert       tls.AlertError
	)
	switch {
	case errors.As(err, &dns):
		return "its name could not be resolved"
	case errors.As(err, &certificate), errors.As(err, &unknown):
		return "its certificate was not accepted"
	case errors.As(err, &record), errors.As(err, &alert):
		return "it does not speak TLS as expected"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refused the connection"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no way to it; is the egress network connected?"
	}
	return "the connection failed"
}

// write sends the refusal as JSON.
func (r *refusal) write(w http.ResponseWriter, route string) {
	// Strings always encode.
	body, _ := json.Marshal(struct {
		Error   string `json:"error"`
		Message string `json:"message"`
		Route   string `json:"route"`
	}{r.code, r.message, route})
	body = append(body, '\n')
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set(errorHeader, r.code)
	w.WriteHeader(r.status)
	// A client that has left needs no answer.
	_, _ = w.Write(body)
}
