// Package app puts the parts together: files, engine, tokens, controller, metrics and pages. It is the only
// package that knows them all. Everything that it starts ends with the context that it was given, so that a whole
// controller runs inside a test.
package app
