package proxy

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// After some answers net/http rests half a second before it closes, and nothing can hurry it.
		goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}
