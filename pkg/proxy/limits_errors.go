package proxy

import (
	"errors"
	"maps"
	"net/http"
	"strconv"
)

// codeIdle is also what the log says of an answer that broke off for its silence.
const codeIdle = "idle_timeout"

// tooLarge says which limit of bytes a header or body is beyond.
func tooLarge(status int, what string, limit int64) *refusal {
	return lastOfConnection(&refusal{status: status, code: what + "_too_large",
		message: "the request's " + what + " is larger than the route's limit of " + strconv.FormatInt(limit, 10) + " bytes"})
}

// tooMany says when to come again, which client libraries do by themselves (RFC 6585 section 4).
func tooMany(code, why string, seconds int) *refusal {
	return &refusal{status: http.StatusTooManyRequests, code: code,
		message: "the route takes no more requests now: " + why + "; try again in " + strconv.Itoa(seconds) + " s",
		header:  http.Header{"Retry-After": {strconv.Itoa(seconds)}}}
}

// tookTooLong words the end of an exchange by one of the route's limits of time; nil for any other cause.
func tookTooLong(rt *route, cause error) *refusal {
	switch {
	case errors.Is(cause, errSlowBody):
		return lastOfConnection(&refusal{status: http.StatusRequestTimeout, code: "body_timeout",
			message: "the request's body did not arrive within the route's limit of " + rt.limits.bodyTimeout.String()})
	case errors.Is(cause, errIdle):
		return lastOfConnection(&refusal{status: http.StatusGatewayTimeout, code: codeIdle,
			message: "nothing was sent in either direction for the route's limit of " + rt.limits.idleTimeout.String()})
	}
	return nil
}

// lastOfConnection is for a request whose body is not read to its end: net/http would go on reading otherwise.
func lastOfConnection(r *refusal) *refusal {
	r.header = http.Header{"Connection": {"close"}}
	return r
}

// ofStream is the refusal of a request over HTTP/2, whose body is no hindrance: the connection is kept, with its other requests.
func (r *refusal) ofStream() *refusal {
	if len(r.header["Connection"]) == 0 {
		return r
	}
	kept := *r
	kept.header = maps.Clone(r.header)
	delete(kept.header, "Connection")
	return &kept
}
