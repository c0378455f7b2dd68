package reconcile

import "context"

// A Locker lets one process at a time act on a name, so that a person's single pass can work beside a controller that
// runs.
type Locker interface {
	// Lock waits until nobody else holds the name, or until ctx ends, and then fails with its cause.
	Lock(ctx context.Context, name string) (Held, error)
}

// Held is the right to act on one name.
type Held struct {
	// Release gives it back. It is called once.
	Release func()
	// Fresh is true when the holder before was this process too, or when there never was any: then nobody else has
	// acted on the name since this process last looked, as far as locks tell, and that look still holds.
	Fresh bool
}
