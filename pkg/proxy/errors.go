package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/http"
	"strconv"
	"syscall"

	"credproxy.dev/controller/pkg/routetable"
)

// refusal is an answer that the sidecar gives itself. Its codes are:
//
//	400 bad_path              the path could lead out of its route, or means different things to different servers where a
//	                          route permits some paths only
//	400 bad_request           the body is not framed as it should be, the header has too many fields, or HTTP/2 let through what
//	                          no request has
//	401 unauthorized          the caller did not show the environment's key
//	403 denied                CONNECT or TRACE, or the route's policy does not permit it, or the upstream's address is none that
//	                          the route may reach
//	404 no_route              no route has a prefix of the path
//	408 body_timeout          the body did not arrive within the route's limit
//	413 body_too_large        the body is larger than the route's limit
//	429 rate_limited          the route has had its requests of this minute
//	429 concurrency_limited   the route has as many requests in flight as its limit
//	431 header_too_large      the header is larger than the route's limit
//	502 unreadable            the upstream's answer cannot be searched for the route's token
//	502 upstream_unreachable  the upstream could not be asked
//	503 busy                  the sidecar has as many requests in hand as it can hold; over HTTP/2 only
//	503 no_token              the route's token is missing or withheld, or the caller key is missing, or nothing was delivered yet
//	504 upstream_timeout      the upstream did not answer in time
//	504 idle_timeout          nothing was sent in either direction for as long as the route's limit
type refusal struct {
	status int
	code   string
	// message is for people, and for agents that read what they are told.
	message string
	// stage is how far a request for the upstream got; empty for one that was not made.
	stage string
	// header has what the answer needs beside that.
	header http.Header
}

func noRoute(t *table) *refusal {
	return &refusal{status: http.StatusNotFound, code: "no_route", message: "no route has a prefix of this path; the routes are " + t.paths()}
}

func noToken(rt *route) *refusal {
	return &refusal{status: http.StatusServiceUnavailable, code: "no_token",
		message: "the sidecar has no token for route " + rt.path + withheldWords(rt.withheld)}
}

// withheldWords ends the sentence that says a route has no token.
func withheldWords(why routetable.Withheld) string {
	switch why {
	case routetable.WithheldSuspended:
		return ": this environment is suspended; its operator ends that"
	case routetable.WithheldRevoked:
		return ": it was revoked by the operator"
	case routetable.WithheldDenied:
		return ": the operator's policy does not permit this use of it"
	}
	return "; the controller's status says which one is missing"
}

func noCallerKey() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, code: "no_token",
		message: "the sidecar has no caller key, so that it serves nobody; the controller's status says what is missing"}
}

// unauthorized is the same answer for no key and for a wrong one. One with a body is the last of its connection: otherwise
// net/http would read the body of somebody unknown before it answers.
func unauthorized(c *callers, r *http.Request) *refusal {
	refused := &refusal{status: http.StatusUnauthorized, code: "unauthorized",
		message: "this sidecar serves only those who show its caller key; send it in " + c.where(),
		header:  http.Header{"Www-Authenticate": c.challenges()}}
	if r.ContentLength != 0 {
		refused.header["Connection"] = []string{"close"}
	}
	return refused
}

func busy() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, code: "busy",
		message: "the sidecar has as many connections and requests in hand as its memory holds; try again in 1 s",
		header:  http.Header{"Retry-After": {"1"}}}
}

func denied(message string) *refusal {
	return &refusal{status: http.StatusForbidden, code: "denied", message: message}
}

func badPathRefusal(why string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "bad_path", message: why}
}

func badRequest(why string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "bad_request", message: why}
}

// upstreamRefusal words a failed exchange with an upstream. The error's own text is not used: it may quote what the
// upstream sent.
func upstreamRefusal(rt *route, err error) *refusal {
	var destination *destinationError
	if errors.As(err, &destination) {
		return forbiddenDestination(rt, destination)
	}
	host, stage := rt.upstream.Host, stageOf(err)
	if !timedOut(err) {
		return &refusal{status: http.StatusBadGateway, code: "upstream_unreachable",
			message: host + " could not be reached: " + reason(err), stage: stage}
	}
	message := host + " did not answer in time"
	switch stage {
	case routetable.StageDNS:
		message += ": its name was not resolved"
	case routetable.StageConnect:
		message += ": no connection came about"
	case routetable.StageTLS:
		message += ": TLS was not agreed on"
	}
	return &refusal{status: http.StatusGatewayTimeout, code: "upstream_timeout", message: message, stage: stage}
}

// forbiddenDestination says by which rule an upstream is not asked, and what would have it asked.
func forbiddenDestination(rt *route, e *destinationError) *refusal {
	message := rt.upstream.Host + " is not asked: " + e.Error()
	if e.kind == private {
		return denied(message + "; if it is meant, its operator sets allowPrivate: true on route " + rt.path + " of the spec")
	}
	return denied(message + "; no route may lead there")
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
	case errors.As(err, &record), errors.As(err, &alert), errors.Is(err, http.ErrSchemeMismatch):
		return "it does not speak TLS as expected"
	case errors.Is(err, errTunnel):
		return "the egress proxy did not connect to it"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refused the connection"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no way to it; is the egress network connected?"
	}
	return "the connection failed"
}

// mark says in a header that the answer is the sidecar's own, and why.
func (r *refusal) mark(h http.Header) {
	h.Set(routetable.FieldError, r.code)
	if r.stage != "" {
		h.Set(routetable.FieldStage, r.stage)
	}
	maps.Copy(h, r.header)
}

// write sends the refusal as JSON.
func (r *refusal) write(w http.ResponseWriter, route string) {
	// Strings always encode.
	body, _ := json.Marshal(struct {
		Error   string `json:"error"`
		Message string `json:"message"`
		Route   string `json:"route"`
		Stage   string `json:"stage,omitempty"`
	}{r.code, r.message, route, r.stage})
	body = append(body, '\n')
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	r.mark(h)
	w.WriteHeader(r.status)
	// A client that has left needs no answer.
	_, _ = w.Write(body)
}
