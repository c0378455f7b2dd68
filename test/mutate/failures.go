package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// event is a line of test2json.
type event struct{ Action, Test, Output string }

func events(out []byte) (all []event) {
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			all = append(all, e)
		}
	}
	return all
}

// failures are the names of the tests that failed, of attacks their own, in order. One that was running when the whole ended has
// failed too. ran is whether there was any.
func failures(out []byte) (names []string, ran bool) {
	last := map[string]string{}
	var order []string
	for _, e := range events(out) {
		if e.Test == "" || e.Action == "output" {
			continue
		}
		if last[e.Test] == "" {
			order = append(order, e.Test)
		}
		last[e.Test] = e.Action
	}
	for _, test := range order {
		if action := last[test]; action == "pass" || action == "skip" || action == "pause" || hasSubtests(test, order) {
			continue
		}
		names = append(names, attackName(test))
	}
	slices.Sort(names)
	return names, len(order) > 0
}

func hasSubtests(test string, all []string) bool {
	return slices.ContainsFunc(all, func(other string) bool { return strings.HasPrefix(other, test+"/") })
}

// attackName is how an attack's table has it.
func attackName(test string) string {
	parts := strings.SplitN(test, "/", 3)
	if parts[0] != "TestAttacks" || len(parts) < 3 {
		return test
	}
	return strings.ReplaceAll(parts[2], "_", " ")
}

func printed(out []byte) string {
	var b strings.Builder
	for _, e := range events(out) {
		b.WriteString(e.Output)
	}
	return b.String()
}

func firstLines(text string) string {
	lines := strings.SplitN(strings.TrimSpace(text), "\n", 8)
	return strings.Join(lines[:min(len(lines), 7)], "\n")
}
