// Package ptytest is a terminal for tests: a program writes to one end, as to any terminal, and the test sees what a person would see
// on the screen.
package ptytest
