package routetable

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// keyBytes is the length of a push's random key, which is that of the hash it keys.
const keyBytes = sha256.Size

// File is one file of a push, relative to Dir, in the order in which it has to be written.
type File struct {
	Name string
	Mode fs.FileMode
	Data []byte
}

// Seal makes one generation of a table: its token files, and last the document with key and digest. The TokenFile
// fields of routes and caller key name slots (CRED_PROXY_TOKEN_1); Seal puts them below the generation's own directory.
// tokens holds the value of each such slot. rand gives the key.
func Seal(t Table, generation int64, tokens map[string]string, rand io.Reader) (Table, []File, error) {
	if generation < 1 {
		return Table{}, nil, fmt.Errorf("generation %d: generations are counted from 1", generation)
	}
	routesDigest := RoutesDigest(t)
	files := map[string]File{}
	t, err := withTokenFiles(t, func(slot string) (string, error) {
		file, err := tokenFile(slot, generation, tokens)
		files[file.Name] = file
		return file.Name, err
	})
	if err != nil {
		return Table{}, nil, err
	}
	if err := checkCallerKeyFile(t.CallerAuth, files); err != nil {
		return Table{}, nil, err
	}
	t.Version, t.Generation, t.RoutesDigest = Version, generation, routesDigest
	t.Key = make([]byte, keyBytes)
	if _, err := io.ReadFull(rand, t.Key); err != nil {
		return Table{}, nil, fmt.Errorf("making the key of generation %d: %w", generation, err)
	}
	if err := t.check(); err != nil {
		return Table{}, nil, err
	}
	return finish(t, slices.SortedFunc(maps.Values(files), byName))
}

func checkCallerKeyFile(c *CallerAuth, files map[string]File) error {
	if c == nil || c.TokenFile == "" {
		return nil
	}
	if err := CheckCallerKey(string(files[c.TokenFile].Data)); err != nil {
		return fmt.Errorf("callerAuth: the caller key %w", err)
	}
	return nil
}

// withTokenFiles returns a copy in which name has renamed every token file.
func withTokenFiles(t Table, name func(string) (string, error)) (Table, error) {
	t.Routes = slices.Clone(t.Routes)
	for i, r := range t.Routes {
		certificate, err := r.ClientCertificate.withTokenFile(name)
		if err != nil {
			return Table{}, fmt.Errorf("route %s: clientCertificate: %w", r.Path, err)
		}
		t.Routes[i].ClientCertificate = certificate
		auth, err := r.Auth.withTokenFiles(name)
		if err != nil {
			return Table{}, fmt.Errorf("route %s: %w", r.Path, err)
		}
		t.Routes[i].Auth = auth
	}
	if t.CallerAuth == nil || t.CallerAuth.TokenFile == "" {
		return t, nil
	}
	caller := *t.CallerAuth
	renamed, err := name(caller.TokenFile)
	if err != nil {
		return Table{}, fmt.Errorf("callerAuth: %w", err)
	}
	caller.TokenFile = renamed
	t.CallerAuth = &caller
	return t, nil
}

// finish computes the digest over everything else and appends the document to the files.
func finish(t Table, files []File) (Table, []File, error) {
	t.Digest = digest(t, files)
	doc, err := encode(t)
	if err != nil {
		return Table{}, nil, err
	}
	if len(doc) > MaxDocumentBytes {
		return Table{}, nil, fmt.Errorf("the routing table takes %d bytes, more than the %d that a sidecar reads; declare fewer routes",
			len(doc), MaxDocumentBytes)
	}
	return t, append(files, File{Name: FileName, Mode: 0o600, Data: doc}), nil
}

func tokenFile(slot string, generation int64, tokens map[string]string) (File, error) {
	if !isSlot(slot) {
		return File{}, fmt.Errorf("token slot %q is not of the form %sN", slot, SlotPrefix)
	}
	value, ok := tokens[slot]
	if !ok {
		return File{}, fmt.Errorf("no token was given for slot %s", slot)
	}
	if err := CheckToken(value); err != nil {
		return File{}, fmt.Errorf("the token of slot %s %w", slot, err)
	}
	return File{Name: path.Join(TokenDir(generation), slot), Mode: 0o400, Data: []byte(value)}, nil
}

func byName(a, b File) int {
	// Shorter names first keeps CRED_PROXY_TOKEN_2 before CRED_PROXY_TOKEN_10.
	return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), strings.Compare(a.Name, b.Name))
}

// RoutesDigest identifies the routing of a table, sealed or not: listen, subnets, gateways, who may call, and the routes
// with their slots. Two tables have the same digest exactly if they route alike.
func RoutesDigest(t Table) string {
	// Neither generations nor their directories tell routings apart; path.Base never fails.
	t, _ = withTokenFiles(t, func(file string) (string, error) { return path.Base(file), nil })
	routing := Table{
		Version:    Version,
		Listen:     t.Listen,
		CallerAuth: t.CallerAuth,
		// The order says nothing: the longest prefix wins, and any subnet or gateway counts.
		InternalSubnets:  slices.Sorted(slices.Values(t.InternalSubnets)),
		InternalGateways: slices.Sorted(slices.Values(t.InternalGateways)),
		HostAddresses:    slices.Sorted(slices.Values(t.HostAddresses)),
		Routes: slices.SortedFunc(slices.Values(t.Routes), func(a, b Route) int {
			return strings.Compare(a.Path, b.Path)
		}),
	}
	// A Table holds strings and numbers only, so that it always encodes.
	doc, _ := json.Marshal(routing)
	sum := sha256.Sum256(doc)
	return hex.EncodeToString(sum[:])
}

// encode writes the document in the one form in which it is digested and read back.
func encode(t Table) ([]byte, error) {
	doc, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", FileName, err)
	}
	return doc, nil
}

// digest is hex(HMAC-SHA256(Key, document without digest || token files)), in which each part is preceded by its
// length, so that no byte can move from one part to the next.
func digest(t Table, files []File) string {
	mac := hmac.New(sha256.New, t.Key)
	part := func(b []byte) {
		_ = binary.Write(mac, binary.BigEndian, uint64(len(b)))
		_, _ = mac.Write(b)
	}
	t.Digest = ""
	doc, _ := json.Marshal(t)
	part(doc)
	for _, f := range files {
		part([]byte(f.Name))
		part(f.Data)
	}
	return hex.EncodeToString(mac.Sum(nil))
}
