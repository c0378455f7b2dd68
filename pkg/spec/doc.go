// Package spec is the API of the controller: the CredProxy type, and everything that can be said of a file
// without looking at an engine. It decodes strictly, sets defaults, validates, and hashes what needs another
// container. It knows nothing of Docker.
//
// Files mean the same to every reader, so what YAML's versions and parsers disagree on is refused with a word of
// what to write instead: yes and no, octal numbers, tags, merge keys. So are anchors and aliases, with which a small
// file can say very much. A null is a field that is left out, as in Kubernetes.
//
// Problems repeat no values but those of apiVersion, kind and numbers: any other may be a token in the wrong place.
package spec
