package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// measureFollow edits a route over and over. The table counts as served when the sidecar has confirmed it, which the
// controller shows as the digest of its routes.
func measureFollow(ctx context.Context, b *bed) ([]row, error) {
	const name = "follow"
	if err := b.drop(name); err != nil {
		return nil, err
	}
	if err := b.until(ctx, "the sidecar is ready", func() bool { return b.ready(ctx, name) }); err != nil {
		return nil, err
	}
	original, err := os.ReadFile(b.file(name))
	if err != nil {
		return nil, err
	}
	var took []float64
	for i := range rounds {
		before := b.routesDigest(ctx, name)
		edited := strings.Replace(string(original), "path: /api", fmt.Sprintf("path: /api/v%d", i), 1)
		ms, err := timed(func() error {
			if err := replaceFile(b.file(name), edited); err != nil {
				return err
			}
			return b.until(ctx, "the edited route is served", func() bool {
				now := b.routesDigest(ctx, name)
				return now != "" && now != before
			})
		})
		if err != nil {
			return nil, err
		}
		took = append(took, ms)
	}
	return []row{{what: fmt.Sprintf("a file's edit to the new table served, p50 of %d", rounds), unit: "ms", ours: median(took), goal: 150}},
		b.erase(ctx, name)
}

// replaceFile writes a file in one move.
func replaceFile(path, text string) error {
	hidden := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	if err := os.WriteFile(hidden, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(hidden, path)
}

// routesDigest is that of the routes that a Ready sidecar serves; empty when there is none.
func (b *bed) routesDigest(ctx context.Context, name string) string {
	body, err := b.fetch(ctx, "/api/v1alpha1/credproxies/"+name)
	var object struct {
		Status struct{ RoutesDigest string }
	}
	if err != nil || json.Unmarshal(body, &object) != nil {
		return ""
	}
	return object.Status.RoutesDigest
}
