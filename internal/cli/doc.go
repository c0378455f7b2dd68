// Package cli is the command line: it reads flags and variables, calls the app, and prints. What a verb's exit
// code means is decided here and nowhere else.
package cli
