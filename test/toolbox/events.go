package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// sentAt is what an event's data begins with: when it was sent, in nanoseconds since 1970.
const sentAt = "data: "

// sendEvents sends N events, one each PAUSE, the first at once. Of the answer's length nothing is known beforehand.
func sendEvents(w http.ResponseWriter, req *http.Request) {
	n, err := strconv.Atoi(req.PathValue("n"))
	pause, pauseErr := time.ParseDuration(req.PathValue("pause"))
	if err != nil || pauseErr != nil || pause <= 0 {
		http.Error(w, "it is /events/N/PAUSE, such as /events/10/5ms", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	control, tick := http.NewResponseController(w), time.NewTicker(pause)
	defer tick.Stop()
	for i := range n {
		if i > 0 {
			select {
			case <-tick.C:
			case <-req.Context().Done():
				return
			}
		}
		fmt.Fprintf(w, "event: content_block_delta\n"+sentAt+"%d {\"type\":\"text_delta\",\"text\":\" and then it says some more\"}\n\n", time.Now().UnixNano())
		if control.Flush() != nil {
			return
		}
	}
}

// followed is how reading streams of events went.
type followed struct {
	Streams int    `json:"streams"`
	Events  int64  `json:"events"`
	Failed  int64  `json:"failed"`
	Why     string `json:"why,omitempty"`
	// First is from the request to the first byte of the body, and Event from the sending of an event to its arrival.
	First waits `json:"first"`
	Event waits `json:"event"`
}

// followEvents reads streams, some at a time. With -hold it prints a line once each has had its first event, and reads on until stdin
// ends.
func followEvents(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("events", flag.ContinueOnError)
	number := flags.Int("n", 0, "how many streams; 0 for as many as at a time")
	atATime := flags.Int("c", 1, "how many streams at a time")
	hold := flags.Bool("hold", false, "keep them open until stdin ends")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("events wants one URL, after the flags")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all := make([]stream, max(*number, *atATime))
	var begun, ended sync.WaitGroup
	begun.Add(len(all))
	places := make(chan struct{}, *atATime)
	for i := range all {
		ended.Go(func() {
			places <- struct{}{}
			all[i].follow(ctx, flags.Arg(0), sync.OnceFunc(begun.Done))
			<-places
		})
	}
	if *hold {
		begun.Wait()
		if err := json.NewEncoder(stdout).Encode(standing(all)); err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
		return nil
	}
	ended.Wait()
	return json.NewEncoder(stdout).Encode(sum(all))
}

// stream is one of them.
type stream struct {
	first  time.Duration
	events []time.Duration
	// failure is why it ended early, once it has.
	failure atomic.Pointer[string]
}

// follow reads one to its end. It calls begun at the first event, and in any case.
func (s *stream) follow(ctx context.Context, url string, begun func()) {
	defer begun()
	if err := s.read(ctx, url, begun); err != nil {
		text := err.Error()
		s.failure.Store(&text)
	}
}

func (s *stream) read(ctx context.Context, url string, begun func()) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", req.Host)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	// A connection that stands, since what is measured is what happens on it.
	begin := time.Now()
	if err := req.Write(conn); err != nil {
		return err
	}
	answer := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answer, req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer was %s", resp.Status)
	}
	return s.listen(resp.Body, begin, begun)
}

func (s *stream) listen(body io.Reader, begin time.Time, begun func()) error {
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		if s.first == 0 {
			s.first = time.Since(begin)
		}
		data, ok := strings.CutPrefix(lines.Text(), sentAt)
		if !ok {
			continue
		}
		number, _, _ := strings.Cut(data, " ")
		sent, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return err
		}
		s.events = append(s.events, time.Since(time.Unix(0, sent)))
		begun()
	}
	return lines.Err()
}

// standing says how many streams there are, and how many have failed.
func standing(all []stream) followed {
	result := followed{Streams: len(all)}
	for i := range all {
		if why := all[i].failure.Load(); why != nil {
			result.Failed++
			result.Why = cmp.Or(result.Why, *why)
		}
	}
	return result
}

// sum is what came of streams that have ended.
func sum(all []stream) followed {
	result := standing(all)
	var firsts, events []time.Duration
	for i := range all {
		if all[i].failure.Load() == nil {
			firsts = append(firsts, all[i].first)
			events = append(events, all[i].events...)
		}
	}
	result.Events, result.First, result.Event = int64(len(events)), waitsOf(firsts), waitsOf(events)
	return result
}

// someText is so many bytes of what an API may answer.
func someText(n int) []byte {
	const piece = `{"type":"message","role":"assistant","content":[{"type":"text","text":"The tests pass now, and the change is small."}]}` + "\n"
	return bytes.Repeat([]byte(piece), n/len(piece)+1)[:n]
}
