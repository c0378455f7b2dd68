package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
)

// record is one request that came.
type record struct {
	Port   string      `json:"port"`
	Method string      `json:"method"`
	URI    string      `json:"uri"`
	Header http.Header `json:"header"`
}

// records are all of them, which it serves.
type records struct {
	mu  sync.Mutex
	all []record
}

// note adds each request before it is served.
func (r *records) note(port string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.all = append(r.all, record{port, req.Method, req.RequestURI, req.Header.Clone()})
		r.mu.Unlock()
		next.ServeHTTP(w, req)
	})
}

func (r *records) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = json.NewEncoder(w).Encode(r.all)
}

// printRecords asks the services that run in the same container.
func printRecords(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+recordsAddress, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

// authorized serves who brings the token, as a bearer token, as the password of Basic, or in X-Api-Key.
func authorized(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if token != password && token != bearer && token != r.Header.Get("X-Api-Key") {
			http.Error(w, `{"error":"the token is missing"}`, http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
