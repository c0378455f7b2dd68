package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"credproxy.dev/controller/pkg/scrub"
)

// scrubbedMiBs is how much of each kind of body is scrubbed.
const scrubbedMiBs = 200

// scrubGoal is how many MB a second a core should scrub at least.
const scrubGoal = 500

// maxImageMB is the most that the image should have: it is the sidecar's binary, and two directories.
const maxImageMB = 10

// printStill writes what is measured without any proxy beside ours.
func printStill(w io.Writer) error {
	built, err := os.Stat(builtSidecar)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nscrubbing bodies of 1 MiB, a core; and the image\n\n")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, body := range bodies() {
		mbs, err := scrubbed(body.text)
		if err != nil {
			return err
		}
		fmt.Fprintf(tw, "%s\t%s MB/s\t≥ %d MB/s\t%s\n", body.what, number(mbs), scrubGoal, verdict(mbs >= scrubGoal))
	}
	size := float64(built.Size()) / 1e6
	fmt.Fprintf(tw, "image\t%s MB\t≤ %d MB\t%s\n", number(size), maxImageMB, verdict(size <= maxImageMB))
	return tw.Flush()
}

func verdict(holds bool) string {
	if holds {
		return "holds"
	}
	return "MISSED"
}

type body struct {
	what string
	text []byte
}

// bodies are of the kinds that upstreams answer with.
func bodies() []body {
	const message = `{"type":"message","role":"assistant","content":[{"type":"text","text":"The tests pass now, and the change is small."}]}` + "\n"
	const event = "event: content_block_delta\ndata: {\"type\":\"text_delta\",\"text\":\" and then it says some more\"}\n\n"
	seeded := rand.NewChaCha8([32]byte{})
	random := make([]byte, miB)
	_, _ = seeded.Read(random) // which never fails
	return []body{
		{"messages in JSON", []byte(strings.Repeat(message, miB/len(message)))},
		{"SSE", []byte(strings.Repeat(event, miB/len(event)))},
		{"what is packed or encrypted", random},
		{"base64 in one line", inBase64(random)},
	}
}

func inBase64(random []byte) []byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	text := make([]byte, len(random))
	for i, b := range random {
		text[i] = alphabet[b&63]
	}
	return text
}

// scrubbed returns how many MB a second of CPU time are searched for the token, in pieces such as the sidecar's.
func scrubbed(text []byte) (float64, error) {
	const piece = 16 * kiB
	streams, needles := &scrub.Streams{}, scrub.New(token, "Bearer "+token)
	begun, err := ownCPU()
	if err != nil {
		return 0, err
	}
	for range scrubbedMiBs {
		stream := streams.Open(needles)
		for at := 0; at < len(text); at += piece {
			stream.Next(text[at:min(len(text), at+piece)])
		}
		stream.Rest()
		streams.Close(stream)
	}
	ended, err := ownCPU()
	return float64(scrubbedMiBs*len(text)) / 1e6 / (ended - begun).Seconds(), err
}

// ownCPU is the CPU time of this process.
func ownCPU() (time.Duration, error) {
	var used syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), err
}
