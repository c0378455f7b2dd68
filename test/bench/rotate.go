package main

import (
	"context"
	"fmt"
	"path/filepath"
)

// measureRotate replaces a token over and over. It counts as served when the sidecar has confirmed the generation, which
// the controller counts as a reload.
func measureRotate(ctx context.Context, b *bed) ([]row, error) {
	const name, reloads = "rotate", `credproxy_step_duration_seconds_count{result="success",step="reload"}`
	token := filepath.Join(b.tokens(), name)
	if err := replaceFile(token, "rotated"); err != nil {
		return nil, err
	}
	if err := b.dropWith(name, "file: "+name); err != nil {
		return nil, err
	}
	if err := b.until(ctx, "the sidecar is ready", func() bool { return b.ready(ctx, name) }); err != nil {
		return nil, err
	}
	var took []float64
	for i := range rounds {
		before, err := b.metric(ctx, reloads)
		if err != nil {
			return nil, err
		}
		ms, err := timed(func() error {
			if err := replaceFile(token, fmt.Sprint("rotated-", i)); err != nil {
				return err
			}
			return b.until(ctx, "the rotated token is served", func() bool {
				now, err := b.metric(ctx, reloads)
				return err == nil && now > before
			})
		})
		if err != nil {
			return nil, err
		}
		took = append(took, ms)
	}
	return []row{{what: fmt.Sprintf("a token's edit to its generation confirmed, p50 of %d", rounds), unit: "ms", ours: median(took), goal: 1000}},
		b.erase(ctx, name)
}
