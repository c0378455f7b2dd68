package scrub

import (
	"fmt"
	"strings"
	"testing"
)

func TestShortTokensAreNotLookedFor(t *testing.T) {
	if n := New("1234567", ""); n != nil {
		t.Error("a token of seven bytes is looked for")
	}
	n := New("1234567", "12345678")
	if got := string(through(n, []byte("1234567 12345678"))); got != "1234567 ********" {
		t.Errorf("got %q", got)
	}
}

func TestNeedlesAreNotPrinted(t *testing.T) {
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(format, New(token)); got != "[needles]" {
			t.Errorf("%s prints %q", format, got)
		}
	}
}

// TestWhatIsHeldBackTellsNothingOfTheToken compares guesses: what is held back of right ones and wrong ones is the same, so that
// nobody finds a token by the sizes of pieces.
func TestWhatIsHeldBackTellsNothingOfTheToken(t *testing.T) {
	n := New(token)
	for length := 1; length < len(token); length++ {
		for _, text := range []string{"%s", "some words: %s", strings.Repeat("x", 5000) + "%s"} {
			right := fmt.Sprintf(text, token[:length])
			wrong := fmt.Sprintf(text, strings.Repeat("Q", length))
			if a, b := passedOn(n, right), passedOn(n, wrong); a != b {
				t.Errorf("of %d right characters %d bytes are passed on, of as many wrong ones %d", length, a, b)
			}
		}
	}
}

func passedOn(n *Needles, text string) int {
	var streams Streams
	s := streams.Open(n)
	return len(s.Next([]byte(text)))
}

// TestAGuessIsNotSearchedFurtherTheMoreOfItIsRight counts what a right beginning is compared with: nothing, until there are as many
// right characters as the shortest needle has.
func TestAGuessIsNotSearchedFurtherTheMoreOfItIsRight(t *testing.T) {
	n := New(token)
	for length := range len(token) {
		text := []byte(strings.Repeat(token[:length]+"Q", 40))
		for at := 0; at+n.window <= len(text); at++ {
			for _, anchor := range n.anchors {
				if n.hash(text[at:at+n.window]) == anchor {
					t.Fatalf("%d right characters are compared further", length)
				}
			}
		}
	}
}

func TestEventsAreNotHeldBack(t *testing.T) {
	n := New(token)
	for _, event := range []string{"data: {\"text\":\"word\"}\n\n", "data: " + token[:9] + "\n\n", ": ping\n\n", "{\"done\": true}\r\n"} {
		if got := passedOn(n, event); got != len(event) {
			t.Errorf("%d bytes of %q are held back", len(event)-got, event)
		}
	}
}
