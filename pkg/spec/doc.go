// Package spec is the API of the controller: the CredProxy type, and everything that can be said of a file
// without looking at an engine. It decodes strictly, sets defaults, validates, and hashes what needs another
// container. It knows nothing of Docker.
package spec
