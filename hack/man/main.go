// Command man writes the manual pages of the controller into a directory: hack/man DIR, as `make man` does. Their date is that of
// SOURCE_DATE_EPOCH, in seconds of the Unix epoch, if it is set, and else today.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"credproxy.dev/controller/internal/buildinfo"
	"credproxy.dev/controller/internal/cli"
	"credproxy.dev/controller/internal/manpage"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "man: say into which directory")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "man: %v\n", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	date, err := date()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // for everybody
		return err
	}
	header := manpage.Header{Date: date, Source: "credproxy " + buildinfo.Read().Version}
	pages := manpage.Pages(cli.Command(), header)
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil { //nolint:gosec // for everybody
			return err
		}
	}
	fmt.Printf("wrote %d pages to %s\n", len(pages), dir)
	return nil
}

func date() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Now(), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %q is not a number of seconds", text)
	}
	return time.Unix(seconds, 0), nil
}
