// Package doctor judges what a controller needs: its engine, its directories, its machine. The facts are gathered apart,
// so that each judgement is a small function of what was found.
package doctor

import (
	"fmt"
	"slices"
)

// Status is what a check comes to.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Warning Status = "warning" // it works, and something about it should be changed
	Failure Status = "failure" // the controller cannot work, or a token or the engine is open to others
	Unknown Status = "unknown" // it could not be found out
)

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"check"`
	Status Status `json:"status"`
	// Found is what there is, and Advice what to do about it; there is none when all is well.
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"`
}

// Failed reports whether any check is a failure.
func Failed(checks []Check) bool {
	return slices.ContainsFunc(checks, func(c Check) bool { return c.Status == Failure })
}

// Judge makes every check, in the order in which one would mend things.
func Judge(f Facts) []Check {
	var checks []Check
	for _, c := range []struct {
		name  string
		judge func(Facts) verdict
	}{
		{"engine", engine},
		{"api-calls", apiCalls},
		{"address-pools", addressPools},
		{"internal-dns", internalDNS},
		{"ip-forward", ipForward},
		{"clock", clock},
		{"instances", instances},
		{"user", owner},
		{"socket", socket},
		{"specs", specs},
		{"token-dir", tokenDir},
		{"token-providers", providers},
		{"policy", policy},
		{"state-dir", stateDir},
		{"listen", listen},
		{"inotify", inotify},
	} {
		v := c.judge(f)
		checks = append(checks, Check{c.name, v.status, v.found, v.advice})
	}
	return checks
}

// verdict is what one judgement says.
type verdict struct {
	status        Status
	found, advice string
}

func ok(format string, args ...any) verdict { return verdict{OK, fmt.Sprintf(format, args...), ""} }

func unknown(format string, args ...any) verdict {
	return verdict{Unknown, fmt.Sprintf(format, args...), ""}
}

func warning(found, advice string) verdict { return verdict{Warning, found, advice} }
func failure(found, advice string) verdict { return verdict{Failure, found, advice} }
