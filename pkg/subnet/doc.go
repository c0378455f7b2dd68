// Package subnet hands out small subnets of a larger range: the first that overlaps nothing that is in use, be it by
// networks of the engine or by the host. It is pure, but for the look at the host.
package subnet
