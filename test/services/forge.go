package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// newForge has one empty repository, acme/web, which git itself serves, and says who asks, as Gitea's API does.
func newForge(ctx context.Context) (http.Handler, error) {
	root, err := os.MkdirTemp("", "forge")
	if err != nil {
		return nil, err
	}
	repository := filepath.Join(root, "acme", "web.git")
	if out, err := exec.CommandContext(ctx, "git", "init", "-q", "--bare", "-b", "main", repository).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("git init: %w: %s", err, out)
	}
	programs, err := exec.CommandContext(ctx, "git", "--exec-path").Output()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/acme/", &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(programs)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=agent"},
	})
	mux.HandleFunc("GET /api/v1/user", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, map[string]any{"login": "agent"}) })
	return mux, nil
}
