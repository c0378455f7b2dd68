// Package model plays a controller's whole life against an engine in memory, in testing/synctest, and holds what is promised:
// whatever happens to files, tokens, engine, sidecars or to the controller itself, it ends in the declared state, and does
// harm to nothing on the way. It has tests only.
//
// TestModel has three parts. Random scripts of operations (ops_test.go) are drawn by rapid and followed by a time of peace, after
// which everything has to be at rest as declared (oracle_test.go). The same in order: every fault at every call that it
// can meet (faults_test.go). And the death of the controller at every call of every plan (deaths_test.go). Meanwhile a guard
// looks at each call (guard_test.go). At the end a table says how often each fault met each step; with 10,000 scripts or
// more, as `make test` runs it, an empty cell is a failure.
//
//	go test ./internal/model -run TestModel -rapid.checks=10000 -v
//
// A failure prints its script and a seed, for -rapid.seed. The order in which workers take their turns is not in the seed.
package model
