// Package proxy is the sidecar: a reverse proxy that alone holds the tokens. It serves the internal network only,
// takes away whatever credential a client brings, adds the route's own, and forwards. Everything it does follows from
// one whole generation of the routing table at a time.
package proxy
