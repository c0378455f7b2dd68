package proxy

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

const (
	// tryTimeout bounds one trial when nothing else is asked for.
	tryTimeout = 30 * time.Second
	// maxTrialText is how many bytes of anything that was answered are told.
	maxTrialText = 2 << 10
)

// Try makes one request to a sidecar, as an agent on its network would, and writes what came of it to stdout as one
// line. It returns the process's exit code: 0 when there is such a line, whatever it tells.
func Try(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("cred-proxy "+routetable.TrialCommand, flag.ContinueOnError)
	flags.SetOutput(stderr)
	method := flags.String("X", http.MethodGet, "method")
	timeout := flags.Duration("timeout", tryTimeout, "longest wait")
	keyHeader := flags.String("key-header", routetable.FieldKey, "header in which the caller's key is shown")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	request, err := http.NewRequestWithContext(ctx, *method, flags.Arg(0), nil)
	if err != nil || flags.NArg() != 1 {
		fmt.Fprintln(stderr, "cred-proxy try wants one URL, after the flags")
		return 2
	}
	request.Header.Set(routetable.FieldTrace, "true")
	if key := getenv(routetable.TrialKeyVariable); key != "" {
		request.Header.Set(*keyHeader, key)
	}
	if _, err := stdout.Write(ask(request, *timeout).Line()); err != nil {
		return 1
	}
	return 0
}

// ask makes the request, and reads no more of the answer than is told.
func ask(request *http.Request, timeout time.Duration) routetable.Trial {
	ctx, cancel := context.WithTimeout(request.Context(), timeout)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true} // and no proxy, and no redirect followed
	begun := time.Now()
	response, err := transport.RoundTrip(request.WithContext(ctx))
	took := float64(time.Since(begun).Microseconds()) / 1000
	if err != nil {
		return notAnswered(request.URL.Host, err, took)
	}
	defer response.Body.Close()
	trial := routetable.Trial{
		Status: response.StatusCode, ContentType: short(response.Header.Get("Content-Type")), Length: response.ContentLength, Milliseconds: took,
		Route: short(response.Header.Get(routetable.FieldRoute)), Credential: short(response.Header.Get(routetable.FieldCredential)),
		Code: short(response.Header.Get(routetable.FieldError)), Stage: short(response.Header.Get(routetable.FieldStage)),
	}
	if trial.Code != "" {
		trial.Message = message(response.Body)
	}
	return trial
}

// notAnswered says why there was no answer of the sidecar, in words of our own.
func notAnswered(host string, err error, took float64) routetable.Trial {
	trial := routetable.Trial{Length: -1, Milliseconds: took, Stage: stageOf(err)}
	switch {
	case trial.Stage == routetable.StageDNS:
		trial.Message = "the name in " + host + " could not be resolved"
	case trial.Stage == routetable.StageExchange:
		trial.Message = host + " closed the connection before it answered"
	case timedOut(err):
		trial.Message = host + " did not answer in time"
	default:
		trial.Message = host + " could not be reached: " + reason(err)
	}
	return trial
}

// message is what the sidecar's own error says for people.
func message(body io.Reader) string {
	var said struct {
		Message string `json:"message"`
	}
	if err := json.NewDecoder(io.LimitReader(body, 2*maxTrialText)).Decode(&said); err != nil {
		return ""
	}
	return short(said.Message)
}

func short(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxTrialText)], "")
}
