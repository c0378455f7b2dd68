// Package attacks tries what a hostile agent, upstream or neighbour would, on a whole sidecar: its doorway, server, routes, limits and
// scrubbing, behind a socket, with upstreams that keep every byte which reaches them. An attack has a name, and says what it would have
// cost. It has failed only if the right thing happened on both sides, no token came back in any writing, nothing reached an upstream
// but well-formed requests with the route's own credential exactly once, and the next honest request on a connection of its own is served.
package attacks
