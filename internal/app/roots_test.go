package app

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"credproxy.dev/controller/internal/testcert"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// naming is a declaration of a spec whose route has a caFile.
func naming(file string) *reconcile.Declared {
	cp := &spec.CredProxy{}
	cp.Name = "web"
	cp.Spec.Routes = []spec.Route{{Path: "/plain"}, {Path: "/r", CAFile: file}, {Path: "/s", CAFile: file}}
	return &reconcile.Declared{Specs: []*spec.CredProxy{cp}}
}

func TestWithoutItsCertificatesARouteIsWithheld(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "outside.pem", testcert.Authority)
	roots := filepath.Join(dir, "roots")
	for _, folder := range []string{"roots", "roots/folder", "roots/..data"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, roots, "good.pem", "Ours:\n"+testcert.Authority)
	write(t, roots, "..data/root.pem", testcert.Authority)
	write(t, roots, "key.pem", strings.ReplaceAll(testcert.Authority, "CERTIFICATE", "PRIVATE KEY"))
	for link, to := range map[string]string{"out.pem": "../outside.pem", "mounted.pem": "..data/root.pem"} {
		if err := os.Symlink(to, filepath.Join(roots, link)); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{
		"good.pem": "", "mounted.pem": "", "missing.pem": "is not there", "good.pem/x": "is not there", "out.pem": "cannot be opened",
		"folder": "is not a regular file", "key.pem": "something else than certificates",
	} {
		d := naming(file)
		newRoots(Options{CADir: roots, Log: slog.New(slog.DiscardHandler)}).add(d)
		withheld := d.Withheld["web"].Routes
		if want == "" {
			if len(withheld) > 0 || d.Roots[file] != testcert.Authority {
				t.Errorf("%s: %v", file, withheld)
			}
			continue
		}
		for _, path := range []string{"/r", "/s"} {
			if got := withheld[path]; got.Reason != reconcile.ReasonRootsUnusable || !strings.Contains(got.Message, "the file of certificates "+file+" ") || !strings.Contains(got.Message, want) {
				t.Errorf("%s: %+v", file, got)
			}
		}
		if len(withheld) != 2 || d.Roots[file] != "" {
			t.Errorf("%s: %v", file, withheld)
		}
	}
	d := naming("good.pem")
	newRoots(Options{}).add(d)
	if message := d.Withheld["web"].Routes["/r"].Message; !strings.Contains(message, "add --ca-dir") {
		t.Errorf("without the flag: %s", message)
	}
}

func TestCertificatesThatTurnBadStayAsTheyWere(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	roots := newRoots(Options{CADir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, step := range []struct {
		text, want string
		said       int
	}{{testcert.Authority, testcert.Authority, 0}, {"", testcert.Authority, 1}, {"x", testcert.Authority, 1}, {testcert.Authority + testcert.Authority, testcert.Authority + testcert.Authority, 1}, {"", testcert.Authority + testcert.Authority, 2}} {
		write(t, dir, "root.pem", step.text)
		d := naming("root.pem")
		roots.add(d)
		if d.Roots["root.pem"] != step.want || len(d.Withheld) > 0 || strings.Count(log.String(), "is bad") != step.said {
			t.Errorf("%q: %q, %v, %s", step.text, d.Roots["root.pem"], d.Withheld, &log)
		}
	}
}
