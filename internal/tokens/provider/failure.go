package provider

import "credproxy.dev/controller/pkg/reconcile"

// Results of a call, as labels of metrics.
const (
	resultSuccess = "success" // a token
	resultMissing = "missing" // an answer, and no token in it
	resultFailed  = "failed"  // no answer: it could not be run, or ended with an error
	resultTimeout = "timeout" // no answer in time
	resultInvalid = "invalid" // an answer that cannot be used
)

// failure is why there is no token, in words of our own: what a plugin writes may hold one.
type failure struct {
	result string
	// kind is reconcile.ErrTokenMissing, ErrTokenUnknown or ErrTokenInvalid.
	kind  error
	words string
}

// Error implements error.
func (f *failure) Error() string { return f.kind.Error() + ": " + f.words }

// Unwrap returns the kind.
func (f *failure) Unwrap() error { return f.kind }

// byHand ends the words about a call of which nothing else is shown.
const byHand = "; to see why, run it by hand as docs/tokens.md shows"

func invalidAnswer(words string) *failure {
	return &failure{result: resultInvalid, kind: reconcile.ErrTokenInvalid, words: words + byHand}
}

// noToken is a provider's word that there is none.
func noToken() *failure {
	return &failure{result: resultMissing, kind: reconcile.ErrTokenMissing, words: "its answer has no token: give it one for that key"}
}

func failed(result, words string) *failure {
	return &failure{result: result, kind: reconcile.ErrTokenUnknown, words: words + byHand}
}

// pending says nothing that changes from one look to the next, so that waiting is told once.
func pending() *failure {
	return &failure{kind: reconcile.ErrTokenUnknown, words: "it was asked and has not answered yet"}
}

// afterExpiry is the same failure where there was a token: it is known to have expired.
func (f *failure) afterExpiry() *failure {
	return &failure{kind: reconcile.ErrTokenMissing, words: "the token that it gave has expired, and " + f.words}
}
