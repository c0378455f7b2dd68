package reconcile

import "time"

// TryRequest asks for one request to a sidecar, made by a throw-away container on the sidecar's internal network.
type TryRequest struct {
	// ImageID is an image of the sidecar's binary.
	ImageID string
	// Network is the name of the internal network.
	Network string
	// Method and URL are the request's; it has no body.
	Method, URL string
	// Timeout bounds the request itself.
	Timeout time.Duration
	// Key is what the caller shows to the sidecar; nil shows none.
	Key *Token
	// KeyHeader is the header in which it is shown; empty for the usual one.
	KeyHeader string
}
