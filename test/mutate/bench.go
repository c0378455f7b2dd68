package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// suite has the attacks.
const suite = "./test/attacks"

// row is what came of switching one protection off.
type row struct {
	protection
	// caught are the names of attacks and tests that failed.
	caught []string
	// err is why that is not known.
	err error
}

// bench runs tests on changed code, which is laid over the tree and never written into it.
type bench struct {
	root, dir string
	progress  io.Writer
	mu        sync.Mutex
}

// mustPassAsItIs fails when the tests fail although nothing is changed.
func (b *bench) mustPassAsItIs(ctx context.Context) error {
	failed, err := b.test(ctx, "", suite, "")
	if err == nil && len(failed) > 0 {
		err = fmt.Errorf("attacks succeed though nothing is switched off: %s", strings.Join(failed, "; "))
	}
	return err
}

// switchOff returns a row for each protection, in their order.
func (b *bench) switchOff(ctx context.Context, all []protection, workers int) []row {
	rows := make([]row, len(all))
	next := make(chan int)
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for i := range next {
				rows[i] = b.try(ctx, i, all[i])
				b.tell(rows[i])
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	working.Wait()
	return rows
}

func (b *bench) tell(r row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(b.progress, "%4d caught it: %s\n", len(r.caught), r.name)
}

func (b *bench) try(ctx context.Context, n int, p protection) row {
	overlay, err := b.overlay(strconv.Itoa(n), p)
	if err != nil {
		return row{protection: p, err: err}
	}
	caught, err := b.test(ctx, overlay, suite, "")
	if err == nil && len(p.elsewhere) > 0 {
		var more []string
		more, err = b.test(ctx, overlay, "./"+filepath.Dir(p.file), "^("+strings.Join(p.elsewhere, "|")+")$")
		caught = append(caught, more...)
	}
	return row{protection: p, caught: caught, err: err}
}

// overlay writes files that go before those of the tree (go help build, -overlay).
func (b *bench) overlay(name string, changes ...protection) (string, error) {
	replace, texts := map[string]string{}, map[string]string{}
	for _, p := range changes {
		text, ok := texts[p.file]
		if !ok {
			var err error
			if text, err = p.read(b.root); err != nil {
				return "", err
			}
		}
		changed, err := p.apply(text)
		if err != nil {
			return "", err
		}
		texts[p.file] = changed
	}
	for file, text := range texts {
		original, err := filepath.Abs(filepath.Join(b.root, file))
		if err != nil {
			return "", err
		}
		replace[original] = filepath.Join(b.dir, name+"-"+strings.ReplaceAll(file, "/", "-"))
		if err := os.WriteFile(replace[original], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(b.dir, name+".json")
	return path, os.WriteFile(path, list, 0o600)
}

// test runs the tests of a package and returns the names of those that failed.
func (b *bench) test(ctx context.Context, overlay, pkg, pattern string) ([]string, error) {
	args := []string{"test", "-json", "-count=1", "-vet=off", "-timeout=5m", "-parallel=32"}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	if pattern != "" {
		args = append(args, "-run="+pattern)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, pkg)...)
	cmd.Dir = b.root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return nil, fmt.Errorf("running the tests of %s: %w", pkg, err)
	}
	names, ran := failures(out)
	if !ran {
		return nil, fmt.Errorf("the tests of %s did not run: %s %s", pkg, firstLines(stderr.String()), firstLines(printed(out)))
	}
	if err != nil && len(names) == 0 {
		names = []string{"(the tests as a whole)"}
	}
	return names, nil
}
