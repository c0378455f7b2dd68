package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets/* templates/*
var embedded embed.FS // immutable

// assets are the files beside the pages. Each is served under a name that changes with its content, so that a browser keeps it for
// good, and never shows one of another release.
type assets struct {
	// names are those under which they are served, by their own; content by these names.
	names   map[string]string
	content map[string][]byte
	// build names all of them together: a page of another build has to be loaded anew.
	build string
}

func loadAssets() (*assets, error) {
	a := &assets{names: map[string]string{}, content: map[string][]byte{}}
	all := sha256.New()
	files, err := fs.Glob(embedded, "assets/*")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		content, err := embedded.ReadFile(file)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		own, extension := path.Base(file), path.Ext(file)
		name := strings.TrimSuffix(own, extension) + "." + hex.EncodeToString(sum[:6]) + extension
		a.names[own], a.content[name] = "/assets/"+name, content
		fmt.Fprintln(all, name)
	}
	a.build = hex.EncodeToString(all.Sum(nil)[:6])
	return a, nil
}

// url is where an asset is.
func (a *assets) url(own string) (string, error) {
	name, ok := a.names[own]
	if !ok {
		return "", fmt.Errorf("there is no asset %s", own)
	}
	return name, nil
}

// serve answers with an asset, or reports that there is none of the name.
func (a *assets) serve(w http.ResponseWriter, r *http.Request, name string) bool {
	content, ok := a.content[name]
	if !ok {
		return false
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Type", contentType(name))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	return true
}

// contentType is that of an asset. The machine's own tables are not asked: they differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	}
	return "image/svg+xml"
}
