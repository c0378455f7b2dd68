package sidecarimage

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBinaryIsUnpacked(t *testing.T) {
	files := fstest.MapFS{"bin/cred-proxy-linux-arm64.gz": {Data: packed(t, "the program")}}
	got, err := binary(files, "arm64")
	if err != nil || string(got) != "the program" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestWhatCannotBeUnpackedSaysWhatToDo(t *testing.T) {
	whole := packed(t, strings.Repeat("the program", 1000))
	files := fstest.MapFS{
		"bin/cred-proxy-linux-torn.gz":  {Data: whole[:len(whole)-4]},
		"bin/cred-proxy-linux-plain.gz": {Data: []byte("not packed at all")},
	}
	for _, arch := range []string{"riscv64", "torn", "plain"} {
		t.Run(arch, func(t *testing.T) {
			_, err := binary(files, arch)
			if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "make build") || !strings.Contains(err.Error(), arch) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestNoBinaryForAnUnknownArchitecture(t *testing.T) {
	if _, err := Binary("vax"); !errors.Is(err, ErrMissing) {
		t.Fatalf("got %v", err)
	}
}
