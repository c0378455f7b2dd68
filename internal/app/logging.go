package app

import (
	"fmt"
	"io"
	"log/slog"
)

// NewLogger logs to w. The format is "text" or "json", the level "debug", "info", "warn" or "error".
func NewLogger(w io.Writer, format, level string) (*slog.Logger, error) {
	var lowest slog.Level
	switch level {
	case "debug":
		lowest = slog.LevelDebug
	case "info":
		lowest = slog.LevelInfo
	case "warn":
		lowest = slog.LevelWarn
	case "error":
		lowest = slog.LevelError
	default:
		return nil, fmt.Errorf("log level %q is not one of debug, info, warn, error", level)
	}
	opts := &slog.HandlerOptions{Level: lowest}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return nil, fmt.Errorf("log format %q is not one of text, json", format)
}
