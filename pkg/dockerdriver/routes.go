package dockerdriver

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/docker/docker/api/types/container"

	"credproxy.dev/controller/pkg/routetable"
)

// CopyRoutes writes the files of one generation, in their order, in one archive. A reader can see a part of them:
// it tells by the digest in the last one.
func (d *Driver) CopyRoutes(ctx context.Context, containerID string, files []routetable.File) error {
	packed, err := pack(files)
	if err != nil {
		return err
	}
	what := "copy routes to container " + d.nameOf(containerID)
	return d.callFor(ctx, patience*d.opts.CallTimeout, opContainerCopy, what, func(ctx context.Context) error {
		return d.docker.CopyToContainer(ctx, containerID, volumeRoot, bytes.NewReader(packed), container.CopyToContainerOptions{})
	})
}

// ReadRoutes returns the table in a sidecar's volume. Its key, which is there to keep its digest from telling anything of tokens, is
// left out, and no other file is asked for.
func (d *Driver) ReadRoutes(ctx context.Context, containerID string) (table routetable.Table, err error) {
	what := "read the routes of container " + d.nameOf(containerID)
	err = d.call(ctx, opContainerRead, what, func(ctx context.Context) error {
		packed, _, err := d.docker.CopyFromContainer(ctx, containerID, path.Join(volumeRoot, routetable.FileName))
		if err != nil {
			return err
		}
		defer packed.Close()
		table, err = unpackTable(packed)
		return err
	})
	return table, err
}

// unpackTable reads the archive of the one file.
func unpackTable(packed io.Reader) (routetable.Table, error) {
	archive := tar.NewReader(packed)
	header, err := archive.Next()
	if err != nil {
		return routetable.Table{}, err
	}
	if header.Typeflag != tar.TypeReg {
		return routetable.Table{}, fmt.Errorf("%s is not a regular file", routetable.FileName)
	}
	document, err := io.ReadAll(io.LimitReader(archive, routetable.MaxDocumentBytes+1))
	if err != nil {
		return routetable.Table{}, err
	}
	table, err := routetable.Parse(document)
	if err != nil {
		return routetable.Table{}, err
	}
	table.Key = nil
	return table, nil
}

// pack makes the archive, in which everything belongs to the sidecar's user.
func pack(files []routetable.File) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	dirs := map[string]bool{".": true}
	for _, f := range files {
		if dir := path.Dir(f.Name); !dirs[dir] {
			dirs[dir] = true
			if err := w.WriteHeader(owned(tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o700})); err != nil {
				return nil, err
			}
		}
		header := tar.Header{Typeflag: tar.TypeReg, Name: f.Name, Mode: int64(f.Mode.Perm()), Size: int64(len(f.Data))}
		if err := w.WriteHeader(owned(header)); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func owned(h tar.Header) *tar.Header {
	h.Uid, h.Gid, h.ModTime = routetable.UID, routetable.UID, time.Now()
	return &h
}
