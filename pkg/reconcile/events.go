package reconcile

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Event is one action or refusal, for people.
type Event struct {
	// Sequence grows by one from each event to the next. A controller begins with the milliseconds of the Unix epoch at
	// its own start, so that what it says comes after all that its predecessor said.
	Sequence int64     `json:"sequence"`
	Time     time.Time `json:"time"`
	// Name is the spec's name.
	Name string `json:"name"`
	// Type is Normal or Warning.
	Type    string `json:"type"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Cause   string `json:"cause,omitempty"`
}

// Types of events, as Kubernetes names them.
const (
	eventNormal  = "Normal"
	eventWarning = "Warning"
)

// Reasons of events that tell neither of a step nor of what stands against a name.
const (
	// EventIsolationRestored ends the breaches of an environment.
	EventIsolationRestored = "IsolationRestored"
	// EventMended is of a file that is good again after its last good version was in force (ReasonLastGood).
	EventMended = "Mended"
	// EventRecovered is of a sidecar that is Ready again without a step of this controller.
	EventRecovered = "Recovered"
	// EventGone is of a sidecar that no file declares and that somebody else removed.
	EventGone = "Gone"
)

// EventReasons lists every reason that an event can have.
func EventReasons() []string {
	reasons := append(Reasons(), EventIsolationRestored, EventMended, EventRecovered, EventGone)
	for _, step := range StepNames() {
		if reason, _ := told(step); reason != "" {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

// eventCapacity bounds the ring: some minutes of a busy fleet.
const eventCapacity = 1000

// recorder keeps the last events and writes each to the log.
type recorder struct {
	log *slog.Logger
	// changed is called, under the lock, when there is another event.
	changed func()

	mu       sync.Mutex
	sequence int64 // of the last event
	ring     []Event
	next     int
	// last is the last failure of each name, so that one that repeats at each retry is told once; standing is all that
	// stood against it at the last look.
	last     map[string]Blocked
	standing map[string][]Blocked
	// planned is what the plans said that somebody asked for, and so knows without the log.
	planned map[Blocked]bool
}

func newRecorder(log *slog.Logger, changed func()) *recorder {
	return &recorder{log: log, changed: changed, sequence: time.Now().UnixMilli(), last: map[string]Blocked{}, standing: map[string][]Blocked{},
		planned: map[Blocked]bool{}}
}

// plan notes what a plan says stands against its names.
func (r *recorder) plan(blocked []Blocked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range blocked {
		r.planned[b] = true
	}
}

// did records a step that was taken.
func (r *recorder) did(e Event) {
	r.mu.Lock()
	delete(r.last, e.Name)
	r.mu.Unlock()
	r.change(e)
}

// change records what became different, which does not make a refusal that repeats worth telling again.
func (r *recorder) change(e Event) {
	r.mu.Lock()
	r.add(e)
	r.mu.Unlock()
	r.write(levelOf(e.Type), e.Name, e.Reason, e.Message, e.Cause)
}

// warn records a failure unless it only repeats the name's last one, or what stands against the name anyway.
func (r *recorder) warn(name, reason, message string) {
	b := Blocked{Name: name, Reason: reason, Message: message}
	r.mu.Lock()
	known := r.last[name] == b || slices.Contains(r.standing[name], b)
	r.last[name] = b
	if !known {
		r.addRefusal(b)
	}
	level := r.levelOf(b)
	r.mu.Unlock()
	if !known {
		r.write(level, name, reason, message, "")
	}
}

// refuse takes over all that stands against a name now, and records what did not before. What has gone since is told again
// if it comes back.
func (r *recorder) refuse(name string, now []Blocked) {
	r.mu.Lock()
	fresh := slices.DeleteFunc(slices.Clone(now), func(b Blocked) bool {
		return r.last[name] == b || slices.Contains(r.standing[name], b)
	})
	levels := make([]slog.Level, len(fresh))
	for i, b := range fresh {
		r.addRefusal(b)
		levels[i] = r.levelOf(b)
	}
	r.standing[name] = now
	r.mu.Unlock()
	for i, b := range fresh {
		r.write(levels[i], name, b.Reason, b.Message, "")
	}
}

func (r *recorder) addRefusal(b Blocked) {
	r.add(Event{Name: b.Name, Type: b.severity(), Reason: b.Reason, Message: b.Message})
}

// severity is the type of the event that tells it: what only waits for a moment is no reason to worry.
func (b Blocked) severity() string {
	if b.Reason == ReasonProgressing {
		return eventNormal
	}
	return eventWarning
}

// levelOf is the level of a refusal in the log, under the lock.
func (r *recorder) levelOf(b Blocked) slog.Level {
	if r.planned[b] {
		return slog.LevelDebug
	}
	return levelOf(b.severity())
}

func levelOf(eventType string) slog.Level {
	if eventType == eventWarning {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

func (r *recorder) write(level slog.Level, name, reason, message, cause string) {
	attrs := []slog.Attr{slog.String("name", name), slog.String("reason", reason)}
	if cause != "" {
		attrs = append(attrs, slog.String("cause", cause))
	}
	r.log.LogAttrs(context.Background(), level, message, attrs...)
}

// keep forgets the warnings of names that are not known any more.
func (r *recorder) keep(known func(name string) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.last, func(name string, _ Blocked) bool { return !known(name) })
	maps.DeleteFunc(r.standing, func(name string, _ []Blocked) bool { return !known(name) })
}

// forget lets a name's last failure be told again.
func (r *recorder) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.last, name)
}

// add puts an event in its place in time.
func (r *recorder) add(e Event) {
	r.sequence++
	e.Sequence, e.Time = r.sequence, time.Now()
	r.changed()
	if len(r.ring) < eventCapacity {
		r.ring = append(r.ring, e)
		return
	}
	r.ring[r.next] = e
	r.next = (r.next + 1) % eventCapacity
}

// list returns the events, oldest first.
func (r *recorder) list() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(append([]Event{}, r.ring[r.next:]...), r.ring[:r.next]...)
}
