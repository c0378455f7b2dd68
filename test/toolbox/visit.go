package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"time"
)

// errorsTold is how many failures of a name are told in full.
const errorsTold = 5

// visits is how the requests to one name went.
type visits struct {
	OK     int64 `json:"ok"`
	Failed int64 `json:"failed"`
	// Silent is how many addresses neither accepted nor refused in time, so that the next one was tried.
	Silent int64 `json:"silent"`
	// Slowest is the longest that a request took, in milliseconds.
	Slowest int64 `json:"slowest"`
	// Errors are the first failures, each with its time.
	Errors []string `json:"errors,omitempty"`
}

// visitor requests URLs over and over, and can be told which while it does.
type visitor struct {
	mu   sync.Mutex
	idle *sync.Cond
	// urls are what is requested now, by name; underway counts the requests that have no answer yet.
	urls     map[string]string
	underway map[trip]int
	counts   map[string]*visits
	// turn counts the turns so far.
	turn int
}

// trip is what requests that are underway are told apart by: to which name, and since which turn.
type trip struct {
	name string
	turn int
}

func newVisitor() *visitor {
	v := &visitor{urls: map[string]string{}, underway: map[trip]int{}, counts: map[string]*visits{}}
	v.idle = sync.NewCond(&v.mu)
	return v
}

// visit follows the lines of stdin, and answers each with one line.
func visit(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("visit", flag.ContinueOnError)
	clients := flags.Int("c", 2, "how many clients")
	keep := flags.Bool("keep", false, "keep connections; otherwise each request has a new one")
	pause := flags.Duration("pause", 0, "how long a client rests after each request")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	v := newVisitor()
	var running sync.WaitGroup
	for range *clients {
		running.Go(func() { v.keepAsking(ctx, clientThat(*keep), *pause) })
	}
	err := v.follow(stdin, stdout)
	cancel()
	running.Wait()
	return err
}

// follow does what each line says: ask, leave, turn or tell.
func (v *visitor) follow(stdin io.Reader, stdout io.Writer) error {
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 3 && words[0] == "ask":
			v.ask(words[1], words[2])
			fmt.Fprintln(stdout, lines.Text())
		case len(words) == 2 && words[0] == "leave":
			v.leave(words[1])
			fmt.Fprintln(stdout, lines.Text())
		case len(words) == 1 && words[0] == "turn":
			v.takeTurn()
			fmt.Fprintln(stdout, lines.Text())
		case len(words) == 1 && words[0] == "tell":
			if err := v.tell(stdout); err != nil {
				return err
			}
		default:
			return fmt.Errorf("visit does not understand %q", lines.Text())
		}
	}
	return lines.Err()
}

func (v *visitor) ask(name, url string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.urls[name] = url
	if v.counts[name] == nil {
		v.counts[name] = &visits{}
	}
}

// leave returns when no request to the name is underway, and none will be.
func (v *visitor) leave(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.urls, name)
	v.await(func(t trip) bool { return t.name == name })
}

// takeTurn returns when no request is underway that began before it was called. The others go on.
func (v *visitor) takeTurn() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.turn++
	now := v.turn
	v.await(func(t trip) bool { return t.turn < now })
}

// await returns when no request of a kind is underway. It is called, and returns, with the lock held.
func (v *visitor) await(kind func(trip) bool) {
	for slices.ContainsFunc(slices.Collect(maps.Keys(v.underway)), kind) {
		v.idle.Wait()
	}
}

func (v *visitor) tell(stdout io.Writer) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return json.NewEncoder(stdout).Encode(v.counts)
}

// keepAsking requests a URL after the other, picked at random, until the end of ctx.
func (v *visitor) keepAsking(ctx context.Context, client *http.Client, pause time.Duration) {
	for ctx.Err() == nil {
		trip, url := v.pick()
		if url == "" {
			rest(ctx, 20*time.Millisecond)
			continue
		}
		began := time.Now()
		// What is underway at the end is finished: to be cut off by oneself is no failure.
		err := v.askInTime(context.WithoutCancel(ctx), client, trip.name, url)
		v.note(trip, began, err)
		if pause > 0 {
			rest(ctx, pause)
		}
	}
}

// pick begins a request. The URL is empty when there is none to ask.
func (v *visitor) pick() (t trip, url string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.urls) == 0 {
		return trip{}, ""
	}
	t = trip{slices.Collect(maps.Keys(v.urls))[rand.IntN(len(v.urls))], v.turn}
	v.underway[t]++
	return t, v.urls[t.name]
}

// note ends a request.
func (v *visitor) note(t trip, began time.Time, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.underway[t]--; v.underway[t] == 0 {
		delete(v.underway, t)
	}
	v.idle.Broadcast()
	counts := v.counts[t.name]
	counts.Slowest = max(counts.Slowest, time.Since(began).Milliseconds())
	if err == nil {
		counts.OK++
		return
	}
	counts.Failed++
	if len(counts.Errors) < errorsTold {
		at := fmt.Sprintf("%s after %s: ", began.Format("15:04:05.000"), time.Since(began).Round(time.Millisecond))
		counts.Errors = append(counts.Errors, at+err.Error())
	}
}

func (v *visitor) askInTime(ctx context.Context, client *http.Client, name, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return ask(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{ConnectDone: func(_, _ string, err error) {
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.counts[name].Silent++
		}
	}}), client, url)
}

// ask reads the whole answer to a request.
func ask(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer was %s", resp.Status)
	}
	return nil
}

func rest(ctx context.Context, long time.Duration) {
	moment := time.NewTimer(long)
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-ctx.Done():
	}
}

// clientThat keeps its connections, or resolves the name and dials for each request.
func clientThat(keeps bool) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: !keeps, DisableCompression: true, DialContext: dialAny}}
}

// dialPatience is how long an address may be silent before the next one is tried. One that refuses says so at once.
const dialPatience = 2 * time.Second

// dialAny tries all addresses of a name, in the order that the resolver gave them, until one accepts.
func dialAny(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil, err
	}
	var refusals []error
	for _, one := range found {
		conn, err := (&net.Dialer{Timeout: dialPatience}).DialContext(ctx, network, net.JoinHostPort(one, port))
		if err == nil {
			return conn, nil
		}
		refusals = append(refusals, err)
	}
	return nil, fmt.Errorf("none of %d addresses: %w", len(found), errors.Join(refusals...))
}
