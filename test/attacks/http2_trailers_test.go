package attacks

import (
	"slices"
	"strings"

	"credproxy.dev/controller/pkg/routetable"
)

// trailersInFrames come when the fields have been judged, in a frame like theirs (RFC 9113 section 8.1).
func trailersInFrames() []attack {
	const cost = "a server that puts trailers among the fields would see a credential, or another request, that nobody has judged"
	passes := func(name, announced string, trailers ...string) attack {
		return attack{
			name: name + ", over HTTP 2", cost: cost, arrives: []string{"upstream.test: POST /base/x"},
			framed: []step{{posting(1, "/r/x", "trailer", announced) + data(1, "a") + headers(1, true, trailers...), []string{"200"}}},
		}
	}
	refused := func(name, trailers string) attack {
		return attack{
			name: name, cost: cost, may: []string{"upstream.test: POST /base/x (cut off)"},
			framed: []step{{posting(1, "/r/x", "trailer", "x-checksum, authorization, host") + data(1, "a") + trailers, []string{protocolError}}},
		}
	}
	endless := refused("trailers without end, over HTTP 2", inFrames(1, true, strings.Repeat("\x00\x01a\x010", 20000)))
	endless.framed[0].gets, endless.slow, endless.closes = []string{"GOAWAY PROTOCOL_ERROR"}, true, true
	silent := passes("a credential in a trailer that was not announced", "", "authorization", "Bearer "+own, "host", "evil.test")
	silent.framed[0].sends = posting(1, "/r/x") + data(1, "a") + headers(1, true, "authorization", "Bearer "+own, "host", "evil.test")
	return []attack{
		silent,
		passes("a credential among trailers that pass", "x-checksum, x_api_key, content-digest", "x-checksum", "1", "x_api_key", own, "content-digest", "a"),
		passes("the route's own header in a trailer", "x-service-key, x_service_key, x-checksum", "x-service-key", own, "x_service_key", own),
		passes("a cookie in a trailer", "cookie", "cookie", "session="+own),
		refused("a credential in a trailer, over HTTP 2", headers(1, true, "authorization", "Bearer "+own)),
		refused("a host in a trailer, over HTTP 2", headers(1, true, "host", "evil.test")),
		passes("a path for some servers in a trailer", "x-original-url", "x-original-url", "/admin"),
		passes("a length that is announced for a trailer", "content-length, transfer-encoding, trailer", "x-checksum", "1"),
		refused("a path in a trailer, over HTTP 2", headers(1, true, ":path", "/admin")),
		refused("a method in a trailer, over HTTP 2", headers(1, true, "x-checksum", "1", ":method", "DELETE")),
		refused("a request in a trailer, over HTTP 2", getting(1, "/r/admin")),
		refused("a length in a trailer, over HTTP 2", headers(1, true, "content-length", "100")),
		refused("a coding in a trailer, over HTTP 2", headers(1, true, "transfer-encoding", "chunked")),
		refused("a line end in a trailer, over HTTP 2", headers(1, true, "x-checksum", "1\r\nauthorization: "+own)),
		refused("a name in capitals in a trailer, over HTTP 2", headers(1, true, "Authorization", own)),
		refused("trailers that are not the end, over HTTP 2", headers(1, false, "x-checksum", "1")+lastData(1, "b")),
		endless,
	}
}

// keysInFrames ask without the environment's caller key.
func keysInFrames() []attack {
	const cost = "whoever reaches the internal network would spend the environment's tokens"
	key := token(callerSlot)
	keyed := func(name, sends string, gets ...string) attack {
		return attack{
			name: name + ", over HTTP 2", cost: cost, framed: []step{{sends, gets}},
			set: func(s *stage) {
				s.table.CallerAuth = &routetable.CallerAuth{TokenFile: slot(callerSlot)}
				s.fields = []string{"Cred-Proxy-Key: " + key}
			},
		}
	}
	const none = "401 unauthorized"
	beside := keyed("no key on the stream beside", getting(1, "/key/x", "cred-proxy-key", key)+getting(3, "/key/y"), "200", none)
	beside.arrives = []string{"key.test: GET /x"}
	shown := keyed("the key in every field", getting(1, "/key/x", "cred-proxy-key", key, "authorization", "Bearer "+key, "x-api-key", key, "x_api_key", key, "x-service-key", key), "200")
	shown.cost, shown.arrives = "an upstream would learn the key, and with it who may call", []string{"key.test: GET /x"}
	trailer := keyed("the key in a trailer", posting(1, "/key/x", "cred-proxy-key", key, "trailer", "cred-proxy-key, x-api-key, x-service-key")+data(1, "a")+
		headers(1, true, "cred-proxy-key", key, "x-api-key", key, "x-service-key", key), "200")
	trailer.cost, trailer.arrives = shown.cost, []string{"key.test: POST /x"}
	return slices.Concat([]attack{
		keyed("no key", getting(1, "/r/x"), none),
		keyed("no key for a path of no route", getting(1, "/nowhere"), none),
		keyed("no key for a bad path", getting(1, "/r/../x"), none),
		keyed("no key for CONNECT", headers(1, true, ":method", "CONNECT", ":authority", "evil.test:443"), none),
		keyed("no key for a stream of messages", headers(1, false, asks("POST", "/r/x", "content-type", "application/grpc", "te", "trailers")...), "200 unauthorized"),
		keyed("an empty key", getting(1, "/r/x", "cred-proxy-key", ""), none),
		keyed("two keys", getting(1, "/r/x", "cred-proxy-key", key, "cred-proxy-key", own), none),
		keyed("the key for a pseudo-field", headers(1, true, append(asks("GET", "/r/x"), ":cred-proxy-key", key)...), protocolError),
		keyed("the key for an authority", headers(1, true, ":method", "GET", ":scheme", "http", ":authority", key, ":path", "/r/x"), none),
		keyed("the key under another name", getting(1, "/r/x", "cred_proxy_key", key), none),
		keyed("a body before the key", headers(1, false, asks("POST", "/r/x", "content-length", "1000000")...), none),
	}, []attack{beside, shown, trailer})
}
