package dockerdriver

import (
	"archive/tar"
	"bytes"
	"time"
)

const (
	dockerfileName = "Dockerfile.cred-proxy"
	// binaryName and volumeName are what the Dockerfile copies: the program, and an empty directory.
	binaryName = "cred-proxy"
	volumeName = "volume"
)

// buildContext is the archive that an image is built from. The same parts make the same bytes.
func buildContext(dockerfile, binary []byte) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct {
		header tar.Header
		data   []byte
	}{
		{tar.Header{Typeflag: tar.TypeReg, Name: dockerfileName, Mode: 0o644}, dockerfile},
		{tar.Header{Typeflag: tar.TypeReg, Name: binaryName, Mode: 0o755}, binary},
		{tar.Header{Typeflag: tar.TypeDir, Name: volumeName + "/", Mode: 0o755}, nil},
	} {
		f.header.Size, f.header.ModTime = int64(len(f.data)), time.Unix(0, 0)
		if err := w.WriteHeader(&f.header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
