package attacks

import (
	"encoding/base64"

	"credproxy.dev/controller/pkg/routetable"
)

// callers asks without the environment's caller key, or would have it sent on.
func callers() []attack {
	const cost = "whoever reaches the internal network would spend the environment's tokens"
	key := token(callerSlot)
	keyed := func(s *stage) {
		s.table.CallerAuth = &routetable.CallerAuth{TokenFile: slot(callerSlot)}
		s.fields = []string{"Cred-Proxy-Key: " + key}
	}
	var all []attack
	for _, p := range []struct{ name, sends string }{
		{"no key", get("/r/x")},
		{"no key for a path of no route", get("/nowhere")},
		{"no key for a bad path", get("/r/../x")},
		{"no key for the absolute form", head("GET http://evil.test/ HTTP/1.1", "Host: a")},
		{"no key for CONNECT", head("CONNECT evil.test:443 HTTP/1.1", "Host: a")},
		{"no key for a WebSocket", webSocket("/r/x")},
		{"an empty key", get("/r/x", "Cred-Proxy-Key:")},
		{"half of the key", get("/r/x", "Cred-Proxy-Key: "+key[:len(key)/2])},
		{"more than the key", get("/r/x", "Cred-Proxy-Key: "+key+"x")},
		{"the key beside another", get("/r/x", "Cred-Proxy-Key: "+key, "Cred-Proxy-Key: "+own)},
		{"another beside the key", get("/r/x", "Cred-Proxy-Key: "+own, "Cred-Proxy-Key: "+key)},
		{"the key where it is not looked for", get("/r/x?key="+escaped(key), "X-Key: "+key, "Proxy-Authorization: Bearer "+key)},
		{"the key under another name", get("/r/x", "Cred_Proxy_Key: "+key)},
		{"the token of a route for a key", get("/r/x", "Cred-Proxy-Key: "+token(1))},
	} {
		all = append(all, attack{name: p.name, cost: cost, set: keyed, sends: p.sends, gets: []string{"401 unauthorized"}})
	}
	passes := func(name string, fields ...string) attack {
		return attack{
			name: name, cost: "an upstream would learn the key, and with it who may call", set: keyed,
			sends: get("/key/x", fields...), gets: []string{"200"}, arrives: []string{"key.test: GET /x"},
		}
	}
	gated := func(s *stage) {
		s.table.CallerAuth = &routetable.CallerAuth{TokenFile: slot(callerSlot), Header: "X-Gate"}
		s.fields = []string{"X-Gate: " + key}
		s.route("/open").PassCredentials = true
	}
	return append(all,
		attack{
			name: "the key in another field than the callers' own", cost: cost, set: gated,
			sends: get("/r/x", "Cred-Proxy-Key: "+key, "Authorization: Bearer "+key), gets: []string{"401 unauthorized"},
		},
		attack{
			name: "the key in the callers' own field", cost: "an upstream would learn the key, and with it who may call", set: gated,
			sends: get("/key/x", "X-Gate: "+key) + get("/open/x", "X-Gate: "+key, "x_gate: "+key), gets: []string{"200", "200"},
			arrives: []string{"key.test: GET /x", "open.test: GET /x"},
		},
		attack{
			name: "the key in the request before", cost: cost, set: keyed,
			sends: get("/key/x", "Cred-Proxy-Key: "+key) + get("/key/y"), gets: []string{"200", "401 unauthorized"}, arrives: []string{"key.test: GET /x"},
		},
		attack{
			name: "the key in a trailer", cost: cost, set: keyed,
			sends: chunked("/r/x", "0\r\nCred-Proxy-Key: "+key+"\r\n\r\n", "Trailer: Cred-Proxy-Key"), gets: []string{"401 unauthorized"}, closes: true,
		},
		attack{
			name: "a body before the key", cost: "a sidecar would read whatever somebody unknown sends", set: keyed,
			sends: head("POST /r/x HTTP/1.1", "Host: a", "Content-Length: 1000000"), gets: []string{"401 unauthorized"}, closes: true,
		},
		passes("the key as a bearer token", "Authorization: Bearer "+key),
		passes("the key as a password", "Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte("git:"+key))),
		passes("the key as the route's own header", "X-Service-Key: "+key),
		passes("the key as an API key, and under other names", "X-Api-Key: "+key, "X_Api_Key: "+key, "Cred_Proxy_Key: "+key),
		attack{
			name: "the key among credentials that pass", cost: "an upstream would learn the key, and with it who may call",
			set: func(s *stage) {
				keyed(s)
				s.route("/open").PassCredentials = true
				s.upstream("open.test").passes = []string{"X-Goog-Api-Key"}
			},
			sends: get("/open/x", "Authorization: Bearer "+key, "x_api_key: "+key, "Api-Key: "+key, "X-Goog-Api-Key: "+own),
			gets:  []string{"200"}, arrives: []string{"open.test: GET /x"},
			finds: func(s *scene, got []*request) { s.mustHaveField(got, "X-Goog-Api-Key", own) },
		},
	)
}
