package terminal

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/internal/ptytest"
)

func TestATerminalTellsItsSize(t *testing.T) {
	pty := ptytest.Open(t, 61, 17)
	for _, out := range []any{pty.Out, NewPipe(pty.Out, func() {})} {
		columns, lines, ok := Size(out.(interface{ Write([]byte) (int, error) }))
		if columns != 61 || lines != 17 || !ok {
			t.Errorf("%d columns and %d lines, %v", columns, lines, ok)
		}
	}
	if got := Width(pty.Out, 100, 80); got != 61 {
		t.Errorf("texts are %d wide", got)
	}
	if got := Width(pty.Out, 50, 80); got != 50 {
		t.Errorf("texts are %d wide", got)
	}
	if _, _, ok := Size(&bytes.Buffer{}); ok || Width(&bytes.Buffer{}, 100, 80) != 80 {
		t.Error("a buffer is a terminal")
	}
}

func TestColoursAreForTerminalsThatTakeThem(t *testing.T) {
	pty := ptytest.Open(t, 80, 24)
	for _, tt := range []struct {
		mode     string
		terminal bool
		env      map[string]string
		want     bool
	}{
		{ColourAuto, true, nil, true},
		{ColourAuto, false, nil, false},
		{ColourAuto, true, map[string]string{"NO_COLOR": "1"}, false},
		{ColourAuto, true, map[string]string{"TERM": "dumb"}, false},
		{ColourAuto, true, map[string]string{"TERM": "xterm"}, true},
		{ColourNever, true, nil, false},
		{ColourAlways, false, map[string]string{"NO_COLOR": "1"}, true},
	} {
		out := any(&bytes.Buffer{})
		if tt.terminal {
			out = pty.Out
		}
		p := NewPalette(tt.mode, out.(interface{ Write([]byte) (int, error) }), func(name string) string { return tt.env[name] })
		want := "x"
		if tt.want {
			want = "\x1b[31mx\x1b[0m"
		}
		if got := p.Paint(Red, "x"); got != want {
			t.Errorf("%+v: %q", tt, got)
		}
		if got := p.Paint(0, "x") + p.Paint(Red, ""); got != "x" {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

func TestATableFitsIntoATerminal(t *testing.T) {
	table := NewTable(Palette{on: true}, Column{Name: "NAME"}, Column{Name: "READY"}, Column{Name: "URL", Leaves: 2}, Column{Name: "AGE", Leaves: 1},
		Column{Name: "MESSAGE", Leaves: 3})
	row := func(name string, ready Paint, message string) {
		table.Add(Cell{Text: name}, Cell{"True", ready}, Cell{Text: "http://cred-proxy:9099"}, Cell{Text: "5m"}, Cell{Text: message})
	}
	row("web", Green, "the sidecar serves the routes of its file")
	row("a-longer-name", 0, "界界界界界界界界界界界界界界界界")
	for width, want := range map[int]string{
		0: `
NAME            READY   URL                      AGE   MESSAGE
web             ` + "\x1b[32mTrue\x1b[0m" + `    http://cred-proxy:9099   5m    the sidecar serves the routes of its file
a-longer-name   True    http://cred-proxy:9099   5m    界界界界界界界界界界界界界界界界
`,
		80: `
NAME            READY   URL                      AGE   MESSAGE
web             ` + "\x1b[32mTrue\x1b[0m" + `    http://cred-proxy:9099   5m    the sidecar serves the r…
a-longer-name   True    http://cred-proxy:9099   5m    界界界界界界界界界界界界…
`,
		60: `
NAME            READY   URL                      AGE
web             ` + "\x1b[32mTrue\x1b[0m" + `    http://cred-proxy:9099   5m
a-longer-name   True    http://cred-proxy:9099   5m
`,
		30: `
NAME            READY   AGE
web             ` + "\x1b[32mTrue\x1b[0m" + `    5m
a-longer-name   True    5m
`,
		10: `
NAME
web
a-longer-…
`,
	} {
		var b strings.Builder
		if err := table.Write(&b, width); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[1:], b.String()); diff != "" {
			t.Errorf("%d columns (-want +got):\n%s", width, diff)
		}
		for line := range strings.Lines(b.String()) {
			if width > 0 && Cells(strings.NewReplacer("\x1b[32m", "", "\x1b[0m", "").Replace(strings.TrimSpace(line))) > width {
				t.Errorf("%d columns: %q is too wide", width, line)
			}
		}
	}
}

func TestTextsAreCutAndWrapped(t *testing.T) {
	for _, tt := range []struct {
		text    string
		columns int
		want    string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"abcd", 1, "…"}, {"abcd", 0, ""}, {"界界", 3, "界…"}, {"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
	} {
		if got := Cut(tt.text, tt.columns); got != tt.want {
			t.Errorf("%q in %d columns is %q, want %q", tt.text, tt.columns, got, tt.want)
		}
	}
	if diff := cmp.Diff([]string{"one two", "three", "longestw", "ord x"}, Wrap(" one two  three\nlongestword x ", 8)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{""}, Wrap("", 8)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "界", "界", "e\u0301", "b"}, Wrap("a界界e\u0301 b", 1)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoWordPassesForALine(t *testing.T) {
	word := strings.Repeat("x", 70) + "ERROR:forged"
	for _, tt := range []struct {
		heading, want string
		width         int
	}{
		{"12:00 INFO ", "12:00 INFO " + word, 0},
		{"12:00 INFO ", "12:00 INFO " + word[:59] + "\n" + strings.Repeat(" ", 11) + word[59:], 70},
		{"12:00 INFO ", "12:00 INFO\n  " + word[:28] + "\n  " + word[28:56] + "\n  " + word[56:], 30},
		{"  ", "  " + word[:14] + "\n  " + word[14:28] + "\n  " + word[28:42] + "\n  " + word[42:56] + "\n  " + word[56:70] + "\n  " + word[70:], 16},
	} {
		if diff := cmp.Diff(tt.want, Hang(tt.heading, word, tt.width)); diff != "" {
			t.Errorf("in %d columns (-want +got):\n%s", tt.width, diff)
		}
	}
}

func TestLinesAreWrittenOver(t *testing.T) {
	pty := ptytest.Open(t, 20, 10)
	if _, err := pty.Out.WriteString("before\n"); err != nil {
		t.Fatal(err)
	}
	live := NewLive(pty.Out)
	for _, lines := range [][]string{
		{"one", "two", "three"}, {"a line that is much longer than the terminal is wide", "2"}, {"the", "end"},
	} {
		if err := live.Draw(lines); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pty.Out.WriteString("after, and wrapped again\n"); err != nil {
		t.Fatal(err)
	}
	pty.Until(t, func(text string) bool { return text == "before\nthe\nend\nafter, and wrapped a\ngain\n" })
}

func TestAReaderThatGoesIsNoticed(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	var times int
	pipe := NewPipe(writer, func() { times++ })
	pipe.Look()
	if _, err := pipe.Write([]byte("x")); err != nil || pipe.Closed() {
		t.Fatalf("it is closed: %v", err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	pipe.Look()
	pipe.Look()
	if _, err := pipe.Write([]byte("x")); !errors.Is(err, ErrClosed) || !pipe.Closed() || times != 1 {
		t.Errorf("%v, closed %v, told %d times", err, pipe.Closed(), times)
	}
}

func TestAWriteTellsThatTheReaderHasGone(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	told := false
	pipe := NewPipe(writer, func() { told = true })
	for range 2 {
		if _, err := pipe.Write([]byte("x")); !errors.Is(err, ErrClosed) || !told {
			t.Errorf("%v, told: %v", err, told)
		}
	}
}

func TestWhatIsToldBesideComesAboveWhatIsLive(t *testing.T) {
	pty := ptytest.Open(t, 20, 10)
	live := NewLive(pty.Out)
	others := live.Beside(pty.Out)
	say := func(text string) {
		if _, err := others.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	draw := func(lines ...string) {
		if err := live.Draw(lines); err != nil {
			t.Fatal(err)
		}
	}
	say("before\n")
	draw("one", "two")
	say("a warning that is longer than a line\n")
	draw("three")
	pty.Until(t, func(text string) bool { return text == "before\na warning that is lo\nnger than a line\nthree\n" })
	live.Leave()
	say("after\n")
	draw("four")
	pty.Until(t, func(text string) bool {
		return text == "before\na warning that is lo\nnger than a line\nthree\nafter\nfour\n"
	})
	if columns, _, ok := Size(others); !ok || columns != 20 {
		t.Error("what is beside is no terminal")
	}
}
