package app

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// authority is a certificate.
const authority = `-----BEGIN CERTIFICATE-----
MIIBTzCB96ADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMTBGNvcnAwIBcN
NzAwMTAxMDAwMDAwWhgPMjA5NjEwMDIwNzA2NDBaMA8xDTALBgNVBAMTBGNvcnAw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASlqbwE/BVx9OBBMUqTG5DqxzTMXQfq
xjIQVnFQ4Hxz7oYfrnwuZFMTI0IuLX05cN2vYjDbjwaM/h/Hz447Zrkho0IwQDAO
BgNVHQ8BAf8EBAMCAgQwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQULofMtPFB
QKBamz1CCebS5fkiM+AwCgYIKoZIzj0EAwIDRwAwRAIgKOX7VMSPYJWhMgQnae4R
cGEbSK6WOJ5/7mxCJZiUepkCIC8+dPW4ZF3ohLgkh6mf95CWiNCWO6o1iUMOAK42
sw86
-----END CERTIFICATE-----
`

// naming is a declaration of a spec whose route has a caFile.
func naming(file string) *reconcile.Declared {
	cp := &spec.CredProxy{}
	cp.Name = "web"
	cp.Spec.Routes = []spec.Route{{Path: "/plain"}, {Path: "/r", CAFile: file}, {Path: "/s", CAFile: file}}
	return &reconcile.Declared{Specs: []*spec.CredProxy{cp}}
}

func TestWithoutItsCertificatesARouteIsWithheld(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "outside.pem", authority)
	roots := filepath.Join(dir, "roots")
	for _, folder := range []string{"roots", "roots/folder", "roots/..data"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, roots, "good.pem", "Ours:\n"+authority)
	write(t, roots, "..data/root.pem", authority)
	write(t, roots, "key.pem", strings.ReplaceAll(authority, "CERTIFICATE", "PRIVATE KEY"))
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
			if len(withheld) > 0 || d.Roots[file] != authority {
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
	}{{authority, authority, 0}, {"", authority, 1}, {"x", authority, 1}, {authority + authority, authority + authority, 1}, {"", authority + authority, 2}} {
		write(t, dir, "root.pem", step.text)
		d := naming("root.pem")
		roots.add(d)
		if d.Roots["root.pem"] != step.want || len(d.Withheld) > 0 || strings.Count(log.String(), "is bad") != step.said {
			t.Errorf("%q: %q, %v, %s", step.text, d.Roots["root.pem"], d.Withheld, &log)
		}
	}
}
