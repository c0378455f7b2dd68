// Package drivertest is the contract of reconcile.Driver as a suite of small stories. Every driver passes the same ones:
// the one in memory on each run of the tests, the one on the Docker Engine API with a real engine. So the fake that
// everything else is tested on cannot drift from Docker.
package drivertest
