package provider

import (
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"credproxy.dev/controller/pkg/reconcile"
)

const (
	// minPause is the least time between two calls for one key.
	minPause = time.Second
	// maxPause is the longest pause after a call that fails; the next comes within a minute.
	maxPause = 45 * time.Second
	// earlier is by how much of its time a refresh comes early, so that keys do not stay in step.
	earlier = 0.1
	// later is by how much of its time a retry comes late, for the same reason.
	later = 0.3
)

// entry is what is known of one key.
type entry struct {
	// has is whether there is a token, and life until when; zero when that was not said. It is kept when the token has expired.
	has   bool
	token reconcile.Token
	life  reconcile.Lifetime
	// since is when this token was first given.
	since time.Time
	// lapsed is whether there was one that has expired.
	lapsed bool
	// failure is why the last call gave none; nil if it did.
	failure *failure
	// failures counts calls that gave none, since one did.
	failures int
	// due is when it is to be asked for again.
	due time.Time
	// used is when it was last looked for.
	used time.Time
	// calling is closed when the call under way ends; nil while there is none.
	calling chan struct{}
}

// find is the token, or why there is none.
func (e *entry) find(now time.Time) (reconcile.Token, error) {
	e.lapse(now)
	why := e.failure
	if why == nil {
		why = pending()
	}
	switch {
	case e.has:
		return e.token, nil
	case e.lapsed:
		return reconcile.Token{}, why.afterExpiry()
	}
	return reconcile.Token{}, why
}

// lapse drops a token that has expired, and reports whether it did.
func (e *entry) lapse(now time.Time) bool {
	if !e.has || e.life.Expiry.IsZero() || now.Before(e.life.Expiry) {
		return false
	}
	e.has, e.token, e.lapsed = false, reconcile.Token{}, true
	return true
}

// settle takes in what a call gave, and reports whether find tells something else now. A failure takes a token away only if
// it is the provider's word that there is none.
func (e *entry) settle(p Provider, given answer, why *failure, now time.Time) (changed bool) {
	before, first := *e, e.failure == nil && !e.has && !e.lapsed // nothing was known
	e.failure = why
	if why == nil {
		e.has, e.token, e.lapsed, e.failures = true, given.token, false, 0
		e.due = now.Add(refreshPause(p, given.expiry, now))
		if !given.expiry.Equal(e.life.Expiry) { // otherwise it is the one that is to be renewed
			e.life = lifetime(p, given.expiry, now)
		}
		if !before.has || !before.token.Equal(e.token) {
			e.since = now
		}
		return first || !before.has || !before.token.Equal(e.token)
	}
	if why.result == resultMissing {
		e.has, e.token, e.lapsed, e.life = false, reconcile.Token{}, false, reconcile.Lifetime{}
	}
	e.failures++
	e.due = now.Add(retryPause(e.failures))
	return first || before.has != e.has
}

// wake is when something is to be done: to ask, to let the token go that expires, or to forget a key that is not used.
func (e *entry) wake(idle time.Duration) time.Time {
	at := e.used.Add(idle)
	if end := e.life.Expiry; e.has && !end.IsZero() && end.Before(at) {
		at = end
	}
	if e.calling == nil && e.due.Before(at) {
		at = e.due
	}
	return at
}

// refreshPause is how long after it was given a token is asked for anew: in time before it expires, and at half of its life
// if that is short.
func refreshPause(p Provider, expiry, now time.Time) time.Duration {
	pause := p.RefreshInterval
	if !expiry.IsZero() {
		pause = lifetime(p, expiry, now).Renewal.Sub(now)
	}
	return max(minPause, wait.Jitter(time.Duration(float64(pause)/(1+earlier)), earlier))
}

// lifetime is that of a token which is given now and expires at a time; zero if it does not.
func lifetime(p Provider, expiry, now time.Time) reconcile.Lifetime {
	if expiry.IsZero() {
		return reconcile.Lifetime{}
	}
	return reconcile.Lifetime{Renewal: expiry.Add(-min(p.RefreshBefore, expiry.Sub(now)/2)), Expiry: expiry}
}

// retryPause doubles with each call in a row that gave no token.
func retryPause(failures int) time.Duration {
	pause := maxPause
	if doublings := failures - 1; doublings < 6 {
		pause = min(maxPause, minPause<<doublings)
	}
	return wait.Jitter(pause, later)
}
