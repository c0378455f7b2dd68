package reconcile

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/workqueue"
)

const (
	// eventDelay gathers the events of one change, our own included, into one look.
	eventDelay = 100 * time.Millisecond
	// retryBase and retryMax bound the backoff of a name that fails.
	retryBase = 250 * time.Millisecond
	retryMax  = 30 * time.Second
	// jitter spreads retries, so that names that failed together do not return together.
	jitter = 0.3
	// reconnectPause is how long the event stream rests after it broke: an engine's return is noticed within it.
	reconnectPause = 500 * time.Millisecond
	// lookRetry is how soon a look that failed is made again. While the stream is broken as well, that asks sooner.
	lookRetry = 2 * reconnectPause
)

// Run reconciles until ctx ends. Sidecars keep running. It returns once every step in hand is finished.
func (c *Controller) Run(ctx context.Context) error {
	queue := workqueue.NewTypedRateLimitingQueueWithConfig(
		resting{workqueue.NewTypedItemExponentialFailureRateLimiter[string](retryBase, retryMax), c.rest},
		workqueue.TypedRateLimitingQueueConfig[string]{Name: controllerName, MetricsProvider: c.queueStats})
	c.mu.Lock()
	c.queue = queue
	c.mu.Unlock()
	c.driver.OnCounted(c.traffic.take)

	var wg sync.WaitGroup
	for range c.opts.Workers {
		wg.Go(func() { c.work(ctx, queue) })
	}
	wg.Go(func() { c.watch(ctx) })
	wg.Go(func() { c.watchTokens(ctx) })
	wg.Go(func() { c.resync(ctx) })
	<-ctx.Done()
	queue.ShutDown()
	wg.Wait()
	return nil
}

// resting spreads the delays of a rate limiter, and lets the name rest that long.
type resting struct {
	workqueue.TypedRateLimiter[string]
	rest func(name string, d time.Duration)
}

// When implements workqueue.TypedRateLimiter.
func (r resting) When(name string) time.Duration {
	delay := wait.Jitter(r.TypedRateLimiter.When(name), jitter)
	r.rest(name, delay)
	return delay
}

// work reconciles names from the queue until it is shut down.
func (c *Controller) work(ctx context.Context, queue workqueue.TypedRateLimitingInterface[string]) {
	for {
		name, shutdown := queue.Get()
		if shutdown {
			return
		}
		if ctx.Err() == nil {
			c.process(ctx, queue, name)
		}
		queue.Done(name)
	}
}

// process reconciles one name, times it, and decides when it is looked at again.
func (c *Controller) process(ctx context.Context, queue workqueue.TypedRateLimitingInterface[string], name string) {
	result, began := resultSuccess, time.Now()
	c.metrics.active.Inc()
	out := c.reconcile(ctx, name)
	c.metrics.active.Dec()
	switch {
	case out.err != nil && isTokenReason(reasonOf(out.err)):
		result = resultRequeueAfter
		queue.Forget(name)
		queue.AddAfter(name, wait.Jitter(tokenRetry, jitter))
	case errors.Is(out.err, errBusy):
		result = resultRequeueAfter
		queue.Forget(name)
		queue.AddAfter(name, wait.Jitter(lockRetry, jitter))
	case out.err != nil:
		result = resultError
		c.metrics.errors.Inc()
		c.touch(name) // the call that failed may have taken effect
		queue.AddRateLimited(name)
	default:
		queue.Forget(name)
		c.rest(name, 0)
	}
	c.metrics.reconciles.WithLabelValues(result).Inc()
	c.metrics.duration.Observe(time.Since(began).Seconds())
}

// watch follows the engine's events. Whenever the stream opens, everything is looked at: what happened before is
// not told by any event.
func (c *Controller) watch(ctx context.Context) {
	for ctx.Err() == nil {
		err := c.driver.Watch(ctx, c.changed)
		c.metrics.eventsUp.Set(0)
		if ctx.Err() != nil {
			return
		}
		c.recorder.log.Debug("the event stream ended; it is opened again", "error", err)
		c.askForLook() // if it is the engine that is away, everything has to say so
		select {
		case <-ctx.Done():
		case <-time.After(reconnectPause):
		}
	}
}

// changed turns a change into names to look at.
func (c *Controller) changed(ch Change) {
	switch {
	case ch == Change{}:
		c.metrics.eventsUp.Set(1)
		c.forgetBackoff()
		c.driver.Forget() // a list alone does not show all that may have changed since the last event
		c.askForLook()
	case ch.SpecName != "":
		c.noticed.add(ch.Stranger, ch.SpecName)
		switch ch.Kind {
		case "destroy", "disconnect", "rename": // it may have stood in the way of others
			c.noticed.add(false, c.statuses.names(true)...)
		}
	case ch.Network != "":
		c.noticed.add(ch.Stranger, c.statuses.onNetwork(ch.Network)...)
		c.noticed.add(false, c.lookout.latest().makers(ch.Network)...) // they may wait until it is free
	default:
		c.noticed.add(ch.Stranger, c.statuses.names(true)...)
	}
}

// askForLook has everything looked at soon.
func (c *Controller) askForLook() {
	select {
	case c.lookAgain <- struct{}{}:
	default: // it is asked for already
	}
}

// forgetBackoff lets names that failed while the engine was away be tried at once.
func (c *Controller) forgetBackoff() {
	c.mu.Lock()
	queue := c.queue
	clear(c.rests)
	c.mu.Unlock()
	for _, name := range c.statuses.names(true) {
		queue.Forget(name)
	}
}

// resync looks at everything when the event stream opens and periodically, and now and then inspects everything too.
func (c *Controller) resync(ctx context.Context) {
	light, deep := time.NewTicker(c.opts.Resync), time.NewTicker(c.opts.DeepResync)
	defer light.Stop()
	defer deep.Stop()
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.strangers:
			if !c.lookAround(ctx) && retry == nil {
				retry = time.After(lookRetry)
			}
			continue
		case <-c.lookAgain:
		case <-retry:
		case <-light.C:
		case <-deep.C:
			c.driver.Forget()
		}
		retry = nil
		if !c.lookAtAll(ctx) {
			retry = time.After(lookRetry)
		}
	}
}

// lookAtAll observes, and has every name reconciled on that observation. It reports whether the engine answered.
func (c *Controller) lookAtAll(ctx context.Context) bool {
	began := time.Now()
	v, err := c.lookout.since(ctx, began)
	if err != nil {
		for _, name := range c.statuses.names(false) {
			c.unavailable(ctx, name, err)
		}
		return false
	}
	s, _ := c.scene(v)
	names := s.names()
	c.deliveries.keep(v)
	c.forgetGone(v, names)
	c.mu.Lock()
	queue := c.queue
	if !c.looked && c.declared.Complete {
		c.looked = true
		c.opts.Changed()
	}
	for _, name := range names {
		if c.marks[name].Before(began) {
			c.marks[name] = began
		}
	}
	c.mu.Unlock()
	for _, name := range slices.DeleteFunc(names, c.resting) {
		queue.Add(name)
	}
	c.learnOwnImage(ctx)
	return true
}

// learnOwnImage has the controller's own image there before a spec needs it, and known, so that sidecars that run another
// one can be told.
func (c *Controller) learnOwnImage(ctx context.Context) {
	if c.ownImage.Load() != nil {
		return
	}
	id, err := c.driver.EnsureImage(ctx, "")
	if err != nil {
		c.recorder.log.Warn("the sidecar's image cannot be made yet; it is tried again with the next look", "error", err)
		return
	}
	c.ownImage.Store(&id)
}

// forgetGone drops what is remembered of names that neither a file nor the engine has any more.
func (c *Controller) forgetGone(v *view, names []string) {
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
	}
	c.recorder.keep(func(name string) bool { return known[name] })
	c.traffic.keep(v, known)
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.marks {
		if !known[name] {
			delete(c.marks, name)
			delete(c.blocked, name)
			delete(c.rests, name)
		}
	}
}

// Once makes one pass: every name is tried once. It fails only when the engine could not be asked.
func (c *Controller) Once(ctx context.Context) error {
	if c.opts.UpgradeSidecars {
		c.learnOwnImage(ctx)
	}
	v, err := c.lookout.since(ctx, time.Now())
	if err != nil {
		return err
	}
	s, _ := c.scene(v)
	var group errgroup.Group
	group.SetLimit(max(1, c.opts.Workers))
	for _, name := range s.names() {
		group.Go(func() error {
			if out := c.reconcile(ctx, name); errors.Is(out.err, ErrEngineUnavailable) {
				return out.err
			}
			return nil
		})
	}
	return group.Wait()
}
