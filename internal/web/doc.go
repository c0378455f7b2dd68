// Package web serves what the controller knows over HTTP: metrics, health, and a read-only API. It has no way to
// change anything, and it answers only those who may ask: a page in the operator's browser may not, and neither
// may the network, unless the operator opened the API to it.
package web
