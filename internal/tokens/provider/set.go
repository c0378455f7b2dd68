package provider

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/pkg/nearest"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

const (
	// maxCalls is how many commands run at a time; others wait for their turn.
	maxCalls = 8
	// defaultIdle is how long a key is kept and refreshed that nobody looks for.
	defaultIdle = time.Hour
)

// Options are what a Set goes by.
type Options struct {
	Providers []Provider
	// Patience is how long Token waits for a call that is under way; 0 waits until it has ended.
	Patience time.Duration
	// Idle is after how long a key is forgotten that nobody looks for; 0 is an hour.
	Idle time.Duration
	// Lookup reads the controller's environment, as os.LookupEnv does, which nil stands for.
	Lookup func(name string) (value string, ok bool)
	// Registerer takes the metrics; nil takes none.
	Registerer prometheus.Registerer
	// Log is told of calls that fail; nil is not.
	Log *slog.Logger
}

// Set are the declared providers, and the tokens that they gave.
type Set struct {
	opts      Options
	providers map[string]Provider
	metrics   *metrics
	// call is replaced by tests.
	call  func(ctx context.Context, p Provider, key string) (answer, *failure)
	turns chan struct{}
	// stop ends the calls under way, which all are among calls.
	stopped context.Context
	stop    context.CancelFunc
	calls   sync.WaitGroup
	// stirred has Run look again.
	stirred chan struct{}

	mu      sync.Mutex
	entries map[reference]*entry
	// news are the references of which something else is to be told since Run looked last.
	news []reference
}

// reference is a provider's name and a key of it.
type reference struct{ provider, key string }

func (r reference) compare(other reference) int {
	return cmp.Or(cmp.Compare(r.provider, other.provider), cmp.Compare(r.key, other.key))
}

// NewSet makes a Set. Whoever makes it closes it.
func NewSet(opts Options) *Set {
	if opts.Lookup == nil {
		opts.Lookup = os.LookupEnv
	}
	if opts.Idle == 0 {
		opts.Idle = defaultIdle
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Set{
		opts: opts, providers: map[string]Provider{}, turns: make(chan struct{}, maxCalls), stirred: make(chan struct{}, 1),
		entries: map[reference]*entry{},
	}
	s.stopped, s.stop = context.WithCancel(context.Background())
	s.call = func(ctx context.Context, p Provider, key string) (answer, *failure) {
		return call(ctx, p, key, opts.Lookup)
	}
	for _, p := range opts.Providers {
		s.providers[p.Name] = p
	}
	s.metrics = newMetrics(opts.Registerer, opts.Providers, s.nextExpiry)
	return s
}

// Close ends the calls under way, and waits until they have ended.
func (s *Set) Close() error {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	s.calls.Wait()
	return nil
}

// Permitted fails when nobody declared the provider, or the key is none. Nothing is asked for.
func (s *Set) Permitted(name, key string) error {
	if !spec.IsTokenKey(key) {
		return fmt.Errorf("%w: a key such as team-a/github is at most 253 letters, digits and ._/@:+=-", reconcile.ErrTokenInvalid)
	}
	if _, ok := s.providers[name]; ok {
		return nil
	}
	return fmt.Errorf("%w: the file of --token-providers does not declare the provider%s", reconcile.ErrTokenDenied,
		nearest.Hint(name, s.names()))
}

func (s *Set) names() []string {
	var names []string
	for _, p := range s.opts.Providers {
		names = append(names, p.Name)
	}
	return names
}

// Token finds the token of a key. One that is kept is there at once; otherwise the provider is asked, and waited for as long
// as the options say. The error wraps reconcile.ErrTokenMissing, ErrTokenUnknown, ErrTokenDenied or ErrTokenInvalid.
func (s *Set) Token(ctx context.Context, name, key string) (reconcile.Token, error) {
	if err := s.Permitted(name, key); err != nil {
		return reconcile.Token{}, err
	}
	ref := reference{name, key}
	if calling := s.use(ref); calling != nil {
		s.await(ctx, calling)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entry(ref).find(time.Now())
}

// use notes that somebody looks for a key, has it asked for if that is due, and returns what to wait for: nil when there is
// a token, or the last call failed a moment ago.
func (s *Set) use(ref reference) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, now := s.entry(ref), time.Now()
	e.used = now
	e.lapse(now)
	if e.has {
		return nil
	}
	if e.calling == nil && !now.Before(e.due) {
		s.begin(ref, e)
	}
	return e.calling
}

func (s *Set) await(ctx context.Context, calling <-chan struct{}) {
	if s.opts.Patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.opts.Patience)
		defer cancel()
	}
	select {
	case <-calling:
	case <-ctx.Done():
	}
}

// entry is that of a reference; it is made if there is none. The lock is held.
func (s *Set) entry(ref reference) *entry {
	e := s.entries[ref]
	if e == nil {
		e = &entry{used: time.Now()}
		s.entries[ref] = e
		s.stir()
	}
	return e
}

// begin has a key asked for, unless the Set is closed. The lock is held.
func (s *Set) begin(ref reference, e *entry) {
	if s.stopped.Err() != nil {
		return
	}
	e.calling = make(chan struct{})
	s.calls.Go(func() { s.ask(ref) })
}

// ask calls a provider when it is this call's turn, and takes in what it gave.
func (s *Set) ask(ref reference) {
	p := s.providers[ref.provider]
	var given answer
	why := pending()
	select {
	case s.turns <- struct{}{}:
		began := time.Now()
		given, why = s.call(s.stopped, p, ref.key)
		<-s.turns
		s.metrics.called(ref.provider, began, why)
	case <-s.stopped.Done():
	}
	s.settle(ref, given, why)
}

func (s *Set) settle(ref reference, given answer, why *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[ref]
	if e.settle(s.providers[ref.provider], given, why, time.Now()) {
		s.news = append(s.news, ref)
	}
	close(e.calling)
	e.calling = nil
	s.stir()
	s.tell(ref, why, e.has)
}

// tell logs a failure. One by which a token is missing is told by the status of specs, too.
func (s *Set) tell(ref reference, why *failure, kept bool) {
	level, what := slog.LevelInfo, "a token provider gave no token"
	if kept {
		level, what = slog.LevelWarn, "a token provider gave no new token; the last one is kept"
	}
	if why != nil && s.stopped.Err() == nil {
		s.opts.Log.Log(s.stopped, level, what, "provider", ref.provider, "key", ref.key, "error", why.Error())
	}
}

func (s *Set) stir() {
	select {
	case s.stirred <- struct{}{}:
	default: // it is asked for already
	}
}

// Run keeps the tokens that are in use fresh until ctx ends, and calls changed with each reference of which Token would tell
// something else than before.
func (s *Set) Run(ctx context.Context, changed func(provider, key string)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.stopped.Done():
			return
		case <-timer.C:
		case <-s.stirred:
		}
		news, pause := s.tend(time.Now())
		for _, ref := range news {
			changed(ref.provider, ref.key)
		}
		timer.Reset(pause)
	}
}

// tend has asked for what is due, forgets what is not used, and returns what is news and how long nothing more is to be done.
func (s *Set) tend(now time.Time) (news []reference, pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := now.Add(s.opts.Idle)
	for ref, e := range s.entries {
		if e.lapse(now) {
			s.news = append(s.news, ref)
		}
		switch {
		case e.calling != nil:
		case now.Sub(e.used) >= s.opts.Idle:
			delete(s.entries, ref)
			continue
		case !now.Before(e.due):
			s.begin(ref, e)
		}
		if wake := e.wake(s.opts.Idle); wake.Before(next) {
			next = wake
		}
	}
	news, s.news = s.news, nil
	slices.SortFunc(news, reference.compare)
	return slices.Compact(news), max(next.Sub(now), time.Millisecond)
}

// nextExpiry is when the first of a provider's tokens expires; the zero time if none does.
func (s *Set) nextExpiry(provider string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first time.Time
	for ref, e := range s.entries {
		if end := e.life.Expiry; ref.provider == provider && e.has && !end.IsZero() && (first.IsZero() || end.Before(first)) {
			first = end
		}
	}
	return first
}

// Lifetime is that of the token that was given last for a key, also once it has expired; zero if there is none or it does not
// say. The provider is not asked.
func (s *Set) Lifetime(name, key string) reconcile.Lifetime {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[reference{name, key}]; e != nil {
		return e.life
	}
	return reconcile.Lifetime{}
}

// Changed is when the token of a key was first given; zero when there is none. The provider is not asked.
func (s *Set) Changed(name, key string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[reference{name, key}]; e != nil && e.has {
		return e.since
	}
	return time.Time{}
}
