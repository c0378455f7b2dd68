package proxy

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Clients of gRPC read from an answer of another kind, or of another status than 200, that number and nothing else. So they are refused
// as servers of gRPC do it: by a header that ends the answer, with a status of gRPC's own and the words.

// isGRPC tells gRPC itself, not gRPC-Web, which is read by browsers and has its status in the body.
func isGRPC(r *http.Request) bool {
	rest, ok := strings.CutPrefix(r.Header.Get("Content-Type"), "application/grpc")
	return ok && r.ProtoMajor == 2 && (rest == "" || rest[0] == '+' || rest[0] == ';')
}

// writeGRPC sends the refusal as a header that is a trailer too ("Trailers-Only" in gRPC's protocol over HTTP/2).
func (r *refusal) writeGRPC(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Status", strconv.Itoa(r.grpcStatus()))
	h.Set("Grpc-Message", percentEncode(r.message))
	r.mark(h)
	w.WriteHeader(http.StatusOK)
}

// grpcStatus is the code that clients would make of the status themselves (http-grpc-status-mapping.md of gRPC), but for what is too large,
// which gRPC has a code for.
func (r *refusal) grpcStatus() int {
	switch r.status {
	case http.StatusBadRequest:
		return 13 // INTERNAL
	case http.StatusUnauthorized:
		return 16 // UNAUTHENTICATED
	case http.StatusForbidden:
		return 7 // PERMISSION_DENIED
	case http.StatusNotFound:
		return 12 // UNIMPLEMENTED
	case http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge:
		return 8 // RESOURCE_EXHAUSTED
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return 14 // UNAVAILABLE
	}
	return 2 // UNKNOWN
}

// percentEncode writes a text as Grpc-Message has it: what is not printable ASCII, and the percent sign, is encoded.
func percentEncode(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			_, _ = fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
