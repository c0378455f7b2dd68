package dockerdriver

import (
	"strings"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// Labels of the containers, volumes and networks that a controller makes.
const (
	// LabelInstance holds the name of the controller's instance.
	LabelInstance = spec.Group + "/instance"
	// LabelName holds the name of the spec.
	LabelName = spec.Group + "/name"
	// LabelSpecHash holds spec.Hash of the spec that a container was made from.
	LabelSpecHash = spec.Group + "/spec-hash"
	// LabelImage holds the tag of the controller's own image that a container was made from. The tag says what the image
	// is made of, while its ID is another one each time that it is built.
	LabelImage = spec.Group + "/image"
)

const (
	// slotPrefix begins the names of the environment variables that hold tokens.
	slotPrefix = "CRED_PROXY_TOKEN_"
	// volumeRoot is where the sidecar's volume is mounted.
	volumeRoot = routetable.Dir
)

// identity is the labels that say whose a container, volume or network is.
func (d *Driver) identity(specName string) map[string]string {
	return map[string]string{LabelInstance: d.opts.Instance, LabelName: specName}
}

// claimed returns the name of the spec for which labels claim an object to be this instance's; empty when they do not.
func (d *Driver) claimed(labels map[string]string) string {
	if labels[LabelInstance] != d.opts.Instance {
		return ""
	}
	return labels[LabelName]
}

// otherInstance returns the other instance that labels claim a sidecar for; empty for anything else.
func (d *Driver) otherInstance(labels map[string]string) string {
	if labels[LabelName] == "" || labels[LabelInstance] == d.opts.Instance {
		return ""
	}
	return labels[LabelInstance]
}

// shortID is what the docker CLI shows of an ID.
func shortID(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), 12)]
}
