package routetable

import (
	"encoding/json"
	"errors"
	"fmt"
)

const (
	// TrialCommand is the sidecar binary's word for making one request, in place of being a sidecar.
	TrialCommand = "try"
	// TrialKeyVariable holds the caller's key for such a request.
	TrialKeyVariable = "CRED_PROXY_TRY_KEY"
	// MaxTrialBytes is the size of the longest line that tells a Trial.
	MaxTrialBytes = 16 << 10
)

// Trial is what came of one request that was made to a sidecar as an agent would make it. The binary tells it as one
// line of JSON on stdout. It holds nothing of a body that was not the sidecar's own.
type Trial struct {
	// Status is the answer's; 0 when the sidecar gave none.
	Status      int    `json:"status,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	// Length is the body's in bytes as it was announced, -1 when it was not.
	Length int64 `json:"length"`
	// Milliseconds is the time from the request to the head of the answer.
	Milliseconds float64 `json:"milliseconds"`
	// Route and Credential are as FieldRoute and FieldCredential say; a sidecar of an older version says neither.
	Route      string `json:"route,omitempty"`
	Credential string `json:"credential,omitempty"`
	// Code is that of the sidecar's own error.
	Code string `json:"code,omitempty"`
	// Stage is where it stopped: on the way to the sidecar without a Status, and to the upstream with one.
	Stage string `json:"stage,omitempty"`
	// Message says in words why it stopped.
	Message string `json:"message,omitempty"`
}

// Line is the trial as one line.
func (t Trial) Line() []byte {
	line, _ := json.Marshal(t) // of numbers and strings, which always encode
	return append(line, '\n')
}

// ParseTrial reads such a line.
func ParseTrial(line []byte) (Trial, error) {
	var t Trial
	if len(line) > MaxTrialBytes {
		return t, errors.New("the line is too long")
	}
	if err := json.Unmarshal(line, &t); err != nil {
		return t, fmt.Errorf("the line is not JSON: %w", err)
	}
	if t.Status == 0 && t.Stage == "" {
		return t, errors.New("the line tells neither an answer nor where the request stopped")
	}
	return t, nil
}
