package ptytest

import (
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Terminal is a pseudo-terminal with a screen behind it.
type Terminal struct {
	// Out is the end to which a program writes.
	Out *os.File

	master *os.File
	read   sync.WaitGroup
	mu     sync.Mutex
	screen *screen
}

// Open makes a terminal of some size. It is closed when the test ends.
func Open(t testing.TB, columns, lines int) *Terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &Terminal{Out: out, master: master, screen: newScreen(columns)}
	term.Resize(t, columns, lines)
	term.read.Go(term.follow)
	t.Cleanup(func() {
		_ = out.Close() // reading the other end fails now, once all was read
		term.read.Wait()
		_ = master.Close()
	})
	return term
}

// Resize changes the size, as a person does with a window. What is on the screen stays as it is.
func (t *Terminal) Resize(tb testing.TB, columns, lines int) {
	tb.Helper()
	size := &unix.Winsize{Col: uint16(columns), Row: uint16(lines)}
	if err := unix.IoctlSetWinsize(int(t.Out.Fd()), unix.TIOCSWINSZ, size); err != nil {
		tb.Fatal(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.screen.columns = columns
}

func (t *Terminal) follow() {
	buffer := make([]byte, 4096)
	for {
		n, err := t.master.Read(buffer)
		t.mu.Lock()
		t.screen.write(buffer[:n])
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Text is what is on the screen, and has scrolled out of it, without colours.
func (t *Terminal) Text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.screen.text()
}

// Raw is all that was written.
func (t *Terminal) Raw() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.screen.raw.String()
}

// Until waits until the screen is as it should be.
func (t *Terminal) Until(tb testing.TB, so func(text string) bool) {
	tb.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !so(t.Text()); <-tick.C {
		if time.Now().After(deadline) {
			tb.Fatalf("the screen does not become as it should be:\n%s", t.Text())
		}
	}
}

// Type types text, as a person at the terminal does.
func (t *Terminal) Type(tb testing.TB, text string) {
	tb.Helper()
	if _, err := t.master.WriteString(text); err != nil {
		tb.Fatal(err)
	}
}
