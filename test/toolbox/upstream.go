package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxRecords bounds what an upstream remembers; the oldest go first.
const maxRecords = 1000

// record is one request as it arrived.
type record struct {
	Method string      `json:"method"`
	URI    string      `json:"uri"`
	Host   string      `json:"host"`
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
	Remote string      `json:"remote"`
}

// recorder answers every request with what it received, and remembers it.
type recorder struct {
	mu      sync.Mutex
	records []record
	streams map[string]chan struct{}
}

func upstream(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("upstream", flag.ContinueOnError)
	listen := flags.String("listen", ":8080", "address to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r := &recorder{streams: map[string]chan struct{}{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_seen", r.seen)
	mux.HandleFunc("GET /sse/{id}", r.stream)
	mux.HandleFunc("POST /sse/{id}/next", r.next)
	mux.HandleFunc("GET /ws", r.websocket)
	mux.HandleFunc("/", r.echo)
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Fprintln(stdout, "listening on", *listen)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// remember keeps a request and returns what was kept.
func (r *recorder) remember(req *http.Request) record {
	body, _ := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	rec := record{
		Method: req.Method,
		URI:    req.RequestURI,
		Host:   req.Host,
		Header: req.Header,
		Body:   string(body),
		Remote: req.RemoteAddr,
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, rec)
	if len(r.records) > maxRecords {
		r.records = r.records[len(r.records)-maxRecords:]
	}
	return rec
}

func (r *recorder) echo(w http.ResponseWriter, req *http.Request) { writeJSON(w, r.remember(req)) }

func (r *recorder) seen(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	writeJSON(w, append([]record{}, r.records...))
}

// stream sends one event, and the second only when the client, having seen the first, asks for it. So whatever
// lies between and holds back the first event never gets the second.
func (r *recorder) stream(w http.ResponseWriter, req *http.Request) {
	r.remember(req)
	asked := r.streamOf(req.PathValue("id"))
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, "data: first\n\n")
	if err := http.NewResponseController(w).Flush(); err != nil {
		return
	}
	select {
	case <-asked:
		fmt.Fprint(w, "data: second\n\n")
	case <-req.Context().Done():
	}
}

func (r *recorder) next(w http.ResponseWriter, req *http.Request) {
	select {
	case r.streamOf(req.PathValue("id")) <- struct{}{}:
		w.WriteHeader(http.StatusNoContent)
	case <-req.Context().Done():
	}
}

func (r *recorder) streamOf(id string) chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.streams[id] == nil {
		r.streams[id] = make(chan struct{})
	}
	return r.streams[id]
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
}
