package dockerdriver

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	controller "credproxy.dev/controller"
)

// entries lists an archive: name, mode, owner and content of each.
func entries(t *testing.T, packed []byte) (found []string) {
	t.Helper()
	r := tar.NewReader(bytes.NewReader(packed))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, strings.TrimSpace(fmt.Sprintf("%s %o %d:%d %s", h.Name, h.Mode, h.Uid, h.Gid, data)))
	}
}

func TestAnImageIsNamedByItsContent(t *testing.T) {
	tags := []string{
		imageTag([]byte("FROM scratch"), []byte("program")),
		imageTag([]byte("FROM scratch"), []byte("program 2")),
		imageTag([]byte("FROM scratchp"), []byte("rogram")),
	}
	if again := imageTag([]byte("FROM scratch"), []byte("program")); again != tags[0] {
		t.Errorf("%s and %s", again, tags[0])
	}
	for _, tag := range tags {
		if !regexp.MustCompile(`^cred-proxy:[0-9a-f]{12}$`).MatchString(tag) {
			t.Errorf("got %s", tag)
		}
	}
	if slices.Sort(tags); len(slices.Compact(tags)) != 3 {
		t.Errorf("got %v", tags)
	}
}

func TestTheBuildsContextIsAlwaysTheSame(t *testing.T) {
	one, err := buildContext([]byte("FROM scratch"), []byte("program"))
	if err != nil {
		t.Fatal(err)
	}
	two, _ := buildContext([]byte("FROM scratch"), []byte("program"))
	if !bytes.Equal(one, two) {
		t.Error("two builds have two contexts")
	}
	want := []string{"Dockerfile.cred-proxy 644 0:0 FROM scratch", "cred-proxy 755 0:0 program", "volume/ 755 0:0"}
	if got := entries(t, one); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestTheDockerfileSetsNoLabels(t *testing.T) {
	text := string(controller.SidecarDockerfile())
	if !strings.Contains(text, "\nFROM scratch\n") || strings.Contains(text, "\nLABEL") {
		t.Error(text)
	}
}
