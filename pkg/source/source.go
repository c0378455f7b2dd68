package source

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"credproxy.dev/controller/pkg/spec"
)

// settle is how long a file must have looked the same before the names that it no longer holds count as removed
// from it. A file that is written in place passes through shorter versions, some of which are valid.
const settle = 2 * time.Second

const (
	// gitPatience is how long one Scan waits for git to finish, and gitPoll how often it looks.
	gitPatience = 10 * time.Second
	gitPoll     = 50 * time.Millisecond
)

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
	last     Snapshot // what a checkout that is being written is held at
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
		last:     Snapshot{KeepNames: sets.New[string]()},
		watchErr: errors.New("the directory is not watched yet"),
	}
	at, _, err := openRoot(abs)
	if err != nil {
		return nil, err
	}
	return s, at.Close()
}

// Scan looks at the whole directory once, after a git that is writing there has finished, for which it waits at most
// ten seconds. An incomplete look is a Snapshot too, and says why in Err.
func (s *Source) Scan(ctx context.Context) Snapshot {
	tick := time.NewTicker(gitPoll)
	defer tick.Stop()
	for began := time.Now(); ; {
		snap, r := s.scan(ctx)
		if !r.held || time.Since(began) >= gitPatience {
			return snap
		}
		select {
		case <-ctx.Done():
			return snap
		case <-tick.C:
		}
	}
}

// scan is Scan, and what Run wants to know besides.
func (s *Source) scan(ctx context.Context) (Snapshot, reading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := time.Now()
	r := s.read(ctx)
	if r.held {
		snap := s.last
		snap.At, snap.Complete, snap.Err = at, false, r.err
		return snap, r
	}
	views, unsettled := s.memory.merge(at, s.settle, r.found, r.err == nil)
	snap := collate(views)
	snap.At, snap.Complete, snap.Err, snap.Root, snap.Ignored = at, r.err == nil, r.err, r.id, shown(r.ignored)
	s.last = snap
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
