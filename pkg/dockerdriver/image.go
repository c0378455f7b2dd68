package dockerdriver

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/docker/docker/api/types/build"

	"credproxy.dev/controller/pkg/reconcile"
)

const (
	repository = "cred-proxy"
	// recipe is the version of how an image is made from its parts; another one makes another image.
	recipe = "1"
)

// Image is what the controller's own sidecar image is built from.
type Image struct {
	// Dockerfile is the text of Dockerfile.cred-proxy.
	Dockerfile []byte
	// Binary returns the static sidecar binary for linux and an architecture, as GOARCH names it.
	Binary func(arch string) ([]byte, error)
}

// Tag names the image for engines of an architecture, by what it is made from.
func (i Image) Tag(arch string) (string, error) {
	binary, err := i.Binary(arch)
	if err != nil {
		return "", err
	}
	return imageTag(i.Dockerfile, binary), nil
}

// images makes the controller's own image, once for all who ask at the same time.
type images struct {
	building sync.Mutex

	mu   sync.Mutex
	arch string // the engine's, once it is known
	tag  string // empty until it is known
	// ids are those that the controller's own image has had, the last one at the end.
	ids []string
}

func (i *images) knownTag() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.tag
}

func (i *images) lastID() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.ids) == 0 {
		return ""
	}
	return i.ids[len(i.ids)-1]
}

func (i *images) put(id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !slices.Contains(i.ids, id) {
		i.ids = append(i.ids, id)
	}
}

// tagOf is the tag of the controller's own image, if that is what an ID is of; empty otherwise.
func (i *images) tagOf(id string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !slices.Contains(i.ids, id) {
		return ""
	}
	return i.tag
}

// EnsureImage returns the ID of the image to run. The controller's own is built when it is missing; any other has
// to be on the engine already.
func (d *Driver) EnsureImage(ctx context.Context, ref string) (string, error) {
	if ref == "" {
		return d.ownImage(ctx)
	}
	id, err := d.imageID(ctx, ref)
	if errors.Is(err, reconcile.ErrNotFound) {
		return "", fmt.Errorf("%w: image %s is not on the engine, and nothing is pulled for a spec; run `docker pull %s` there: %w",
			reconcile.ErrImageUnavailable, ref, ref, err)
	}
	return id, err
}

// imageID inspects an image.
func (d *Driver) imageID(ctx context.Context, ref string) (id string, err error) {
	err = d.call(ctx, opImageInspect, "inspect image "+ref, func(ctx context.Context) error {
		found, err := d.docker.ImageInspect(ctx, ref)
		id = found.ID
		return err
	})
	return id, err
}

// ownImage returns the ID of the controller's own image. When it is there, that takes one inspection. While it is there,
// its ID stays the same, also when another controller builds the image again and takes the tag.
func (d *Driver) ownImage(ctx context.Context) (string, error) {
	tag, err := d.ownTag(ctx)
	if err != nil {
		return "", err
	}
	id, err := d.imageID(ctx, cmp.Or(d.images.lastID(), tag))
	if errors.Is(err, reconcile.ErrNotFound) {
		id, err = d.builtImage(ctx, tag)
	}
	if err != nil {
		return "", err
	}
	d.images.put(id)
	return id, nil
}

// builtImage returns the ID of the image with the tag, which is built unless somebody else has done so meanwhile.
func (d *Driver) builtImage(ctx context.Context, tag string) (string, error) {
	d.images.building.Lock()
	defer d.images.building.Unlock()
	if id, err := d.imageID(ctx, tag); !errors.Is(err, reconcile.ErrNotFound) {
		return id, err
	}
	d.log.Info("building the sidecar's image", "image", tag)
	if err := d.build(ctx, tag); err != nil {
		return "", err
	}
	return d.imageID(ctx, tag)
}

// ownTag names the controller's own image for the engine's architecture. It is worked out once.
func (d *Driver) ownTag(ctx context.Context) (string, error) {
	d.images.mu.Lock()
	defer d.images.mu.Unlock()
	if d.images.tag != "" {
		return d.images.tag, nil
	}
	if d.opts.Image.Binary == nil {
		return "", fmt.Errorf("%w: this controller carries no sidecar image; name one with --image", reconcile.ErrImageUnavailable)
	}
	engine, err := d.ask(ctx)
	if err != nil {
		return "", err
	}
	tag, err := d.opts.Image.Tag(engine.arch)
	if err != nil {
		return "", fmt.Errorf("%w: %w", reconcile.ErrImageUnavailable, err)
	}
	d.images.arch, d.images.tag = engine.arch, tag
	return d.images.tag, nil
}

// imageTag names an image by what it is made from.
func imageTag(dockerfile, binary []byte) string {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(recipe), dockerfile, binary} {
		sum := sha256.Sum256(part)
		h.Write(sum[:])
	}
	return repository + ":" + hex.EncodeToString(h.Sum(nil))[:12]
}

// build makes the image with the engine's classic builder, which needs no session and pulls nothing for an image
// from scratch.
func (d *Driver) build(ctx context.Context, tag string) error {
	binary, err := d.opts.Image.Binary(d.images.arch)
	if err != nil {
		return fmt.Errorf("%w: %w", reconcile.ErrImageUnavailable, err)
	}
	packed, err := buildContext(d.opts.Image.Dockerfile, binary)
	if err != nil {
		return err
	}
	err = d.callFor(ctx, patience*d.opts.CallTimeout, opImageBuild, "build image "+tag, func(ctx context.Context) error {
		answer, err := d.docker.ImageBuild(ctx, bytes.NewReader(packed), build.ImageBuildOptions{
			Tags: []string{tag}, Dockerfile: dockerfileName, Version: build.BuilderV1, Remove: true, ForceRemove: true,
		})
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		return buildResult(answer.Body)
	})
	if err != nil && !errors.Is(err, reconcile.ErrEngineUnavailable) && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", reconcile.ErrImageUnavailable, err)
	}
	return err
}

// buildResult reads a build's progress to its end, and returns the error that is told in it: the answer's status is
// sent before the build begins.
func buildResult(progress io.Reader) error {
	for decoder := json.NewDecoder(progress); ; {
		var message struct {
			Error string `json:"error"`
		}
		err := decoder.Decode(&message)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case message.Error != "":
			return errors.New(clean(message.Error, maxShown))
		}
	}
}
