// Package glob matches names and paths with patterns of two wildcards: * for any characters of a name, and ** for any number
// of a path's segments. Both sides are compared letter by letter.
package glob
