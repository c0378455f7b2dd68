package fakeengine

import (
	"context"
	"fmt"

	"credproxy.dev/controller/pkg/reconcile"
)

// EnsureImage returns the ID of the image to run. The controller's own is made when it is missing.
func (d *Driver) EnsureImage(ctx context.Context, ref string) (id string, err error) {
	err = d.act(ctx, &Call{Verb: EnsureImage, Target: ref}, func() error {
		image := d.engine.imageByID(ref)
		if image == nil {
			image = d.engine.images[ref]
		}
		if ref == "" {
			if image = d.engine.images[d.image]; image == nil {
				image = d.engine.addImage(d.image, Sidecar, nil)
			}
		}
		if image == nil {
			return fmt.Errorf("%w: image %s is not on the engine", reconcile.ErrImageUnavailable, ref)
		}
		id = image.ID
		return nil
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

func (e *Engine) addImage(ref string, program Program, labels map[string]string) *Image {
	image := &Image{ID: "sha256:" + e.newID(), Ref: ref, Program: program, Labels: labels}
	e.images[ref] = image
	return image
}

func (e *Engine) imageByID(id string) *Image {
	for _, image := range e.images {
		if image.ID == id {
			return image
		}
	}
	return nil
}
