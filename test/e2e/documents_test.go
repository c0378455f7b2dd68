//go:build e2e

package e2e

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"credproxy.dev/controller/test/fences"
)

// What the documents have their readers do on an engine works as they say, from top to bottom, and what a page makes it also
// removes.
func TestDocuments(t *testing.T) {
	t.Parallel()
	if !mayHaveOwnEngine(t) {
		t.Log("LEFT OUT: the commands of the documents are run on a machine of their own, which takes root")
		return
	}
	for _, program := range []string{"curl", "git"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("the documents' readers have %s, and here it is not installed", program)
		}
	}
	if err := command("../..", "make", "-s", "build", "toolbox"); err != nil {
		t.Fatal(err)
	}
	pages := documents(t)
	for _, page := range slices.Sorted(maps.Keys(pages)) {
		blocks, err := fences.Read(page, pages[page])
		if err != nil {
			t.Fatal(err)
		}
		if story, ok := fences.StoryOf(page, blocks, fences.OnEngine); ok {
			t.Logf("%s: %d blocks", page, len(story.Blocks))
			t.Run(strings.TrimSuffix(page, ".md"), func(t *testing.T) {
				t.Parallel()
				newMachine(t).tells(story)
			})
		}
	}
}

// documents are the texts of all pages by their paths.
func documents(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(os.DirFS("../.."), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != "." {
			return fs.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			text, err := os.ReadFile(filepath.Join("../..", path))
			found[path] = string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// tells runs the commands of a page.
func (m *machine) tells(story fences.Story) {
	m.t.Helper()
	dir := filepath.Join(m.shared, "story")
	if err := os.Mkdir(dir, 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := story.Write(dir); err != nil {
		m.t.Fatal(err)
	}
	if said, err := m.runs(". /mnt/stories/story/script"); err != nil {
		m.t.Errorf("%v\n%s\nafterwards:\n%s\nthe engine:\n%s", err, said, m.looksBack(), m.engineLog())
	}
	for _, err := range story.Compare(dir) {
		m.t.Error(err)
	}
	left, err := m.runs("docker ps -a --format 'container {{.Names}}'; docker network ls --filter type=custom --format 'network {{.Name}}'; " +
		"docker volume ls --format 'volume {{.Name}}'; docker images --format 'image {{.Repository}}:{{.Tag}}'")
	if err != nil || left != "" {
		m.t.Errorf("the page leaves behind (%v):\n%s", err, left)
	}
}

// looksBack is what there is to see after a story that failed: containers, networks with who is on them, and what was logged.
func (m *machine) looksBack() string {
	said, err := m.runs("docker ps -a; for id in $(docker network ls -q --filter type=custom); do " +
		"docker network inspect -f '{{.Name}} {{json .Containers}}' $id; done; tail -n 100 /tmp/*.log")
	if err != nil {
		said += err.Error()
	}
	return said
}
