// Package source turns a directory into Snapshots: every spec file is read, a file that turned bad keeps its last
// good objects, and each Snapshot says what a reader may conclude from it, removals above all.
package source
