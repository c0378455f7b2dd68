// Package fakeengine is a container engine in memory: reconcile.Driver without Docker, with Docker's manners where they
// matter to a controller. Its sidecars read what they are given with the real routetable.Load, so that a torn or mixed
// push is really refused.
//
// Several drivers, each made by Engine.Driver, share one Engine, as several controllers share one daemon. Tests disturb
// the engine with the methods in hands.go, break its calls with those in faults.go, and look at it with Snapshot, Calls
// and Ask. internal/drivertest holds the fake and the real driver to the same contract.
//
// Nothing here starts a goroutine or opens a socket: whoever waits does so in its own call. The engine works inside a
// bubble of testing/synctest when it was made in that bubble.
package fakeengine
