package cli

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"

	"credproxy.dev/controller/internal/terminal"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// What a trial comes to.
const (
	resultAnswered   = "answered"    // by the upstream
	resultRefused    = "refused"     // by the sidecar
	resultNoUpstream = "no_upstream" // it stopped on the way from the sidecar to the upstream
	resultNoSidecar  = "no_sidecar"  // it stopped on the way to the sidecar
)

// trial is what try prints.
type trial struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Method string `json:"method"`
	URL    string `json:"url"`
	Result string `json:"result"`
	routetable.Trial
	Advice string `json:"advice,omitempty"`
}

// trialOf words what came of a request to a sidecar; unready says why that is not Ready, and is empty when it is.
func trialOf(name, unready string, req reconcile.TryRequest, t routetable.Trial) trial {
	result := resultOf(t)
	advice := adviceFor(name, result, t)
	if result == resultNoSidecar && t.Stage != routetable.StageTimeout && unready != "" {
		advice = "first mend why " + name + " is not Ready: " + unready
	}
	return trial{"Trial", name, req.Method, req.URL, result, t, advice}
}

func resultOf(t routetable.Trial) string {
	switch {
	case t.Status == 0:
		return resultNoSidecar
	case t.Code != "" && t.Stage != "":
		return resultNoUpstream
	case t.Code != "":
		return resultRefused
	}
	return resultAnswered
}

// adviceFor says what to do about a result; empty when it is as it should be.
func adviceFor(name, result string, t routetable.Trial) string {
	look := "controller status " + name + ", and controller logs " + name
	switch result {
	case resultNoSidecar:
		switch t.Stage {
		case routetable.StageDNS:
			return "nobody answers to that name on the internal network: " + look
		case routetable.StageTimeout:
			return "most likely the upstream hangs, or the name server that is asked for it: look there, or wait longer with --timeout; if not, " + look
		}
		return look
	case resultNoUpstream:
		return upstreamAdvice(t)
	case resultRefused:
		switch t.Status {
		case http.StatusUnauthorized:
			return "the sidecar asks its callers for a key: name the variable that holds it with --key-env"
		case http.StatusServiceUnavailable:
			return "`controller status " + name + "` says why, and what to do"
		}
		return ""
	}
	refused := t.Status == http.StatusUnauthorized || t.Status == http.StatusForbidden
	switch {
	case refused && t.Credential == routetable.CredentialAdded:
		return "the upstream did not accept the credential for this: is it the right token, and the scheme that it expects?"
	case refused && t.Credential == routetable.CredentialNone:
		return "the route adds no credential: does it need auth?"
	case t.Credential == "":
		return "the sidecar is of a version that does not tell its route; --upgrade-sidecars of run replaces it"
	}
	return ""
}

func upstreamAdvice(t routetable.Trial) string {
	const container = " If it is a container: does it run, on the egress network?"
	switch t.Stage {
	case routetable.StageDNS:
		if t.Status == http.StatusGatewayTimeout {
			return "no name server answered in time: do those of the engine's host answer, and does the egress network lead to them?"
		}
		return "is the upstream's name right, and does the engine's host resolve it?" + container
	case routetable.StageConnect:
		return "does the upstream listen there, and does the egress network lead to it?" + container
	case routetable.StageTLS:
		return "does the upstream speak TLS there, with a certificate of a public authority for that name?"
	case routetable.StageTimeout:
		return "the upstream took the request and said nothing: ask again, or look there"
	}
	return "the upstream broke the connection off: ask again, or look there"
}

func (t trial) print(w io.Writer, output string) error {
	if output == "json" {
		return printJSON(w, t)
	}
	lines := [][]string{{t.Method, t.URL}}
	if t.Result != resultNoSidecar {
		lines = append(lines, []string{"route", t.Route}, []string{"credential", t.Credential})
	}
	lines = append(lines, t.outcome())
	if t.Advice != "" {
		lines = append(lines, []string{"", "→ " + t.Advice})
	}
	widest := 0
	for _, line := range lines {
		widest = max(widest, len(line[0]))
	}
	var b strings.Builder
	for _, line := range lines {
		heading := fmt.Sprintf("%-*s   ", widest, oneLine(line[0]))
		b.WriteString(terminal.Hang(heading, cmp.Or(oneLine(line[1]), "-"), terminal.Width(w, maxWidth, 0)) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// outcome is the line that says what came of it.
func (t trial) outcome() []string {
	took := fmt.Sprintf("after %.0f ms", t.Milliseconds)
	switch t.Result {
	case resultNoSidecar:
		if t.Stage == routetable.StageTimeout {
			return []string{"stopped", fmt.Sprintf("behind the sidecar, which took the request: no answer came through it, %s", took)}
		}
		return []string{"stopped", fmt.Sprintf("on the way to the sidecar (%s), %s: %s", t.Stage, took, t.Message)}
	case resultNoUpstream:
		return []string{"stopped", fmt.Sprintf("on the way to the upstream (%s), %s: %s (%d %s)", t.Stage, took, t.Message, t.Status, t.Code)}
	case resultRefused:
		return []string{"refused", fmt.Sprintf("by the sidecar: %s (%d %s)", t.Message, t.Status, t.Code)}
	}
	body := "a body of unknown length"
	if t.Length >= 0 {
		body = fmt.Sprintf("%d bytes", t.Length)
	}
	if t.ContentType != "" {
		body = t.ContentType + ", " + body
	}
	return []string{"upstream", fmt.Sprintf("%d %s, %s, %s", t.Status, http.StatusText(t.Status), body, took)}
}
