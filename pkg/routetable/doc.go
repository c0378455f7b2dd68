// Package routetable is the contract between the controller and the sidecar: the routes.json document that the
// controller writes, the files beside it, and the lines that the sidecar answers on its standard output.
// Both sides import it, so it uses the standard library only.
package routetable
