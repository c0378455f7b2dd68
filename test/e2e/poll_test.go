//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// patience is how long a story waits for a state before it fails. It is no measure of speed.
const patience = 60 * time.Second

// eventually asks until the answer is nil, and fails with the last answer otherwise.
func eventually(t testing.TB, what string, ask func() error) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: still not so after %s: %v", what, patience, err)
		}
		<-tick.C
	}
}

// want turns a check into an answer for eventually.
func want(ok bool, got any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("it is %+v", got)
}

// empty is nil when a list is empty.
func empty(list []string) error { return want(len(list) == 0, list) }
