package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// newPackages is a registry of npm with two packages. As registries do, it names their files by whole URLs of its own.
func newPackages(own string) (http.Handler, error) {
	mux := http.NewServeMux()
	for _, name := range []string{"wired-thing", "@acme/tool"} {
		packed, err := tarball(name)
		if err != nil {
			return nil, err
		}
		file := "/" + name + "/-/" + path.Base(name) + "-1.0.0.tgz"
		sum := sha512.Sum512(packed)
		version := map[string]any{"name": name, "version": "1.0.0", "dist": map[string]any{
			"tarball": own + file, "integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
		}}
		document := map[string]any{"name": name, "dist-tags": map[string]any{"latest": "1.0.0"}, "versions": map[string]any{"1.0.0": version}}
		mux.HandleFunc("GET "+file, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(packed) })
		// npm encodes the slash of a scope.
		mux.HandleFunc("GET /"+strings.ReplaceAll(name, "/", "%2f"), func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, document) })
	}
	mux.HandleFunc("PUT /published-thing", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		writeJSON(w, map[string]any{"ok": true})
	})
	return mux, nil
}

func tarball(name string) ([]byte, error) {
	manifest := fmt.Appendf(nil, `{"name":%q,"version":"1.0.0"}`, name)
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	packed := tar.NewWriter(zipped)
	if err := packed.WriteHeader(&tar.Header{Name: "package/package.json", Mode: 0o644, Size: int64(len(manifest))}); err != nil {
		return nil, err
	}
	if _, err := packed.Write(manifest); err != nil {
		return nil, err
	}
	if err := packed.Close(); err != nil {
		return nil, err
	}
	err := zipped.Close()
	return b.Bytes(), err
}

const wheelName = "wired_thing-1.0.0-py3-none-any.whl"

// newIndex is an index of pip with one package below a path, as Nexus has it. Its page leads to the file beside it.
func newIndex() (http.Handler, error) {
	wheel, err := wheel()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(wheel)
	const base = "/repository/pypi"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"/simple/wired-thing/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!DOCTYPE html><html><body><a href="../../packages/%s#sha256=%s">%[1]s</a></body></html>`, wheelName, hex.EncodeToString(sum[:]))
	})
	mux.HandleFunc("GET "+base+"/packages/"+wheelName, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(wheel) })
	return mux, nil
}

func wheel() ([]byte, error) {
	var b bytes.Buffer
	packed := zip.NewWriter(&b)
	for _, file := range []struct{ name, text string }{
		{"wired_thing.py", ""},
		{"wired_thing-1.0.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: wired-thing\nVersion: 1.0.0\n"},
		{"wired_thing-1.0.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: services\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{"wired_thing-1.0.0.dist-info/RECORD", "wired_thing.py,,\n"},
	} {
		w, err := packed.Create(file.name)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(file.text)); err != nil {
			return nil, err
		}
	}
	err := packed.Close()
	return b.Bytes(), err
}
