// Package controller carries the files of this directory that the controller needs when it runs, so that a released
// binary needs no checkout.
package controller

import (
	"embed"
	"strings"
)

// schemas are the files of config/schema.
//
//go:embed config/schema/*.json
var schemas embed.FS

// Schema returns the text of the JSON Schema of a kind, such as CredProxy, and whether there is one.
func Schema(kind string) (text []byte, ok bool) {
	text, err := schemas.ReadFile("config/schema/" + strings.ToLower(kind) + ".v1alpha1.schema.json")
	return text, err == nil
}

// singleUserPolicy is the text of config/policy/single-user.yaml.
//
//go:embed config/policy/single-user.yaml
var singleUserPolicy string

// SingleUserPolicy returns the text of config/policy/single-user.yaml, which --policy single-user stands for.
func SingleUserPolicy() []byte { return []byte(singleUserPolicy) }

// sidecarDockerfile is the text of Dockerfile.cred-proxy.
//
//go:embed Dockerfile.cred-proxy
var sidecarDockerfile string

// SidecarDockerfile returns the text of Dockerfile.cred-proxy, from which the sidecar's image is built.
func SidecarDockerfile() []byte { return []byte(sidecarDockerfile) }
