package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// patience bounds every dial and request of a client.
const patience = 15 * time.Second

// headers collects repeated -H flags.
type headers http.Header

func (h headers) String() string { return "" }

func (h headers) Set(s string) error {
	key, value, ok := strings.Cut(s, ":")
	if !ok {
		return fmt.Errorf("header %q has no colon", s)
	}
	http.Header(h).Add(strings.TrimSpace(key), strings.TrimSpace(value))
	return nil
}

// setFromVariable is Set with a value that is to be on no command line.
func (h headers) setFromVariable(s string) error {
	key, name, ok := strings.Cut(s, ": ")
	if !ok {
		return fmt.Errorf("header %q has no colon", s)
	}
	http.Header(h).Add(key, os.Getenv(name))
	return nil
}

func get(ctx context.Context, args []string, stdout io.Writer) error {
	header := headers{}
	flags := flag.NewFlagSet("get", flag.ContinueOnError)
	method := flags.String("X", http.MethodGet, "method")
	body := flags.String("d", "", "body")
	include := flags.Bool("i", false, "print status and headers too")
	fail := flags.Bool("f", false, "fail when the status is 400 or more")
	limit := flags.Duration("t", patience, "longest time for all of it")
	socket := flags.String("unix", "", "path of a socket to dial, whatever the URL's host")
	flags.Var(header, "H", "header")
	flags.Func("E", "header, with the name of the variable that holds its value", header.setFromVariable)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() < 1 {
		return errors.New("get wants a URL, after the flags")
	}
	c := client()
	if *socket != "" {
		c.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", *socket)
		}}
	}
	var failed error
	for _, url := range flags.Args() {
		failed = errors.Join(failed, func() error {
			ctx, cancel := context.WithTimeout(ctx, *limit)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, *method, url, strings.NewReader(*body))
			if err != nil {
				return err
			}
			req.Header = http.Header(header)
			return show(c, req, *include, *fail, stdout)
		}())
	}
	return failed
}

// show makes a request and prints the answer.
func show(c *http.Client, req *http.Request, include, fail bool, stdout io.Writer) error {
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if include {
		fmt.Fprintf(stdout, "%s %s\n", resp.Proto, resp.Status)
		if err := resp.Header.Write(stdout); err != nil {
			return err
		}
		fmt.Fprintln(stdout)
	}
	if _, err := io.Copy(stdout, resp.Body); err != nil {
		return err
	}
	if fail && resp.StatusCode >= 400 {
		return fmt.Errorf("the answer was %s", resp.Status)
	}
	return nil
}

// client passes redirects back and uses no proxy of the environment.
func client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// readEvents reads the first event, asks for the second, and reads it.
func readEvents(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) != 1 {
		return errors.New("sse wants one URL")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], nil)
	if err != nil {
		return err
	}
	resp, err := client().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		event, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		fmt.Fprintln(stdout, event)
		if event == "first" {
			if err := askForNext(ctx, args[0]+"/next"); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}

func askForNext(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return err
	}
	resp, err := client().Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func freePort(ctx context.Context, stdout io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	fmt.Fprintln(stdout, port)
	return err
}

// probed is what came of dialing one address.
type probed struct {
	Addr      string `json:"addr"`
	Connected bool   `json:"connected"`
	// Answer is the beginning of whatever was sent back.
	Answer string `json:"answer"`
	Error  string `json:"error,omitempty"`
}

func probe(ctx context.Context, args []string, stdout io.Writer) error {
	results := make([]probed, 0, len(args))
	for _, addr := range args {
		results = append(results, probeOne(ctx, addr))
	}
	return json.NewEncoder(stdout).Encode(results)
}

func probeOne(ctx context.Context, addr string) probed {
	out := probed{Addr: addr}
	dialer := net.Dialer{Timeout: 3 * time.Second}
	network, address := "tcp", addr
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, address = "unix", path
	}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	defer conn.Close()
	out.Connected = true
	if err := conn.SetDeadline(time.Now().Add(3 * time.Second)); err != nil {
		out.Error = err.Error()
		return out
	}
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: cred-proxy\r\nConnection: close\r\n\r\n")
	var answer bytes.Buffer
	if _, err := io.CopyN(&answer, conn, 4096); err != nil && !errors.Is(err, io.EOF) {
		out.Error = err.Error()
	}
	out.Answer = answer.String()
	return out
}
