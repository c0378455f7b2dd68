// Package generated makes the files of this repository that follow from its code: hack/generate writes them, and a test holds
// that what is there is what would be written.
package generated
