package proxy

import "net/http"

// onlyWebSocket reports whether a request asks to go on as a WebSocket (RFC 6455 section 4.1), in words that have but one meaning. Any
// other offer ends here with the fields of this hop, as a server may ignore it, and one in HTTP/1.0 has to (RFC 9110 section 7.8): a
// tunnel of another protocol would carry requests past the rules. The settings of HTTP/2 go without an offer too, which are between
// neighbours (RFC 7540 section 3.2.1), and which a client of HTTP/2 can send as a field like any other.
func onlyWebSocket(r *http.Request) bool {
	delete(r.Header, "Http2-Settings")
	return r.Method == http.MethodGet && r.ProtoAtLeast(1, 1) && len(r.Header["Upgrade"]) == 1 && isHandshake(r.Header)
}
