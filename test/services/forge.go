package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// newForge has two empty repositories, acme/web and acme/other, which git itself serves, and says who asks, as Gitea's API does.
func newForge(ctx context.Context) (http.Handler, error) {
	root, err := os.MkdirTemp("", "forge")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"web.git", "other.git"} {
		repository := filepath.Join(root, "acme", name)
		if out, err := exec.CommandContext(ctx, "git", "init", "-q", "--bare", "-b", "main", repository).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("git init: %w: %s", err, out)
		}
	}
	programs, err := exec.CommandContext(ctx, "git", "--exec-path").Output()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/acme/", whole(&cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(programs)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=agent"},
	}))
	mux.HandleFunc("GET /api/v1/user", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, map[string]any{"login": "agent"}) })
	return mux, nil
}

// whole reads a body of chunks to its end first: git sends a large one so, and CGI has to know its length.
func whole(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		}
		next.ServeHTTP(w, r)
	})
}
