package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	// maxRecords bounds what an upstream remembers; the oldest go first.
	maxRecords = 1000
	// maxTallied bounds how many credentials, at how many URIs, are counted.
	maxTallied = 10000
)

// recordsAddress is where records are read: within the upstream's own container only, because they hold the very
// credentials that no client of it may see.
const recordsAddress = "127.0.0.1:8081"

// record is one request as it arrived.
type record struct {
	Method string      `json:"method"`
	URI    string      `json:"uri"`
	Host   string      `json:"host"`
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
	Remote string      `json:"remote"`
}

// recorder answers requests and remembers them.
type recorder struct {
	name string

	mu      sync.Mutex
	records []record
	tally   map[tallied]int
	streams map[string]chan struct{}
	// revoked are values of Authorization that are answered with 401.
	revoked map[string]bool
}

// tallied is what requests are counted by.
type tallied struct {
	URI           string `json:"uri"`
	Authorization string `json:"authorization"`
}

func upstream(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("upstream", flag.ContinueOnError)
	name := flags.String("name", "upstream", "who says that it answers")
	listen := flags.String("listen", ":8080", "address to listen on")
	selfSigned := flags.Bool("tls", false, "speak TLS, with a certificate that nobody trusts")
	certificate := flags.String("certificate", "", "file to write that certificate to, in PEM")
	http1 := flags.Bool("http1", false, "speak no HTTP/2")
	records := flags.String("records", recordsAddress, "address to serve the records on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r := &recorder{name: *name, tally: map[tallied]int{}, streams: map[string]chan struct{}{}, revoked: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sse/{id}", r.stream)
	mux.HandleFunc("POST /sse/{id}/next", r.next)
	mux.HandleFunc("GET /ws", r.websocket)
	mux.HandleFunc("GET /bytes/{n}", bytesOf(someText))
	mux.HandleFunc("GET /base64/{n}", bytesOf(func(n int) []byte { return bytes.Repeat([]byte("x"), n) }))
	mux.HandleFunc("GET /events/{n}/{pause}", sendEvents)
	mux.HandleFunc("POST /sink", sink)
	mux.HandleFunc("/status/{code}", statusOf)
	mux.HandleFunc("/", r.answer)

	ended := make(chan error, 2)
	told := http.NewServeMux()
	told.HandleFunc("POST /revoke", r.revoke)
	told.HandleFunc("/", r.seen)
	told.HandleFunc("/tally", r.counted)
	server, err := newServer(*listen, mux, *selfSigned, *certificate)
	if err != nil {
		return err
	}
	if *http1 {
		server.Protocols = new(http.Protocols)
		server.Protocols.SetHTTP1(true)
	}
	go func() { ended <- serve(ctx, *records, told) }()
	go func() { ended <- serveUntil(ctx, server) }()
	fmt.Fprintln(stdout, "listening on", *listen)
	return <-ended
}

// statusOf answers with the status that is in the path.
func statusOf(w http.ResponseWriter, req *http.Request) {
	code, err := strconv.Atoi(req.PathValue("code"))
	if err != nil || code < 200 || code > 599 {
		code = http.StatusBadRequest
	}
	w.WriteHeader(code)
}

func serve(ctx context.Context, addr string, handler http.Handler) error {
	server, err := newServer(addr, handler, false, "")
	if err != nil {
		return err
	}
	return serveUntil(ctx, server)
}

// newServer makes a server; a self-signed one writes its certificate to a file, if it is to.
func newServer(addr string, handler http.Handler, selfSigned bool, certificateFile string) (*http.Server, error) {
	server := &http.Server{Addr: addr, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	if !selfSigned {
		return server, nil
	}
	certificate, err := selfSignedCertificate()
	if err != nil {
		return nil, err
	}
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	if certificateFile == "" {
		return server, nil
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
	return server, os.WriteFile(certificateFile, text, 0o644)
}

func serveUntil(ctx context.Context, server *http.Server) error {
	context.AfterFunc(ctx, func() { _ = server.Close() })
	listenAndServe := server.ListenAndServe
	if server.TLSConfig != nil {
		listenAndServe = func() error { return server.ListenAndServeTLS("", "") }
	}
	if err := listenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// selfSignedCertificate is for a server that no client should trust but those who are handed it.
func selfSignedCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), DNSNames: []string{"upstream"},
	}
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok {
			template.IPAddresses = append(template.IPAddresses, network.IP)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// remember keeps a request.
func (r *recorder) remember(req *http.Request) {
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
	if as := (tallied{rec.URI, rec.Header.Get("Authorization")}); r.tally[as] > 0 || len(r.tally) < maxTallied {
		r.tally[as]++
	}
}

func (r *recorder) answer(w http.ResponseWriter, req *http.Request) {
	r.remember(req)
	if r.isRevoked(req) {
		http.Error(w, "the credential is not valid", http.StatusUnauthorized)
		return
	}
	writeJSON(w, map[string]string{"answeredBy": r.name, "method": req.Method, "uri": req.RequestURI})
}

// revoke has the credential in a request's own Authorization refused from now on.
func (r *recorder) revoke(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.revoked[req.Header.Get("Authorization")] = true
	w.WriteHeader(http.StatusNoContent)
}

func (r *recorder) isRevoked(req *http.Request) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.revoked[req.Header.Get("Authorization")]
}

// maxBytes is the most that bytesOf answers with.
const maxBytes = 1 << 20

// bytesOf answers with the first N bytes of a text and remembers nothing, for benchmarks.
func bytesOf(text func(n int) []byte) http.HandlerFunc {
	all := text(maxBytes)
	return func(w http.ResponseWriter, req *http.Request) {
		n, err := strconv.Atoi(req.PathValue("n"))
		if err != nil || n < 0 || n > maxBytes {
			http.Error(w, fmt.Sprintf("between 0 and %d bytes", maxBytes), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.Itoa(n))
		_, _ = w.Write(all[:n])
	}
}

// sink takes in a body and says how long it was, for benchmarks.
func sink(w http.ResponseWriter, req *http.Request) {
	n, err := io.Copy(io.Discard, req.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	fmt.Fprintln(w, n)
}

func (r *recorder) seen(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	writeJSON(w, append([]record{}, r.records...))
}

// counted tells how many requests came with which credential to which URI.
func (r *recorder) counted(w http.ResponseWriter, _ *http.Request) {
	type line struct {
		tallied
		Requests int `json:"requests"`
	}
	lines := []line{}
	r.mu.Lock()
	for as, n := range r.tally {
		lines = append(lines, line{as, n})
	}
	r.mu.Unlock()
	writeJSON(w, lines)
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
