package proxy

import (
	"net/http"
	"strings"
)

// onlyWebSocket leaves Upgrade to a WebSocket handshake (RFC 6455 section 4.1). Any other offer is withdrawn, as a server may
// ignore it, and one in HTTP/1.0 has to (RFC 9110 section 7.8): a tunnel of another protocol would carry requests past the rules.
// The settings of HTTP/2 go without an offer too, which are between neighbours (RFC 7540 section 3.2.1), and which a client of HTTP/2
// can send as a field like any other.
func onlyWebSocket(r *http.Request) (webSocket bool) {
	delete(r.Header, "Http2-Settings")
	offers, ok := r.Header["Upgrade"]
	if !ok {
		return false
	}
	if r.Method == http.MethodGet && r.ProtoAtLeast(1, 1) && len(offers) == 1 && strings.EqualFold(offers[0], "websocket") {
		return true
	}
	r.Header.Del("Upgrade")
	return false
}
