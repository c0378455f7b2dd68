package provider

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// plugin answers for the commands of a Set, in a synctest bubble.
type plugin struct {
	mu    sync.Mutex
	took  time.Duration
	gives func(key string, call int) (answer, *failure)
	// asked are the times of calls for each key, since began.
	began          time.Time
	asked          map[string][]time.Duration
	running, most  int
	runningForKeys map[string]int
}

func (f *plugin) call(ctx context.Context, _ Provider, key string) (answer, *failure) {
	f.mu.Lock()
	f.asked[key] = append(f.asked[key], time.Since(f.began))
	call := len(f.asked[key])
	f.running++
	f.runningForKeys[key]++
	if f.most = max(f.most, f.running); f.runningForKeys[key] > 1 {
		panic("two calls at a time for " + key)
	}
	f.mu.Unlock()
	select {
	case <-time.After(f.took):
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running--
	f.runningForKeys[key]--
	if ctx.Err() != nil {
		return answer{}, failed(resultFailed, "given up")
	}
	return f.gives(key, call)
}

func (f *plugin) calls(key string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.asked[key])
}

// stage is a Set with a plugin, whose Run is on once running was called.
type stage struct {
	*Set
	t      *testing.T
	plugin *plugin
	mu     sync.Mutex
	news   []string
}

func newStage(t *testing.T, opts Options) *stage {
	t.Helper()
	opts.Providers = []Provider{{Name: "vault", Timeout: 10 * time.Second, RefreshBefore: time.Minute, RefreshInterval: 5 * time.Minute}}
	s := &stage{Set: NewSet(opts), t: t, plugin: &plugin{
		began: time.Now(), asked: map[string][]time.Duration{}, runningForKeys: map[string]int{},
		gives: func(key string, call int) (answer, *failure) { return tokenOf(fmt.Sprint(key, "-", call)), nil },
	}}
	s.Set.call = s.plugin.call
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// running has tokens kept fresh, and what changed noted.
func (s *stage) running() {
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx, func(provider, key string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.news = append(s.news, provider+" "+key)
		})
	}()
	s.t.Cleanup(func() { cancel(); <-ended })
}

// expect checks what Token tells.
func (s *stage) expect(key, want string, kinds ...error) {
	s.t.Helper()
	token, err := s.Token(s.t.Context(), "vault", key)
	if token.Reveal() != want || (err == nil) != (len(kinds) == 0) {
		s.t.Fatalf("%v after the start: %q, %v; want %q", time.Since(s.plugin.began), token.Reveal(), err, want)
	}
	for _, kind := range kinds {
		if !errors.Is(err, kind) {
			s.t.Errorf("%v, want %v", err, kind)
		}
	}
}

// why is the error that Token tells.
func (s *stage) why(key string) error {
	_, err := s.Token(s.t.Context(), "vault", key)
	return err
}

func (s *stage) expectNews(want ...string) {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want, s.news); diff != "" {
		s.t.Errorf("news (-want +got):\n%s", diff)
	}
	s.news = nil
}

// until moves the time on to that of a call, and reports when that was.
func (s *stage) until(key string, call int) time.Duration {
	s.t.Helper()
	for range 100_000 {
		if s.plugin.calls(key) >= call {
			synctest.Wait()
			s.plugin.mu.Lock()
			defer s.plugin.mu.Unlock()
			return s.plugin.asked[key][call-1]
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.t.Fatalf("call %d did not come", call)
	return 0
}

func (s *stage) within(what string, got, lowest, highest time.Duration) {
	s.t.Helper()
	if got < lowest || got > highest {
		s.t.Errorf("%s: %v, want from %v to %v", what, got, lowest, highest)
	}
}

func bubble(t *testing.T, opts Options, story func(t *testing.T, s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { story(t, newStage(t, opts)) })
}
