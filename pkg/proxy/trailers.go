package proxy

import (
	"net/http"
	"strings"
)

// Trailers of a request come after its header was judged, and some servers take them for fields of it (RFC 9110 section 6.5.1). So only
// those pass that were announced, that could have stood in the header too, and that say something of the body that has gone before.

// announce says which trailers of a request may follow, and has its body bring them when it ends.
func (rt *route) announce(out, in *http.Request) {
	permitted := rt.trailers(in.Trailer)
	out.Trailer = nil
	if body, ok := out.Body.(*upload); ok && len(permitted) > 0 {
		out.Trailer = permitted
		body.atEnd = func() {
			for name, values := range rt.trailers(in.Trailer) {
				if _, announced := permitted[name]; announced {
					permitted[name] = values
				}
			}
		}
	}
}

// trailers are those that may pass.
func (rt *route) trailers(all http.Header) http.Header {
	permitted := http.Header{}
	for name, values := range all {
		if !isOfHeader(name) {
			permitted[name] = values
		}
	}
	rt.strip(permitted)
	return permitted
}

// isOfHeader tells fields that frame, route, condition or describe a message, or authenticate its sender, which are not to be in trailers.
func isOfHeader(name string) bool {
	for _, prefix := range [...]string{"If-", "Proxy-", "Sec-", "Access-Control-", "Grpc-", "X-Original-", "X-Rewrite-"} {
		if len(name) >= len(prefix) && sameField(name[:len(prefix)], prefix) {
			return true
		}
	}
	for _, field := range [...]string{
		"Accept", "Accept-Encoding", "Authentication-Info", "Cache-Control", "Connection", "Content-Encoding", "Content-Language", "Content-Length",
		"Content-Location", "Content-Range", "Content-Type", "Cookie", "Cookie2", "Date", "Expect", "From", "Host", "Http2-Settings", "Keep-Alive",
		"Max-Forwards", "Origin", "Pragma", "Range", "Referer", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "User-Agent", "Via",
	} {
		if sameField(name, field) {
			return true
		}
	}
	return strings.ContainsFunc(name, notInToken)
}
