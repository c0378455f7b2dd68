package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// loaded is how a load went.
type loaded struct {
	Requests int64   `json:"requests"`
	Failed   int64   `json:"failed"`
	Seconds  float64 `json:"seconds"`
}

func load(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	requests := flags.Int64("n", 10000, "how many requests")
	connections := flags.Int("c", 8, "over how many connections")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("load wants one URL, after the flags")
	}
	client := &http.Client{Transport: keepingTransport(*connections)}
	var left, failed atomic.Int64
	left.Store(*requests)
	begin := time.Now()
	var clients sync.WaitGroup
	for range *connections {
		clients.Go(func() {
			for left.Add(-1) >= 0 {
				if ask(ctx, client, flags.Arg(0)) != nil {
					failed.Add(1)
				}
			}
		})
	}
	clients.Wait()
	return json.NewEncoder(stdout).Encode(loaded{*requests, failed.Load(), time.Since(begin).Seconds()})
}

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

// keepingTransport keeps as many connections as are used at a time.
func keepingTransport(connections int) *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
}

// reverseProxy is the floor that a proxy written in Go is measured against.
func reverseProxy(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("reverseproxy wants one URL")
	}
	target, err := url.Parse(args[0])
	if err != nil {
		return err
	}
	return serve(ctx, ":9099", &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Set("Authorization", "Bearer bench")
		},
		Transport: keepingTransport(128),
	})
}
