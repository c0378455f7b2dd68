//go:build race

package spec

// hostileSize is in bytes. It is smaller here, since the race detector makes parsing ten times as slow.
const hostileSize = 1 << 18
