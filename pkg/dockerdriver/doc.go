// Package dockerdriver is reconcile.Driver on the Docker Engine API. It is the only package that knows Docker: what the
// engine says becomes reconcile's values, and how it fails becomes reconcile's kinds of errors, once, here.
//
// A settled engine is looked at with two lists and nothing else. What lists leave out is inspected when it is
// first seen or has changed; what a sidecar says is heard by attaching to it, once for each of its runs.
package dockerdriver
