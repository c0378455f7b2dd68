package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const readySum = "credproxy_spec_to_ready_seconds_sum"

// learn makes one sidecar and takes it apart, so that bare calls can make the same.
func (b *bed) learn(ctx context.Context) error {
	const name = "pattern"
	if b.recipe != nil {
		return nil
	}
	if err := b.drop(name); err != nil {
		return err
	}
	if err := b.until(ctx, "the sidecar is ready", func() bool { return b.ready(ctx, name) }); err != nil {
		return err
	}
	var err error
	if b.recipe, err = b.engine.recipeOf(ctx, b.name(name), b.internal, b.egress); err != nil {
		return err
	}
	return b.erase(ctx, name)
}

// measureAtRest looks at one sidecar that has nothing to do.
func measureAtRest(ctx context.Context, b *bed) ([]row, error) {
	const name = "rest"
	if err := b.drop(name); err != nil {
		return nil, err
	}
	if err := b.until(ctx, "the sidecar is ready", func() bool { return b.ready(ctx, name) }); err != nil {
		return nil, err
	}
	resident, err := residentMB(ctx, b.name(name))
	if err != nil {
		return nil, err
	}
	image, err := docker(ctx, "inspect", "-f", "{{.Image}}", b.name(name))
	if err != nil {
		return nil, err
	}
	size, err := docker(ctx, "image", "inspect", "-f", "{{.Size}}", image)
	if err != nil {
		return nil, err
	}
	var bytes float64
	if _, err := fmt.Sscan(size, &bytes); err != nil {
		return nil, err
	}
	return []row{
		{what: "sidecar at rest, resident", unit: "MB", ours: resident, goal: 12},
		{what: "image", unit: "MB", ours: bytes / 1e6, goal: 10},
	}, b.erase(ctx, name)
}

// residentMB is the resident memory of a container's first process, which may be read by its owner and root.
func residentMB(ctx context.Context, container string) (float64, error) {
	pid, err := docker(ctx, "inspect", "-f", "{{.State.Pid}}", container)
	if err != nil {
		return 0, err
	}
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kB float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kB); n == 1 {
			return kB * 1024 / 1e6, nil
		}
	}
	return 0, fmt.Errorf("process %s has no VmRSS", pid)
}

// measureOne makes one sidecar after the other, in turns by the controller, by bare calls and by the docker
// command.
func measureOne(ctx context.Context, b *bed) ([]row, error) {
	if err := b.learn(ctx); err != nil {
		return nil, err
	}
	cli, err := newCLI(ctx, b)
	if err != nil {
		return nil, err
	}
	var scanned, dropped, bare, byCLI []float64
	for i := range rounds {
		name := fmt.Sprintf("one%d", i)
		fromScan, fromDrop, err := b.oneOfOurs(ctx, name)
		if err != nil {
			return nil, err
		}
		scanned, dropped = append(scanned, fromScan), append(dropped, fromDrop)

		ms, err := timed(func() error { return b.engine.makeBare(ctx, b.recipe, b.name("bare")) })
		if err != nil {
			return nil, err
		}
		bare = append(bare, ms)
		if err := b.engine.remove(ctx, b.name("bare")); err != nil {
			return nil, err
		}

		ms, err = timed(func() error { return cli.make(ctx, b.name("cli")) })
		if err != nil {
			return nil, err
		}
		byCLI = append(byCLI, ms)
		if err := b.engine.remove(ctx, b.name("cli")); err != nil {
			return nil, err
		}
	}
	ours := median(scanned)
	return []row{
		{"spec to ready, p50 of 20", "ms", ours, median(bare), "four bare API calls", 1.15},
		{"the same", "ms", ours, median(byCLI), "five docker commands", 1},
		{"the same, from the file's drop", "ms", median(dropped), median(bare), "four bare API calls", 0},
	}, nil
}

// oneOfOurs returns how many milliseconds it took from the first scan that saw the spec, as the controller's own
// metric tells, and from the drop of the file.
func (b *bed) oneOfOurs(ctx context.Context, name string) (fromScan, fromDrop float64, err error) {
	before, err := b.metric(ctx, readySum)
	if err != nil {
		return 0, 0, err
	}
	fromDrop, err = timed(func() error {
		if err := b.drop(name); err != nil {
			return err
		}
		return b.until(ctx, name+" is ready", func() bool { return b.ready(ctx, name) })
	})
	if err != nil {
		return 0, 0, err
	}
	after, err := b.metric(ctx, readySum)
	if err != nil {
		return 0, 0, err
	}
	return 1000 * (after - before), fromDrop, b.erase(ctx, name)
}

// measureBurst drops many specs at once, in turns with as many bare makings at the same number of workers.
func measureBurst(ctx context.Context, b *bed) ([]row, error) {
	if err := b.learn(ctx); err != nil {
		return nil, err
	}
	names := make([]string, burst)
	for i := range names {
		names[i] = fmt.Sprintf("many%d", i)
	}
	var ours, bare []float64
	for turn := range 4 {
		// Ours, bare, bare, ours: neither always comes after the other.
		for _, first := range []bool{turn%2 == 0, turn%2 != 0} {
			way, took := b.burstOfOurs, &ours
			if !first {
				way, took = b.burstOfBare, &bare
			}
			ms, err := way(ctx, names)
			if err != nil {
				return nil, err
			}
			*took = append(*took, ms)
		}
	}
	fmt.Fprintf(os.Stderr, " (turns of ours %.0f, of bare %.0f ms)", ours, bare)
	what := fmt.Sprintf("%d specs at once, %d workers", burst, workers)
	return []row{{what, "ms", median(ours), median(bare), "as many bare calls", 1.15}}, nil
}

func (b *bed) burstOfOurs(ctx context.Context, names []string) (float64, error) {
	ms, err := timed(func() error {
		for _, name := range names {
			if err := b.drop(name); err != nil {
				return err
			}
		}
		return b.untilEvery(ctx, 50*time.Millisecond, "all are ready", func() bool { return b.ready(ctx, names...) })
	})
	if err != nil {
		return 0, err
	}
	return ms, b.erase(ctx, names...)
}

func (b *bed) burstOfBare(ctx context.Context, names []string) (float64, error) {
	ms, err := timed(func() error {
		return inParallel(names, func(n string) error { return b.engine.makeBare(ctx, b.recipe, b.name(n)) })
	})
	if err != nil {
		return 0, err
	}
	if err := inParallel(names, func(n string) error { return b.engine.remove(ctx, b.name(n)) }); err != nil {
		return 0, err
	}
	return ms, b.settle(ctx)
}

// inParallel does the work for each name, as many at a time as the controller has workers.
func inParallel(names []string, work func(string) error) error {
	queue := make(chan string)
	failed := make(chan error, len(names))
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for name := range queue {
				if err := work(name); err != nil {
					failed <- err
				}
			}
		})
	}
	for _, name := range names {
		queue <- name
	}
	close(queue)
	group.Wait()
	close(failed)
	return <-failed
}

// timed returns how many milliseconds the work took.
func timed(work func() error) (float64, error) {
	begin := time.Now()
	err := work()
	return float64(time.Since(begin).Microseconds()) / 1000, err
}

// cli makes sidecars as one would by hand: five commands.
type cli struct {
	b       *bed
	context string
	files   string
}

func newCLI(ctx context.Context, b *bed) (*cli, error) {
	c := &cli{b: b, context: filepath.Join(b.dir, "context"), files: filepath.Join(b.dir, "files.tar")}
	if err := os.MkdirAll(filepath.Join(c.context, "volume"), 0o755); err != nil {
		return nil, err
	}
	arch, err := docker(ctx, "version", "--format", "{{.Server.Arch}}")
	if err != nil {
		return nil, err
	}
	for from, to := range map[string]string{
		"Dockerfile.cred-proxy":                "Dockerfile",
		"bin/sidecar/cred-proxy-linux-" + arch: "cred-proxy",
	} {
		data, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(c.context, to), data, 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(c.files, b.recipe.files, 0o600); err != nil {
		return nil, err
	}
	_, err = docker(ctx, "build", "-q", "-t", b.cliImage(), c.context) // so that the measured ones are cached
	return c, err
}
