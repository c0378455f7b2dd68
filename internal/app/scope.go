package app

import (
	"context"
	"sync"
)

// scope finds out by what name to lock an engine: by its ID, which tells apart, or together, engines behind several
// addresses, or by its address where it has no ID that lasts. (Podman makes up a new one at each call.)
type scope struct {
	engine Engine

	mu   sync.Mutex
	name string
}

// of returns the name of the instance on the engine. It fails while the engine has not answered yet.
func (s *scope) of(ctx context.Context, instance string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.name == "" {
		first, err := s.engine.EngineID(ctx)
		if err != nil {
			return "", err
		}
		again, err := s.engine.EngineID(ctx)
		if err != nil {
			return "", err
		}
		s.name = "engine " + first
		if first != again || first == "" {
			s.name = "host " + s.engine.Host()
		}
	}
	return s.name + " instance " + instance, nil
}
