package generated

import (
	"fmt"
	"os"
	"path/filepath"

	"credproxy.dev/controller/internal/dashboards"
)

// File is one that is made.
type File struct {
	// Path is below the root of the repository, with slashes.
	Path    string
	Content []byte
}

// Files makes all of them for a repository. Of a page that is partly written by people, the rest is read from there and kept.
func Files(root string) ([]File, error) {
	metrics, err := fill(root, "docs/metrics.md", metricParts())
	if err != nil {
		return nil, err
	}
	fields, err := fieldFiles(root)
	if err != nil {
		return nil, err
	}
	alerts, err := alertPage(root)
	if err != nil {
		return nil, err
	}
	boards, err := dashboards.Files()
	if err != nil {
		return nil, err
	}
	files := append([]File{metrics, alerts}, fields...)
	for name, content := range boards {
		files = append(files, File{"config/grafana/dashboards/" + name, content})
	}
	return files, nil
}

// fill makes the parts of a page anew.
func fill(root, path string, parts map[string]string) (File, error) {
	page, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path))) //nolint:gosec // a page of this repository
	if err != nil {
		return File{}, err
	}
	filled, err := Fill(string(page), parts)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	return File{path, []byte(filled)}, nil
}
