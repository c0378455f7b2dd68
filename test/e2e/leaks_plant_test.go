//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"credproxy.dev/controller/test/leakhunt"
)

// plantAll puts a text that is hunted wherever it is to be found: a search that does not find it there is blind.
func (h *hunt) plantAll() {
	h.t.Helper()
	plant, engine := h.plant.Value, h.outpost.engine
	if err := h.index.Add(h.plant); err != nil {
		h.t.Fatal(err)
	}
	const salt = "5a17ed00c0ffee5a17ed"
	sum := sha256.Sum256([]byte(salt + plant))
	engine.does("volume", "create", "--label", "plant="+plant, h.id+"-planted")
	engine.does("network", "create", "--label", "plant="+plant, h.id+"-planted")
	if err := command("", "sh", "-c", `tar -C "$0" -c toolbox | docker -H "$1" import -m "$2" --change "LABEL plant=$2" - planted`,
		filepath.Dir(toolboxBinary), engine.host(), plant); err != nil {
		h.t.Fatal(err)
	}
	decoy := h.id + "-" + plant
	engine.does("run", "-d", "--name", decoy, "--label", "salt="+salt, "--label", "digest="+hex.EncodeToString(sum[:]),
		"-e", "PLANT="+plant, "--entrypoint", "/toolbox", "planted", "env") // which its log has
	engine.does("run", "-d", "--name", decoy+"-sleeps", "-e", "PLANT="+plant, "--entrypoint", "/toolbox", "planted", "sleep", plant)
	h.copyInto(decoy+"-sleeps:/", "file", plant)

	h.drop("plant.yaml", h.declares(plant, "File", []*hunted{{Secret: leakhunt.Secret{Name: "nowhere"}, source: fromFile}}))
	for _, dir := range []string{h.state, h.temp} {
		writeFile(h.t, filepath.Join(dir, "plant"), plant)
	}
}

// copyInto puts a file into a directory of a container, as docker cp names it.
func (h *hunt) copyInto(directory, file, content string) {
	h.t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	err := w.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: int64(len(content))})
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command("docker", "-H", h.outpost.engine.host(), "cp", "-", directory)
	cmd.Stdin, cmd.Stderr = &archive, os.Stderr
	if err := cmd.Run(); err != nil {
		h.t.Fatal(err)
	}
}

// judge holds that the plant was found wherever it was put, and tokens wherever they may be; what else was found has been told.
func (h *hunt) judge(t *testing.T) {
	t.Helper()
	for _, k := range kinds() {
		t.Logf("%-28s %6.1f MB", k, float64(h.searched[k])/1e6)
		if !h.planted[k] {
			t.Errorf("what was planted is not found in %s: the search is blind there", k)
		}
	}
	for _, p := range leakhunt.Places() {
		if !h.places[p] {
			t.Errorf("no token is found any more in: %s", p)
		}
	}
	salted, err := h.salts.Search(h.index.Secrets())
	if err != nil {
		t.Error(err)
	}
	blind := true
	for _, found := range salted {
		if blind = blind && found.Secret != h.plant.Name; found.Secret != h.plant.Name {
			t.Errorf("%s is there as %s: the salt in %s, the digest in %s", h.tokens[found.Secret].Name, found.Writing, found.Salt, found.Digest)
		}
	}
	if blind {
		t.Error("the salted digest that was planted is not found")
	}
}
