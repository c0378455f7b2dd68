package cli

import (
	"bufio"
	"io"
	"os"
	"regexp"
	"testing"
)

// withoutColours is a text as it looks on a terminal that has none.
func withoutColours(text string) string {
	return regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(text, "")
}

// pipe is a pipe for what a verb prints.
func pipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = reader.Close(), writer.Close() })
	return reader, writer
}

func TestAVerbEndsQuietlyWhenNobodyReads(t *testing.T) {
	dir := specs(t, "web.yaml", goodSpec)
	server := started(t, newConsole(t, &fakeController{}), dir)
	for _, args := range [][]string{
		{"status"}, {"status", "-o", "json"}, {"status", "web"}, {"events"}, {"logs", "web"}, {"validate", dir}, {"plan", "--specs", dir}, {"apply", "--specs", dir},
		{"explain", "spec"}, {"schema"}, {"version"}, {"doctor"}, {"--help"}, {"status", "--help"},
	} {
		c := newConsole(t, &fakeController{})
		c.vars["CREDPROXY_SERVER"], c.facts, c.logs = server, wellEngine(), engineWithLog()
		reader, writer := pipe(t)
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
		c.terminal = writer
		if code := c.run(t, args...); code != codeClosedPipe || c.err.String() != "" {
			t.Errorf("%v: exit code %d, and says %q", args, code, c.err.String())
		}
	}
}

// A verb that goes on without printing anything ends, too, once its reader has gone.
func TestAWatchEndsWhenItsReaderGoes(t *testing.T) {
	fake := &fakeController{}
	fake.happens("web", "something happened", "")
	server := started(t, newConsole(t, fake), specs(t, "web.yaml", goodSpec))
	for _, args := range [][]string{{"events", "-w"}, {"status", "-w"}, {"status", "-w", "-o", "json"}} {
		c := newConsole(t, nil)
		c.vars["CREDPROXY_SERVER"] = server
		reader, writer := pipe(t)
		c.terminal = writer
		ended := make(chan int, 1)
		go func() { ended <- c.run(t, args...) }()
		if _, err := bufio.NewReader(reader).ReadString('\n'); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
		if code := <-ended; code != codeClosedPipe || c.err.String() != "" {
			t.Errorf("%v: exit code %d, and says %q", args, code, c.err.String())
		}
	}
}
