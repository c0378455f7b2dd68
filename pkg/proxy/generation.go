package proxy

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"credproxy.dev/controller/pkg/routetable"
)

// loadVolume reads the generation in the volume. A link cannot lead out of it.
func loadVolume(dir string, getenv func(string) string) (routetable.Loaded, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return routetable.Loaded{}, fmt.Errorf("the volume %s is not there: %w", dir, routetable.ErrIncomplete)
	}
	if err != nil {
		return routetable.Loaded{}, fmt.Errorf("opening the volume: %w", err)
	}
	defer func() { _ = root.Close() }()
	return routetable.Load(root.FS(), getenv)
}

// removeTokens removes the token files of generations up to one. Newer ones may belong to a push in progress. A token that
// nobody reads any more should not lie about, but that is no reason to stop serving.
func removeTokens(dir string, upTo int64, log *slog.Logger) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		log.Warn("old tokens were not removed from the volume", "error", err)
		return
	}
	defer func() { _ = root.Close() }()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		log.Warn("old tokens were not removed from the volume", "error", err)
		return
	}
	for _, entry := range entries {
		generation, ok := routetable.DirGeneration(entry.Name())
		if !ok || generation > upTo {
			continue
		}
		if err := root.RemoveAll(entry.Name()); err != nil {
			log.Warn("the tokens of a generation were not removed from the volume", "generation", generation, "error", err)
		}
	}
}
