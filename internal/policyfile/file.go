package policyfile

import (
	"crypto/sha256"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/policy"
)

// SingleUser stands, in place of a file's path, for the ready-made policy for one trusted user.
const SingleUser = "single-user"

// settle is how long a changed file must have looked the same before it counts: one that is written in place passes through
// shorter versions, which may be good policies and permit less.
const settle = time.Second

// Options say which policy is meant.
type Options struct {
	// Path is that of the file, or SingleUser. Without one there is no policy.
	Path string
	// Specs are the directories of specs, in none of which the file may be.
	Specs []string
	// SingleUser is the text of the ready-made policy.
	SingleUser []byte
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

// State is a policy as it is in force.
type State struct {
	// Given is false when there is no policy, and everything is permitted.
	Given bool
	// Policy is the last good version; nil when there was none yet. Then nothing can be judged.
	Policy *policy.Policy
	// Err says why what the file says now is not in force; nil when it is.
	Err error
}

// File is a policy's file. Its methods may be called from several goroutines.
type File struct {
	opts    Options
	metrics *metrics

	mu    sync.Mutex
	state State
	// known is the version that state is of, pending one that is not in force yet, first seen at since.
	known, pending version
	since          time.Time
}

// version is what one look found: the content, or why there was none. It is comparable.
type version struct {
	sum [sha256.Size]byte
	err string
}

// Open reads the policy. It fails when others could change the file; one that is missing or wrong is in the State.
func Open(opts Options) (*File, error) {
	f := &File{opts: opts, metrics: newMetrics(opts.Registerer)}
	switch opts.Path {
	case "":
		f.metrics.valid.Set(1)
		return f, nil
	case SingleUser:
		f.take(opts.SingleUser, nil)
		return f, f.state.Err
	}
	data, err := f.read()
	if isExposed(err) {
		return nil, err
	}
	f.known = versionOf(data, err)
	f.take(data, err)
	return f, nil
}

// State returns the policy in force.
func (f *File) State() State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// Look looks at the file, and reports whether the State is another one now.
func (f *File) Look() (changed bool) { return f.look(time.Now()) }

func (f *File) look(now time.Time) (changed bool) {
	if f.opts.Path == "" || f.opts.Path == SingleUser {
		return false
	}
	data, err := f.read()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch found := versionOf(data, err); {
	case found == f.known:
		f.pending = version{}
		return false
	case found != f.pending:
		f.pending, f.since = found, now
		return false
	case now.Sub(f.since) < settle:
		return false
	default:
		f.known, f.pending = found, version{}
		f.take(data, err)
		return true
	}
}

func versionOf(data []byte, err error) version {
	if err != nil {
		return version{err: err.Error()}
	}
	return version{sum: sha256.Sum256(data)}
}

// take brings what was read into force, if it is good.
func (f *File) take(data []byte, err error) {
	f.state.Given = true
	var good *policy.Policy
	if err == nil {
		good, err = decode(f.opts.Path, data)
	}
	f.metrics.took(err)
	if f.state.Err = err; err == nil {
		f.state.Policy = good
	}
	f.tell()
}

func (f *File) tell() {
	switch s := f.state; {
	case s.Err == nil:
		f.opts.Log.Info("the policy is in force", "policy", f.opts.Path)
	case s.Policy != nil:
		f.opts.Log.Error("the policy is not good any more; its last good version stays in force", "policy", f.opts.Path, "error", s.Err.Error())
	default:
		f.opts.Log.Error("the policy is not good, and nothing is delivered until it is; what runs serves on", "policy", f.opts.Path, "error", s.Err.Error())
	}
}
