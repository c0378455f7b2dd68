package reconcile

import (
	"errors"
	"fmt"
)

// Kinds of failure. Drivers and resolvers wrap them with words for people; the loop maps each to a reason.
var (
	// ErrEngineUnavailable: the engine could not be asked, or did not answer in time.
	ErrEngineUnavailable = errors.New("engine unavailable")
	// ErrNameConflict: a container that is not ours holds the name.
	ErrNameConflict = errors.New("name conflict")
	// ErrNotFound: what the call was about does not exist.
	ErrNotFound = errors.New("not found")
	// ErrNetworkNotFound: a network that the call needs does not exist.
	ErrNetworkNotFound = errors.New("network not found")
	// ErrImageUnavailable: the image is not on the engine and cannot be built.
	ErrImageUnavailable = errors.New("image unavailable")
	// ErrRoutesRefused: the sidecar refused the generation.
	ErrRoutesRefused = errors.New("routes refused")
	// ErrUnsupported: the engine cannot do that at all.
	ErrUnsupported = errors.New("not supported by the engine")
	// ErrNotRunning: the sidecar ended before it answered.
	ErrNotRunning = errors.New("sidecar not running")

	// ErrNotIsolated: a breach came up on the network that a sidecar was about to serve.
	ErrNotIsolated = errors.New("not isolated")

	// ErrTokenMissing: the source of a token has no value.
	ErrTokenMissing = errors.New("token missing")
	// ErrTokenUnknown: the source of a token did not answer, or could not be read, so that nobody knows whether it has the
	// token. Such an error is an ErrTokenMissing too, and reads as one.
	ErrTokenUnknown = fmt.Errorf("%w", ErrTokenMissing)
	// ErrTokenDenied: the operator did not permit the reference. Whether it exists is not said.
	ErrTokenDenied = errors.New("token denied")
	// ErrTokenInvalid: the value cannot be a token.
	ErrTokenInvalid = errors.New("token invalid")
)

// A StepError is a failure in one step, with the words to show.
type StepError struct {
	Step   StepName
	Target string
	Err    error
}

// Error names the step and its target. An error about a token names its reference by itself.
func (e *StepError) Error() string {
	if e.Step == StepResolveTokens {
		return e.Err.Error()
	}
	return string(e.Step) + " " + e.Target + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }
