package proxy

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"

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

// servedName is the file in which a sidecar keeps the generation that it served last. An engine may carry out a copy long after
// its client has ended: what is older than that is not taken for a delivery when the sidecar starts again.
const servedName = "served"

// lastServed is the generation that was served last; 0 when that is not known.
func lastServed(dir string) int64 {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0
	}
	defer func() { _ = root.Close() }()
	text, err := root.ReadFile(servedName)
	if err != nil {
		return 0
	}
	generation, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0 // ParseInt gives the largest number for one that is too large
	}
	return generation
}

// noteServed keeps which generation is served. That it cannot be kept is no reason to stop serving.
func noteServed(dir string, generation int64, log *slog.Logger) {
	root, err := os.OpenRoot(dir)
	if err == nil {
		defer func() { _ = root.Close() }()
		err = root.WriteFile(servedName, strconv.AppendInt(nil, generation, 10), 0o600)
	}
	if err != nil {
		log.Warn("the generation that is served was not noted in the volume", "error", err)
	}
}
