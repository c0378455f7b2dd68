// Package apigen makes the JSON Schema of a file, and the table of its fields, from the Go types that the file is read into: the
// names from their tags, what fields mean from their comments, and their rules from lines of these comments that begin with
// "+", which name the constants and expressions by which the validation judges too:
//
//	// Port is the TCP port on which the sidecar listens.
//	// +minimum=1
//	// +maximum=65535
//	// +default=DefaultPort
//	Port int32 `json:"port,omitempty"`
//
// A field without a comment, a rule that is not known, and a constant that does not exist are errors.
package apigen
