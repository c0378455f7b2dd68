package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"credproxy.dev/controller/pkg/spec"
)

const (
	// maxFile is the size in bytes of the largest file that is read.
	maxFile = 1 << 20
	// maxLooks bounds how often a directory that does not rest is read anew within one scan.
	maxLooks = 4
	// maxCauses bounds how many causes an incomplete scan's error names.
	maxCauses = 5
)

// reading is what one scan read.
type reading struct {
	listing
	id        RootID
	checkouts []checkout
	// held: git was at work, so that nothing of this look counts.
	held  bool
	found []found
	// err says why the reading is not complete.
	err error
	// newest is the latest modification time of any file.
	newest time.Time
	// unsettled asks for another look soon, although nothing may happen until then.
	unsettled bool
}

// found is one entry and what its content says.
type found struct {
	entry
	// folder is the directory in which the file really is: relative to the root, with slashes.
	folder  string
	sum     [sha256.Size]byte
	decoded spec.Decoded
	// blank: nothing is written in it, as in a file whose writing has only begun.
	blank bool
}

// irregularError is a thing that turned out not to be a regular file when it was open.
type irregularError struct{ mode fs.FileMode }

func (e irregularError) Error() string { return irregular(e.mode) }

var (
	errTooLarge = errors.New(tooLarge)
	// errTorn means that a name was there when it was listed and is not when it is opened.
	errTorn = errors.New(keptMoving)
)

// read looks until the same files are there before and after. Without that a file that moves during the look, or
// a link that is swapped, could be missed at both places and pass for deleted.
func (s *Source) read(ctx context.Context) reading {
	var r reading
	for range maxLooks {
		r = s.readOnce(ctx)
		if !errors.Is(r.err, errTorn) {
			return r
		}
	}
	r.unsettled = true
	return r
}

func (s *Source) readOnce(ctx context.Context) reading {
	root, l, err := openRoot(s.root)
	if err != nil {
		return reading{listing: l, err: err}
	}
	defer root.Close()
	now := time.Now()
	r := reading{listing: list(root, l), id: identify(root, l)}
	// Every file is read, and the names are listed once more, between two looks at git.
	checkouts, unseen := checkoutsOf(r.listing)
	r.checkouts = checkouts
	if r.err = writing(r.checkouts, now); r.err != nil {
		r.held, r.unsettled = true, true
		return r
	}
	if err := s.readFiles(ctx, root, &r); err != nil {
		r.err = err
	} else {
		r.err = errors.Join(incomplete(r.found), unseen, interrupted(r.checkouts, now))
	}
	if again, err := listAgain(s.root); err != nil || !again.equal(r.listing) {
		r.err = errTorn
	}
	if after, _ := checkoutsOf(r.listing); !rested(r.checkouts, after) {
		r.held, r.err = true, errTorn
	}
	return r
}

// readFiles reads what was listed. The error is errTorn, or says that ctx has ended.
func (s *Source) readFiles(ctx context.Context, root *os.Root, r *reading) error {
	for _, e := range r.files {
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", notFinished, ctx.Err())
		}
		f, modified, err := load(root, e, s.memory, s.decode)
		if errors.Is(err, fs.ErrNotExist) {
			return errTorn
		}
		if modified.After(r.newest) {
			r.newest = modified
		}
		r.found = append(r.found, f)
	}
	return nil
}

// listAgain lists through the path anew, so that a swapped link shows.
func listAgain(path string) (listing, error) {
	root, l, err := openRoot(path)
	if err != nil {
		return l, err
	}
	defer root.Close()
	return list(root, l), nil
}

// load reads and decodes one entry; content that is known already is not decoded again. The error is
// fs.ErrNotExist or nil: everything else is a fault of the entry.
func load(root *os.Root, e entry, known memory, decode decoder) (found, time.Time, error) {
	if e.fault != "" {
		return found{entry: e}, time.Time{}, nil
	}
	data, modified, err := readFile(root, e.real)
	var odd irregularError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return found{}, modified, err
	case errors.Is(err, errTooLarge), errors.As(err, &odd):
		e.fault = err.Error()
	case err != nil:
		e.fault, e.unread = unreadable(err), true
	}
	if e.fault != "" {
		return found{entry: e}, modified, nil
	}
	f := found{entry: e, folder: filepath.ToSlash(filepath.Dir(e.real)), sum: sha256.Sum256(data), blank: len(bytes.TrimSpace(data)) == 0}
	if rec, ok := known[e.path]; ok && rec.loaded && rec.sum == f.sum {
		f.decoded = rec.decoded
	} else {
		f.decoded = decode(e.path, data)
	}
	return f, modified, nil
}

// readFile reads a regular file of at most 1 MiB beneath the root. Opening never waits, whatever has meanwhile
// taken the place of a file that was regular when it was listed.
func readFile(root *os.Root, name string) ([]byte, time.Time, error) {
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, time.Time{}, err
	}
	if !info.Mode().IsRegular() {
		return nil, info.ModTime(), irregularError{info.Mode()}
	}
	if info.Size() > maxFile {
		return nil, info.ModTime(), errTooLarge
	}
	data := make([]byte, 0, info.Size()+1)
	data, err = readAtMost(file, data)
	return data, info.ModTime(), err
}

// readAtMost appends what the file holds to data. The file may have grown since its size was taken.
func readAtMost(file io.Reader, data []byte) ([]byte, error) {
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := file.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case len(data) > maxFile:
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		}
	}
}

// incomplete joins what could not be looked at; nil when everything was.
func incomplete(all []found) error {
	var causes []error
	more := 0
	for _, f := range all {
		switch {
		case !f.unread:
		case len(causes) < maxCauses:
			causes = append(causes, fmt.Errorf("%s %s", spec.ShownPath(f.path), f.fault))
		default:
			more++
		}
	}
	if more > 0 {
		causes = append(causes, fmt.Errorf("and %d more", more))
	}
	return errors.Join(causes...)
}
