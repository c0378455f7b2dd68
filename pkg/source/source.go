package source

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"credproxy.dev/controller/pkg/spec"
)

// settle is how long a file must have looked the same before the names that it no longer holds count as removed
// from it. A file that is written in place passes through shorter versions, some of which are valid.
const settle = 2 * time.Second

// Options say what to read.
type Options struct {
	// Root is the directory of specs. It may be a link, which every scan resolves anew.
	Root string
	// Spec are the rules for what the files say.
	Spec spec.Options
}

// Source reads one directory of specs. Its methods may be called from several goroutines; scans take turns.
type Source struct {
	root   string // absolute, links and all
	decode decoder
	settle time.Duration

	mu       sync.Mutex // held during a scan
	memory   memory
	watchMu  sync.Mutex
	watchErr error
}

// A decoder reads the content of one file; the name is for its problems.
type decoder func(file string, data []byte) spec.Decoded

// New makes a Source. It fails when the directory cannot be opened now; once made, a Source outlives that.
func New(opts Options) (*Source, error) {
	if opts.Root == "" {
		return nil, errors.New("no directory of specs is given: use --specs DIR")
	}
	abs, err := filepath.Abs(opts.Root)
	if err != nil {
		return nil, fmt.Errorf("directory of specs %s: %w", opts.Root, err)
	}
	s := &Source{
		root:     abs,
		decode:   func(file string, data []byte) spec.Decoded { return spec.Decode(file, data, opts.Spec) },
		settle:   settle,
		memory:   memory{},
		watchErr: errors.New("the directory is not watched yet"),
	}
	at, _, err := openRoot(abs)
	if err != nil {
		return nil, err
	}
	return s, at.Close()
}

// Scan looks at the whole directory once. An incomplete look is a Snapshot too, and says why in Err.
func (s *Source) Scan(ctx context.Context) Snapshot {
	snap, _ := s.scan(ctx)
	return snap
}

// scan is Scan, and what Run wants to know besides.
func (s *Source) scan(ctx context.Context) (Snapshot, reading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := time.Now()
	r := s.read(ctx)
	views, unsettled := s.memory.merge(at, s.settle, r.found, r.err == nil)
	snap := collate(views)
	snap.At, snap.Complete, snap.Err = at, r.err == nil, r.err
	r.unsettled = r.unsettled || unsettled
	return snap, r
}

// WatchErr is nil while Run watches every directory, and otherwise says why changes are found by the periodic
// scan alone.
func (s *Source) WatchErr() error {
	s.watchMu.Lock()
	defer s.watchMu.Unlock()
	return s.watchErr
}

func (s *Source) setWatchErr(err error) {
	s.watchMu.Lock()
	defer s.watchMu.Unlock()
	s.watchErr = err
}
