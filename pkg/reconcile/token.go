package reconcile

import "credproxy.dev/controller/pkg/routetable"

// Token holds a token's value so that it cannot be printed, logged or encoded by accident.
type Token = routetable.Token

// NewToken wraps a value.
func NewToken(value string) Token { return routetable.NewToken(value) }
