package attacks

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds waits that end long before.
const patience = 20 * time.Second

// sink keeps what is written to it, and tells of it.
type sink struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func newSink() *sink { return &sink{more: make(chan struct{})} }

func (s *sink) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.more)
	s.more = make(chan struct{})
	return s.text.Write(b)
}

func (s *sink) read() (string, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String(), s.more
}

// waitFor waits until a text has been written.
func (s *sink) waitFor(t testing.TB, text string) {
	t.Helper()
	late := time.After(patience)
	for {
		all, more := s.read()
		if strings.Contains(all, text) {
			return
		}
		select {
		case <-more:
		case <-late:
			t.Fatalf("%q was not written, but %s", text, all)
		}
	}
}

// take returns what was written, and forgets it.
func (s *sink) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return s.text.String()
}
