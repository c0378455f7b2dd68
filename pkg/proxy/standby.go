package proxy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"

	"credproxy.dev/controller/pkg/routetable"
)

// A sidecar with a Standby has its volume in memory. It looks there when it starts and when it is told to, takes what it
// serves out of it, and answers from the start: without a generation, that it has none.

// errNotDelivered is why a sidecar on standby serves nothing.
var errNotDelivered = errors.New("the controller has not delivered the tokens yet; it does so at once when it runs")

// takenName is what the document is called while it is taken out.
const takenName = routetable.FileName + ".taken"

func standbyFrom(getenv func(string) string) (*routetable.Standby, error) {
	text := getenv(routetable.StandbyVariable)
	if text == "" {
		return nil, nil
	}
	return routetable.ParseStandby(text)
}

// notDelivered is the answer to every request, whoever makes it: until there is a table, nobody knows who may.
func notDelivered() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, code: "no_token", message: errNotDelivered.Error()}
}

// standBy says from where, and what, a sidecar answers until it has a generation.
func (s *sidecar) standBy() error {
	if s.options.standby == nil {
		return nil
	}
	where := s.options.standby
	p, err := perimeterOf(routetable.Table{
		Listen: where.Listen, InternalSubnets: where.InternalSubnets, InternalGateways: where.InternalGateways,
	})
	if err != nil {
		return err
	}
	s.doorway.watch(p)
	s.handler.table.Store(&table{waiting: true})
	return nil
}

// await stands for another delivery, after a look at the volume that failed.
func (s *sidecar) await(ctx context.Context, err error) {
	if s.options.standby == nil {
		s.stand(err)
		return
	}
	if errors.Is(err, routetable.ErrIncomplete) {
		err = errNotDelivered
	}
	s.stand(err)
	s.ajar = s.doorway.adjust(ctx) == nil
}

// emptied reports whether what is served was taken out of the volume, and nothing was put there since.
func (s *sidecar) emptied() bool {
	if s.options.standby == nil || s.loaded == nil {
		return false
	}
	root, err := os.OpenRoot(s.options.Dir)
	if err != nil {
		return false
	}
	defer func() { _ = root.Close() }()
	_, err = root.Lstat(routetable.FileName)
	return errors.Is(err, fs.ErrNotExist)
}

// takeOut empties the volume of the generation that is served: of its tokens, and of the document, by whose key and digest a
// guess at a token could be told from the right one.
func takeOut(dir string, served *routetable.Table, log *slog.Logger) {
	removeTokens(dir, served.Generation, log)
	root, err := os.OpenRoot(dir)
	if err == nil {
		defer func() { _ = root.Close() }()
		err = takeDocument(root, served.Digest)
	}
	if err != nil {
		log.Warn("the routing table was not taken out of the volume", "error", err)
	}
}

// takeDocument removes the document of a digest. One that was written since stays.
func takeDocument(root *os.Root, digest string) (err error) {
	if err := root.Rename(routetable.FileName, takenName); err != nil {
		return fmt.Errorf("setting it aside: %w", err)
	}
	defer func() { err = errors.Join(err, root.Remove(takenName)) }()
	doc, err := root.ReadFile(takenName)
	if err != nil {
		return err
	}
	if t, err := routetable.Parse(doc); err == nil && t.Digest == digest {
		return nil
	}
	// It may still be being written, which goes on under any name. A third one would be the newest.
	if err := root.Link(takenName, routetable.FileName); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
