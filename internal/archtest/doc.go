// Package archtest holds the shape of the code: who may import whom, and what no package has. Each rule gives its reason
// when it is broken.
package archtest
