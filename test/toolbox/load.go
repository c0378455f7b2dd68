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
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// loaded is how a load went.
type loaded struct {
	Requests int64   `json:"requests"`
	Failed   int64   `json:"failed"`
	Seconds  float64 `json:"seconds"`
	// Why is what the first failure was.
	Why string `json:"why,omitempty"`
	waits
}

// waits are percentiles of how long something took, in microseconds.
type waits struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

func waitsOf(all []time.Duration) waits {
	slices.Sort(all)
	at := func(percent int) float64 {
		if len(all) == 0 {
			return 0
		}
		return float64(all[(len(all)-1)*percent/100].Nanoseconds()) / 1000
	}
	return waits{at(50), at(99)}
}

func load(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	requests := flags.Int64("n", 10000, "how many requests")
	connections := flags.Int("c", 8, "over how many connections")
	upload := flags.Int("upload", -1, "POST a body of so many bytes, instead of GET")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("load wants one URL, after the flags")
	}
	target, err := url.Parse(flags.Arg(0))
	if err != nil {
		return err
	}
	l := &loader{address: target.Host, request: plainRequest(target, *upload)}
	l.left.Store(*requests)
	begin := time.Now()
	callers := make([]caller, *connections)
	var running sync.WaitGroup
	for i := range callers {
		running.Go(func() { l.run(ctx, &callers[i]) })
	}
	running.Wait()
	result := loaded{Requests: *requests, Seconds: time.Since(begin).Seconds()}
	var all []time.Duration
	for _, c := range callers {
		all = append(all, c.waits...)
		result.Failed += c.failed
		result.Why = cmp.Or(result.Why, c.why)
	}
	result.waits = waitsOf(all)
	return json.NewEncoder(stdout).Encode(result)
}

// plainRequest is one that is the same each time, as bytes: the less a client does, the less it weighs on what it measures.
func plainRequest(target *url.URL, upload int) []byte {
	var b bytes.Buffer
	method := http.MethodGet
	if upload >= 0 {
		method = http.MethodPost
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: toolbox\r\nAccept: */*\r\n", method, target.RequestURI(), target.Host)
	if upload >= 0 {
		fmt.Fprintf(&b, "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n", upload)
	}
	b.WriteString("\r\n")
	b.Write(someText(max(0, upload)))
	return b.Bytes()
}

// loader makes the same request again and again, over connections that are kept.
type loader struct {
	address string
	request []byte
	left    atomic.Int64
}

// caller is one connection, and what came of its requests.
type caller struct {
	conn    net.Conn
	answers *bufio.Reader
	waits   []time.Duration
	failed  int64
	why     string
}

func (l *loader) run(ctx context.Context, c *caller) {
	for l.left.Add(-1) >= 0 {
		begin := time.Now()
		err := c.ask(ctx, l)
		if err != nil {
			c.failed++
			c.why = cmp.Or(c.why, err.Error())
			c.hangUp()
			continue
		}
		c.waits = append(c.waits, time.Since(begin))
	}
	c.hangUp()
}

func (c *caller) ask(ctx context.Context, l *loader) error {
	if c.conn == nil {
		conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", l.address)
		if err != nil {
			return err
		}
		c.conn, c.answers = conn, bufio.NewReaderSize(conn, 32<<10)
	}
	if _, err := c.conn.Write(l.request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.answers, nil)
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

func (c *caller) hangUp() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}
