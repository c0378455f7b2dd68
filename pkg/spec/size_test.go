//go:build !race

package spec

// hostileSize is in bytes that of the largest file that is read.
const hostileSize = 1 << 20
