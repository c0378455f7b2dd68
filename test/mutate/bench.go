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
	// binaries are the tests of packages, compiled with all protections that can be switched off in them; alone are the numbers of
	// those that cannot.
	binaries map[string]string
	alone    map[int]bool
}

// compile makes the tests.
func (b *bench) compile(ctx context.Context, all []protection) error {
	overlay, alone, err := b.double(all)
	if err != nil {
		return err
	}
	b.binaries, b.alone = map[string]string{}, map[int]bool{}
	for _, p := range alone {
		b.alone[p.n] = true
	}
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
	test := func(pkg, pattern string) ([]string, error) { return b.test(ctx, strconv.Itoa(n), pkg, pattern) }
	if b.alone[n] {
		overlay, err := b.overlay(strconv.Itoa(n), p)
		if err != nil {
			return row{protection: p, err: err}
		}
		test = func(pkg, pattern string) ([]string, error) { return b.testAlone(ctx, overlay, pkg, pattern) }
	}
	caught, err := test(suite, "")
	if err == nil && len(p.elsewhere) > 0 {
		var more []string
		more, err = test(packageOf(p), "^("+strings.Join(p.elsewhere, "|")+")$")
		caught = append(caught, more...)
	}
	return row{protection: p, caught: caught, err: err}
}

// double writes files in which protections are numbered, and returns those that have to be switched off alone.
func (b *bench) double(all []protection) (overlay string, alone []numbered, err error) {
	byFile := map[string][]numbered{}
	for n, p := range all {
		byFile[p.file] = append(byFile[p.file], numbered{n, p})
	}
	texts := map[string]string{}
	for file, some := range byFile {
		text, err := some[0].read(b.root)
		if err != nil {
			return "", nil, err
		}
		changed, left, err := doubled(text, some)
		if err != nil {
			return "", nil, err
		}
		dir := filepath.Dir(file)
		texts[file], texts[filepath.Join(dir, "switched_off.go")] = changed, asking(filepath.Base(dir))
		alone = append(alone, left...)
	}
	overlay, err = b.lay("doubled", texts)
	return overlay, alone, err
}

// overlay writes the file of a protection as it is without it.
func (b *bench) overlay(name string, p protection) (string, error) {
	text, err := p.read(b.root)
	if err != nil {
		return "", err
	}
	changed, err := p.apply(text)
	if err != nil {
		return "", err
	}
	return b.lay(name, map[string]string{p.file: changed})
}

// lay writes files that go before those of the tree (go help build, -overlay).
func (b *bench) lay(name string, texts map[string]string) (string, error) {
	replace := map[string]string{}
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

// test runs the tests of a package with one protection switched off, or none, and returns the names of those that failed.
func (b *bench) test(ctx context.Context, off, pkg, pattern string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "tool", "test2json", b.binaries[pkg],
		"-test.v=test2json", "-test.timeout=2m", "-test.parallel=32", "-test.run="+pattern)
	cmd.Dir = filepath.Join(b.root, pkg)
	cmd.Env = append(os.Environ(), toggle+"="+off)
	return failed(cmd, pkg)
}

// testAlone does so with code that is compiled for it.
func (b *bench) testAlone(ctx context.Context, overlay, pkg, pattern string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-vet=off", "-timeout=2m", "-parallel=32", "-overlay="+overlay, "-run="+pattern, pkg)
	cmd.Dir = b.root
	return failed(cmd, pkg)
}

// failed runs tests, and returns the names of those that failed.
func failed(cmd *exec.Cmd, pkg string) ([]string, error) {
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
