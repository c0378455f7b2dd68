// Package e2e tests the controller from outside: it starts the real binary on a real engine, drops files, and asks
// from containers that it made. It knows the command line, the HTTP pages and the docker command, and imports
// nothing of the project but helpers of tests.
package e2e
