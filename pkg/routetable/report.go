package routetable

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxReportBytes bounds one line of the sidecar's standard output, its newline included. A longer line is not a
// Report.
const MaxReportBytes = 4 << 10

// maxReportError bounds Report.Error so that a line stays below MaxReportBytes however much of it needs escaping.
const maxReportError = 512

// MaxRejected bounds Report.Rejected.
const MaxRejected = 16

// Line encodes the report as one line of JSON with its newline, of at most MaxReportBytes. An Error that is too
// long is cut, and of Rejected the last are left out that do not fit.
func (r Report) Line() []byte {
	r.Error = cut(r.Error, maxReportError)
	r.Rejected = r.Rejected[:min(len(r.Rejected), MaxRejected)]
	for {
		// A Report holds strings, numbers and a bool only, so that it always encodes.
		line, _ := json.Marshal(r)
		if line = append(line, '\n'); len(line) <= MaxReportBytes || len(r.Rejected) == 0 {
			return line
		}
		r.Rejected = r.Rejected[:len(r.Rejected)-1]
	}
}

// SaysNoMore reports whether a report differs from an earlier one at most in how often tokens were rejected.
func (r Report) SaysNoMore(earlier Report) bool {
	same := slices.EqualFunc(r.Rejected, earlier.Rejected, Rejection.SameRoute)
	r.Rejected, earlier.Rejected = nil, nil
	return same && reflect.DeepEqual(r, earlier)
}

// Rejects reports whether the token of the route of a path is rejected.
func (r Report) Rejects(path string) bool {
	return slices.ContainsFunc(r.Rejected, func(one Rejection) bool { return one.Route == path })
}

// SameRoute reports whether both are about one route.
func (r Rejection) SameRoute(other Rejection) bool { return r.Route == other.Route }

// ParseReport reads one line of a sidecar, with or without its newline. Fields that it does not know are left out,
// and any Event is accepted: a newer sidecar may say more. The texts come from the sidecar as they are; clean them
// before people see them.
func ParseReport(line []byte) (Report, error) {
	if len(line) > MaxReportBytes {
		return Report{}, fmt.Errorf("a report of %d bytes is longer than %d", len(line), MaxReportBytes)
	}
	var r Report
	if err := json.Unmarshal(line, &r); err != nil {
		return Report{}, fmt.Errorf("a line is not a report: %w", err)
	}
	if r.Event == "" {
		return Report{}, fmt.Errorf("a line is not a report: it has no event")
	}
	return r, nil
}

// cut shortens s to at most limit bytes, on a boundary of UTF-8.
func cut(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= limit {
		return s
	}
	const mark = "…"
	end := limit - len(mark)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}
