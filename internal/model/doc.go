// Package model plays a controller's whole life against an engine in memory, in testing/synctest, and holds what is promised:
// whatever happens to files, tokens, engine, sidecars or to the controller itself, it ends in the declared state, and does
// harm to nothing on the way. It has tests only.
//
// TestModel has four parts. Random scripts of operations (ops_test.go) are drawn by rapid and followed by a time of peace, after
// which all has to be at rest as declared (oracle_test.go), and to stay so without a call but looks. Every fault meets
// every call that it can meet (faults_test.go). The controller dies at every call of every plan (deaths_test.go). And some
// stories that chance seldom tells are told on purpose (stories_test.go). Meanwhile a guard looks at each call before it is
// made (guard_test.go), and at each table that a sidecar takes over. At the end stands a table: how often each fault met each
// step. `make test` plays 10,000 scripts, and from that number on an empty cell is a failure:
//
//	go test ./internal/model -run TestModel -rapid.checks=10000 -rapid.nofailfile -v
//
// Without -rapid.checks there are 300. A failure prints its script, what became of it call by call, and a seed for
// -rapid.seed; which worker comes first is not in the seed, so that it may take a few tries. What a product's engine does that
// ends in the driver, such as a conflict that Podman answers with 500, is held by pkg/dockerdriver's own tests; that the
// engine in memory behaves as real ones do is held by internal/drivertest.
package model
