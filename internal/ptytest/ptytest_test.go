package ptytest

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAScreenShowsWhatAPersonWouldSee(t *testing.T) {
	for written, want := range map[string]string{
		"one\ntwo":                              "one\ntwo\n",
		"1234567890abc":                         "1234567890\nabc\n",
		"\x1b[?7l1234567890abc\x1b[?7h\nx":      "1234567890\nx\n",
		"one\ntwo\nthree\n\x1b[2A\rx\x1b[Kyz\n": "one\nxyz\nthree\n",
		"one\ntwo\nthree\x1b[2A\rx\x1b[J":       "x\n",
		"\x1b[31mred\x1b[0m, \u2026 and \u754c": "red, \u2026 and\n \u754c\n",
		"abc\rd":                                "dbc\n",
		"ends in the middle\x1b[":               "ends in th\ne middle\n",
	} {
		pty := Open(t, 10, 5)
		if _, err := pty.Out.WriteString(written); err != nil {
			t.Fatal(err)
		}
		pty.Until(t, func(text string) bool { return text == want })
	}
}

func TestATerminalThatIsResizedWrapsElsewhere(t *testing.T) {
	pty := Open(t, 10, 5)
	pty.Resize(t, 4, 5)
	if _, err := pty.Out.WriteString("12345678\n"); err != nil {
		t.Fatal(err)
	}
	pty.Until(t, func(text string) bool { return text == "1234\n5678\n" })
}
