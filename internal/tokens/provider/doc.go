// Package provider finds tokens by running commands that the operator declares in the file of --token-providers: each is a
// credential plugin as client-go knows them. Answers are kept in memory, and asked for anew before they expire.
//
// A spec chooses a provider by its name, and a key, and nothing else of what is run.
package provider
