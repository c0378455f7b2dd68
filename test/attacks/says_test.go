package attacks

import (
	"strings"
	"syscall"
)

// stalled is a reader that takes nothing.
type stalled struct{ until <-chan struct{} }

func (s stalled) Write(b []byte) (int, error) {
	<-s.until
	return len(b), nil
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// gone is a pipe without a reader.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// says has nobody take what the sidecar says.
func says() []attack {
	const cost = "an environment would stand still until somebody reads its sidecar's log, or makes room for it"
	unheard := func(name string, set func(*stage)) attack {
		return attack{
			name: name, cost: cost, set: set,
			sends:   strings.Repeat(get("/key/"+strings.Repeat("a", 3000)), 100) + strings.Repeat(get("/nowhere"), 100),
			gets:    append(times(100, "200"), times(100, "404 no_route")...),
			arrives: times(100, "key.test: GET /"+strings.Repeat("a", 3000)),
		}
	}
	return []attack{
		unheard("a reader of stdout that stalls", func(s *stage) { s.stdout = stalled{s.over} }),
		unheard("a reader of the log that stalls", func(s *stage) { s.stderr = stalled{s.over} }),
		unheard("a full disk under the log", func(s *stage) { s.stderr = full{} }),
		unheard("a full disk under stdout", func(s *stage) { s.stdout = full{} }),
		unheard("nobody at either end", func(s *stage) { s.stdout, s.stderr = gone{}, gone{} }),
	}
}
