package web_test

import (
	"errors"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/source"
)

func TestSourcesSayWhyNotEveryFileCouldBeRead(t *testing.T) {
	opts := options()
	if got := ask(t, opts, "GET", "http://localhost/api/v1alpha1/sources").Body.String(); strings.Contains(got, "scanError") {
		t.Errorf("nothing is wrong, and yet:\n%s", got)
	}
	opts.Sources = func() ([]source.FileStatus, error) { return nil, errors.New("the directory went") }
	got := ask(t, opts, "GET", "http://localhost/api/v1alpha1/sources").Body.String()
	if !strings.Contains(got, `"items": []`) || !strings.Contains(got, `"scanError": "the directory went"`) {
		t.Errorf("got:\n%s", got)
	}
}
