package fences

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Story is what of a page is run in one way, from top to bottom in one shell: the blocks of sh as they are, and of console
// blocks each line that begins with a dollar, whose output is compared with the lines below it.
type Story struct {
	Page   string
	Blocks []Block
}

// StoryOf is what of a page's blocks is run in a way; false when nothing is.
func StoryOf(page string, blocks []Block, way Way) (Story, bool) {
	mine := slices.DeleteFunc(slices.Clone(blocks), func(b Block) bool { return b.Way != way || !b.IsShell() })
	return Story{page, mine}, len(mine) > 0
}

// part is one piece of the script: a block of sh, or a command of a console block with what it is to print.
type part struct {
	where  string
	text   string
	prints []string
	// console tells the two apart; until is that of the block.
	console, until bool
}

// parts takes the blocks apart. The text of each is as far down in its file as in the page, so that a shell tells the
// page's own line when something fails.
func (s Story) parts() ([]part, error) {
	var parts []part
	for _, b := range s.Blocks {
		if b.Language == "sh" {
			parts = append(parts, part{where: b.Where(), text: strings.Repeat("\n", b.Line-1) + b.Text})
			continue
		}
		commands, err := b.commands()
		if err != nil {
			return nil, err
		}
		parts = append(parts, commands...)
	}
	return parts, nil
}

// commands are those of a console block. A line that begins with "> " goes on with the command above it.
func (b Block) commands() (parts []part, err error) {
	more := false
	for i, line := range strings.Split(strings.TrimSuffix(b.Text, "\n"), "\n") {
		at := b.Line + i
		switch command, typed := strings.CutPrefix(line, "$ "); {
		case typed:
			parts, more = append(parts, part{fmt.Sprintf("%s:%d", b.Page, at), strings.Repeat("\n", at-1) + command + "\n", nil, true, b.Until}), true
		case len(parts) == 0:
			return nil, fmt.Errorf("%s:%d: a console block begins with a command, behind \"$ \"", b.Page, at)
		case more && strings.HasPrefix(line, "> "):
			parts[len(parts)-1].text += strings.TrimPrefix(line, "> ") + "\n"
		default:
			parts[len(parts)-1].prints, more = append(parts[len(parts)-1].prints, line), false
		}
	}
	return parts, nil
}

// Commands are those of a console block, as they are typed.
func (b Block) Commands() (texts []string, err error) {
	parts, err := b.commands()
	for _, p := range parts {
		texts = append(texts, p.text)
	}
	return texts, err
}

// prologue makes a shell that behaves as at a terminal, but ends with the first command that fails. A command that is shown
// with its output may fail, if the page shows that too: the next one finds its status in $?. Names of its own begin with an
// underscore, so that they are in no page's way.
const prologue = `set -m -eo pipefail
_here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
_last=0
_status() { return "$1"; }
_tell() { echo "$_at: a command ended with $?" >&2; }
trap _tell ERR
_show() {
  set +e
  trap - ERR
  _status "$_last"
  . "$1" >"$1.out" 2>&1
  _last=$?
  echo "$_last" >"$1.status"
  set -e
  trap _tell ERR
}
_until() {
  local _printed _end=$((SECONDS + 60))
  while ((SECONDS < _end)); do
    _show "$1"
    _printed=$(sed -E 's/[[:space:]]+/ /g; s/^ //; s/ $//' "$1.out")
    # shellcheck disable=SC2053 # it is a pattern
    if [[ $_printed == $2 ]]; then return; fi
    sleep 0.1
  done
}
`

// Write writes the story into an empty directory: a file named script, for bash, and those that it reads. The directory may be
// moved.
func (s Story) Write(dir string) error {
	parts, err := s.parts()
	if err != nil {
		return err
	}
	script := strings.Builder{}
	script.WriteString(prologue)
	for i, p := range parts {
		file := s.file(i)
		if err := os.WriteFile(filepath.Join(dir, file), []byte(p.text), 0o600); err != nil {
			return err
		}
		at := fmt.Sprintf("\"$_here\"/%s", quote(file))
		fmt.Fprintf(&script, "_at=%s\necho \"$_at\" >&2\n", quote(p.where))
		switch {
		case p.until:
			fmt.Fprintf(&script, "_until %s %s\n", at, quote(glob(p.prints)))
		case p.console:
			fmt.Fprintf(&script, "_show %s\n", at)
		default:
			fmt.Fprintf(&script, ". %s\n", at)
		}
	}
	return os.WriteFile(filepath.Join(dir, "script"), []byte(script.String()), 0o600)
}

// file is the name of the file of the i-th part.
func (s Story) file(i int) string { return fmt.Sprintf("%02d-%s", i, filepath.Base(s.Page)) }

// Compare says what of the page was not so, once the script has ended.
func (s Story) Compare(dir string) []error {
	parts, err := s.parts()
	if err != nil {
		return []error{err}
	}
	var wrong []error
	for i, p := range parts {
		if !p.console {
			continue
		}
		if err := p.compare(filepath.Join(dir, s.file(i)), i+1 < len(parts) && asksForStatus(parts[i+1])); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", p.where, err))
		}
	}
	return wrong
}

// asksForStatus reports whether a command shows the status of the one before it.
func asksForStatus(p part) bool { return p.console && strings.TrimSpace(p.text) == "echo $?" }

func (p part) compare(file string, mayFail bool) error {
	printed, err := os.ReadFile(file + ".out")
	if err != nil {
		return fmt.Errorf("it was not run: %w", err)
	}
	if err := sameOutput(p.prints, string(printed)); err != nil {
		return err
	}
	status, err := os.ReadFile(file + ".status")
	if err != nil {
		return fmt.Errorf("it did not end: %w", err)
	}
	if n, err := strconv.Atoi(strings.TrimSpace(string(status))); err != nil || n != 0 && !mayFail {
		return fmt.Errorf("it ended with %s; where that is meant, the page shows it with `echo $?`", strings.TrimSpace(string(status)))
	}
	return nil
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
