// Package controller carries the files of this directory that the controller needs when it runs, so that a released
// binary needs no checkout.
package controller

import _ "embed"

// sidecarDockerfile is the text of Dockerfile.cred-proxy.
//
//go:embed Dockerfile.cred-proxy
var sidecarDockerfile string

// SidecarDockerfile returns the text of Dockerfile.cred-proxy, from which the sidecar's image is built.
func SidecarDockerfile() []byte { return []byte(sidecarDockerfile) }
