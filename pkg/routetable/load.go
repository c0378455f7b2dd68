package routetable

import (
	"bytes"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// MaxDocumentBytes bounds routes.json.
const MaxDocumentBytes = 1 << 20

// ErrIncomplete marks the errors of Load that a write in progress also causes: a file is missing, cut off, or of
// another generation. The next look may succeed. Other errors stay until another generation is written.
var ErrIncomplete = errors.New("the set of files is not whole")

// Loaded is a whole and valid generation.
type Loaded struct {
	// Table is the document. Its key is left out: nothing but the check of the digest has a use for it.
	Table  Table
	tokens map[place]Token
}

// Tokens returns the tokens of a route by the names that the templates of Additions have for them; false when a variable of
// them is not set in the sidecar's environment.
func (l *Loaded) Tokens(a *Auth) (map[string]Token, bool) {
	found := map[string]Token{}
	for name, at := range a.places() {
		token, ok := l.tokens[at]
		if !ok {
			return nil, false
		}
		found[name] = token
	}
	return found, true
}

// Key returns the private key of a client certificate, as FoldKey writes it; false when its variable is not set in the sidecar's
// environment.
func (l *Loaded) Key(c *ClientCertificate) (Token, bool) {
	key, ok := l.tokens[c.place()]
	return key, ok
}

// CallerKey returns the key that callers have to show; false when its variable is not set in the sidecar's
// environment.
func (l *Loaded) CallerKey(c *CallerAuth) (Token, bool) {
	key, ok := l.tokens[c.place()]
	return key, ok
}

// Load reads the sidecar's volume: the document, and the token files that it names. It returns a generation that is
// whole, as Seal made it, or an error for people that never shows any of a token. The Loaded of an error has as
// much of Generation as could be read, and nothing else.
func Load(volume fs.FS, getenv func(string) string) (Loaded, error) {
	doc, err := readFile(volume, FileName, MaxDocumentBytes)
	if err != nil {
		return Loaded{}, err
	}
	table, err := Parse(doc)
	failed := Loaded{Table: Table{Generation: table.Generation}}
	if err != nil {
		return failed, err
	}
	files, err := readTokenFiles(volume, table)
	if err != nil {
		return failed, fmt.Errorf("generation %d: %w", table.Generation, err)
	}
	if !hmac.Equal([]byte(table.Digest), []byte(digest(table, files))) {
		return failed, fmt.Errorf("generation %d: the digest in %s does not match the document and its %d token files: %w",
			table.Generation, FileName, len(files), ErrIncomplete)
	}
	tokens, err := gatherTokens(table, files, getenv)
	if err != nil {
		return failed, fmt.Errorf("generation %d: %w", table.Generation, err)
	}
	table.Key = nil
	return Loaded{Table: table, tokens: tokens}, nil
}

// Parse reads a routes.json document strictly. It does not verify the digest, for which the token files are needed.
// The Table of an error has as much of Generation as could be read.
func Parse(doc []byte) (Table, error) {
	if len(doc) > MaxDocumentBytes {
		return Table{}, fmt.Errorf("%s is larger than %d bytes", FileName, MaxDocumentBytes)
	}
	var head struct {
		Version    int   `json:"version"`
		Generation int64 `json:"generation"`
	}
	if err := json.Unmarshal(doc, &head); err != nil {
		// The cause is left out: a decoder's error may quote the document.
		return Table{}, fmt.Errorf("%s is not a JSON object: %w", FileName, ErrIncomplete)
	}
	failed := Table{Generation: head.Generation}
	if head.Version != Version {
		return failed, fmt.Errorf("%s has version %d; this sidecar knows version %d: use the image that belongs to the controller",
			FileName, head.Version, Version)
	}
	var t Table
	decoder := json.NewDecoder(bytes.NewReader(doc))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&t); err != nil {
		return failed, fmt.Errorf("%s is not a routing table: %w", FileName, err)
	}
	// What the decoder forgives (repeated or differently cased keys, trailing data) is not what Seal writes.
	if canonical, err := encode(t); err != nil || !bytes.Equal(canonical, doc) {
		return failed, fmt.Errorf("%s is not written as the controller writes it: repeated, reordered or misspelt keys, or trailing data", FileName)
	}
	if err := t.checkSeal(); err != nil {
		return failed, fmt.Errorf("%s: %w", FileName, err)
	}
	return t, nil
}

func (t *Table) checkSeal() error {
	if t.Generation < 1 {
		return fmt.Errorf("generation %d: generations are counted from 1", t.Generation)
	}
	if len(t.Key) != keyBytes {
		return fmt.Errorf("the key has %d bytes instead of %d", len(t.Key), keyBytes)
	}
	if t.RoutesDigest != RoutesDigest(*t) {
		return errors.New("routesDigest is not that of the routes")
	}
	return t.check()
}

// readTokenFiles reads each token file that the table names once, in the order of Seal.
func readTokenFiles(volume fs.FS, t Table) ([]File, error) {
	var files []File
	seen := map[string]bool{}
	for _, p := range t.places() {
		if p.file == "" || seen[p.file] {
			continue
		}
		seen[p.file] = true
		data, err := readFile(volume, p.file, MaxTokenBytes)
		if err != nil {
			return nil, err
		}
		files = append(files, File{Name: p.file, Data: data})
	}
	slices.SortFunc(files, byName)
	return files, nil
}

func gatherTokens(t Table, files []File, getenv func(string) string) (map[place]Token, error) {
	tokens := map[place]Token{}
	for _, f := range files {
		if err := CheckToken(string(f.Data)); err != nil {
			return nil, fmt.Errorf("the token in %s %w", f.Name, err)
		}
		tokens[place{file: f.Name}] = NewToken(string(f.Data))
	}
	for _, p := range t.places() {
		if p.env == "" {
			continue
		}
		// A variable that is not set leaves its routes without a token; they say so, and the others serve.
		value := getenv(p.env)
		if value == "" {
			continue
		}
		if err := CheckToken(value); err != nil {
			return nil, fmt.Errorf("the token in variable %s %w", p.env, err)
		}
		tokens[p] = NewToken(value)
	}
	if err := errors.Join(t.checkUsernames(tokens), t.checkUses(tokens)); err != nil {
		return nil, err
	}
	if t.CallerAuth == nil {
		return tokens, nil
	}
	if key, ok := tokens[t.CallerAuth.place()]; ok {
		if err := CheckCallerKey(key.Reveal()); err != nil {
			return nil, fmt.Errorf("the caller key %w", err)
		}
	}
	return tokens, nil
}

// readFile reads a regular file of at most limit bytes.
func readFile(volume fs.FS, name string, limit int) ([]byte, error) {
	info, err := fs.Stat(volume, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not there: %w", name, ErrIncomplete)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := volume.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(data) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, limit)
	}
	return data, nil
}
