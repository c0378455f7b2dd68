package routetable

import (
	"io"
	"io/fs"
)

// File is one file of a push, relative to Dir, in the order in which it has to be written.
type File struct {
	Name string
	Mode fs.FileMode
	Data []byte
}

// Seal makes one generation of a table: its token files, and last the document with key and digest. The routes'
// TokenFile fields name slots (CRED_PROXY_TOKEN_1); Seal puts them below the generation's own directory. tokens
// holds the value of each such slot. rand gives the key.
func Seal(t Table, generation int64, tokens map[string]string, rand io.Reader) (Table, []File, error) {
	panic("not yet")
}

// RoutesDigest identifies the routing of a table, sealed or not: listen, subnets, gateways, and the routes with their
// slots. Two tables have the same digest exactly if they route alike.
func RoutesDigest(t Table) string { panic("not yet") }
