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
	var files []File
	for _, some := range []func(root string) ([]File, error){metricFiles, alertFiles, fieldFiles, commandFiles, dashboardFiles} {
		made, err := some(root)
		if err != nil {
			return nil, err
		}
		files = append(files, made...)
	}
	return files, nil
}

func metricFiles(root string) ([]File, error) {
	return one(fill(root, "docs/metrics.md", metricParts()))
}

func alertFiles(root string) ([]File, error) { return one(alertPage(root)) }

func dashboardFiles(string) ([]File, error) {
	boards, err := dashboards.Files()
	if err != nil {
		return nil, err
	}
	var files []File
	for name, content := range boards {
		files = append(files, File{"config/grafana/dashboards/" + name, content})
	}
	return files, nil
}

func one(file File, err error) ([]File, error) { return []File{file}, err }

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
