package proxy

import (
	"bytes"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"testing/fstest"

	"credproxy.dev/controller/pkg/routetable"
)

// benchToken is as long as many are, so that answers are searched for it.
const benchToken = "a-token-of-forty-characters-as-many-have"

// BenchmarkProxy1KiB compares ours, with its log, to a bare httputil.ReverseProxy that adds the same header: keep-alive,
// 1 KiB, plain HTTP on both sides. Client and upstream share the process, so that the true ratio is a little further
// from 1 than the one shown.
func BenchmarkProxy1KiB(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 1<<10)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(body)
	}))
	b.Cleanup(upstream.Close)
	b.Run("ours", func(b *testing.B) {
		lines := newQueue(io.Discard, logQueueBytes, logPause, droppedLine)
		b.Cleanup(func() { lines.close() })
		h := NewHandler(always(mustTransport(anywhere())), slog.New(slog.NewJSONHandler(lines, nil)), lines, "web")
		if err := h.Swap(benchTable(b, upstream.URL)); err != nil {
			b.Fatal(err)
		}
		benchProxy(b, h)
	})
	b.Run("bare", func(b *testing.B) { benchProxy(b, bareProxy(b, upstream.URL)) })
}

func benchTable(b *testing.B, upstream string) routetable.Loaded {
	b.Helper()
	_, files, err := routetable.Seal(routetable.Table{
		Listen: ":0", InternalSubnets: []string{"127.0.0.0/8"},
		Routes: []routetable.Route{
			{Path: "/other", Upstream: upstream},
			{Path: "/api", Upstream: upstream, Auth: &routetable.Auth{Scheme: "Bearer", TokenFile: "CRED_PROXY_TOKEN_1"}},
		},
	}, 1, map[string]string{"CRED_PROXY_TOKEN_1": benchToken}, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	volume := fstest.MapFS{}
	for _, f := range files {
		volume[f.Name] = &fstest.MapFile{Data: f.Data, Mode: f.Mode}
	}
	loaded, err := routetable.Load(volume, func(string) string { return "" })
	if err != nil {
		b.Fatal(err)
	}
	return loaded
}

func bareProxy(b *testing.B, upstream string) http.Handler {
	b.Helper()
	target, err := url.Parse(upstream)
	if err != nil {
		b.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.SetURL(target)
			pr.Out.Header.Set("Authorization", "Bearer "+benchToken)
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 256},
	}
}

func benchProxy(b *testing.B, h http.Handler) {
	b.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			res, err := client.Get(server.URL + "/api/v1/messages")
			if err != nil {
				b.Error(err)
				return
			}
			_, err = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if err != nil || res.StatusCode != http.StatusOK {
				b.Errorf("status %d, %v", res.StatusCode, err)
				return
			}
		}
	})
}
