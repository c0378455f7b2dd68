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
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
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
	// binaries are the tests of packages, in which each protection can be switched off.
	binaries map[string]string
}

// compile makes the tests.
func (b *bench) compile(ctx context.Context, all []protection) error {
	overlay, err := b.overlay(all)
	if err != nil {
		return err
	}
	b.binaries = map[string]string{}
	packages := []string{suite}
	for _, p := range all {
		if len(p.elsewhere) > 0 {
			packages = append(packages, packageOf(p))
		}
	}
	slices.Sort(packages)
	for _, pkg := range slices.Compact(packages) {
		b.binaries[pkg], err = filepath.Abs(filepath.Join(b.dir, strings.ReplaceAll(pkg[2:], "/", "-")+".test"))
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay="+overlay, "-o="+b.binaries[pkg], pkg)
		cmd.Dir = b.root
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("compiling the tests of %s: %w: %s", pkg, err, firstLines(string(out)))
		}
	}
	return nil
}

func packageOf(p protection) string { return "./" + filepath.Dir(p.file) }

// mustPassAsItIs fails when the tests fail although nothing is switched off.
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
				begun := time.Now()
				rows[i] = b.try(ctx, i, all[i])
				b.tell(rows[i], time.Since(begun))
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

func (b *bench) tell(r row, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(b.progress, "%4d caught it, in %3.0f s: %s\n", len(r.caught), took.Seconds(), r.name)
}

func (b *bench) try(ctx context.Context, n int, p protection) row {
	off := strconv.Itoa(n)
	caught, err := b.test(ctx, off, suite, "")
	if err == nil && len(p.elsewhere) > 0 {
		var more []string
		more, err = b.test(ctx, off, packageOf(p), "^("+strings.Join(p.elsewhere, "|")+")$")
		caught = append(caught, more...)
	}
	return row{protection: p, caught: caught, err: err}
}

// overlay writes files in which each protection can be switched off by its number. They go before those of the tree (go help build,
// -overlay).
func (b *bench) overlay(all []protection) (string, error) {
	byFile := map[string][]numbered{}
	for n, p := range all {
		byFile[p.file] = append(byFile[p.file], numbered{n, p})
	}
	replace := map[string]string{}
	for file, some := range byFile {
		text, err := some[0].read(b.root)
		if err != nil {
			return "", err
		}
		changed, err := doubled(text, some)
		if err != nil {
			return "", err
		}
		dir := filepath.Dir(file)
		if err := errors.Join(b.lay(replace, file, changed), b.lay(replace, filepath.Join(dir, "switched_off.go"), asking(filepath.Base(dir)))); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(b.dir, "overlay.json")
	return path, os.WriteFile(path, list, 0o600)
}

// lay writes a file that stands for one of the tree.
func (b *bench) lay(replace map[string]string, file, text string) error {
	original, err := filepath.Abs(filepath.Join(b.root, file))
	if err != nil {
		return err
	}
	replace[original] = filepath.Join(b.dir, strings.ReplaceAll(file, "/", "-"))
	return os.WriteFile(replace[original], []byte(text), 0o600)
}

// test runs the tests of a package with one protection switched off, or none, and returns the names of those that failed.
func (b *bench) test(ctx context.Context, off, pkg, pattern string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "test2json", b.binaries[pkg],
		"-test.v=test2json", "-test.timeout=2m", "-test.parallel=32", "-test.run="+pattern)
	cmd.Dir = filepath.Join(b.root, pkg)
	cmd.Env = append(os.Environ(), toggle+"="+off)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
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
