// Package dirwatch says when it is worth looking at files again: which directories decide what a path leads to, and that
// something has happened in them. It watches directories, never files: editors and tools replace files, and a watch stays
// with the old one.
package dirwatch
