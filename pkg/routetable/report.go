package routetable

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxReportBytes bounds one line of the sidecar's standard output, its newline included. A longer line is not a
// Report.
const MaxReportBytes = 4 << 10

// maxReportError bounds Report.Error so that a line stays below MaxReportBytes however much of it needs escaping.
const maxReportError = 512

// Line encodes the report as one line of JSON with its newline, of at most MaxReportBytes. An Error that is too
// long is cut.
func (r Report) Line() []byte {
	r.Error = cut(r.Error, maxReportError)
	// A Report holds strings, numbers and a bool only, so that it always encodes.
	line, _ := json.Marshal(r)
	return append(line, '\n')
}

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
