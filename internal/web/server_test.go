package web_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"credproxy.dev/controller/internal/web"
)

func TestTheServerAnswersUntilItIsTold(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served, pages := make(chan error, 1), handler(t, options())
	go func() { served <- web.Serve(ctx, listener, pages, slog.New(slog.DiscardHandler)) }()

	resp, err := http.Get("http://" + listener.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || string(text) != "ok\n" {
		t.Errorf("got %s: %q, %v", resp.Status, text, err)
	}
	_ = resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if err := <-served; err != nil {
		t.Errorf("the server ended with %v", err)
	}
	if _, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		t.Error("the address still answers")
	}
}

func TestTheDialledAddressIsItsOwnNameOnARemoteListener(t *testing.T) {
	opts := options()
	handler := handler(t, opts)
	r, _ := http.NewRequestWithContext(context.WithValue(t.Context(), http.LocalAddrContextKey,
		&net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 8099}), http.MethodGet, "http://192.0.2.7:8099/healthz", nil)
	for host, want := range map[string]int{"192.0.2.7:8099": 200, "192.0.2.8:8099": 421} {
		r.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s got %d, want %d", host, w.Code, want)
		}
	}
}

func TestWhoListensForChangesDoesNotKeepTheServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served, pages := make(chan error, 1), handler(t, options())
	go func() { served <- web.Serve(ctx, listener, pages, slog.New(slog.DiscardHandler)) }()
	defer http.DefaultClient.CloseIdleConnections()
	answer, err := http.Get("http://" + listener.Addr().String() + "/changes")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	cancel()
	if _, err := io.ReadAll(answer.Body); err != nil {
		t.Errorf("the stream did not end as it should: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}
