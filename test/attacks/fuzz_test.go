package attacks

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// quiet is how long nothing has to come for a connection to be given up: its request may never be whole.
const quiet = 100 * time.Millisecond

// FuzzRequest sends bytes of any kind to a whole sidecar. Whatever they are, no token comes back, though every upstream repeats what it
// gets, and what arrives there is well-formed, with the route's own credential exactly once.
func FuzzRequest(f *testing.F) {
	index, err := hunt()
	if err != nil {
		f.Fatal(err)
	}
	for _, attacks := range families() {
		for _, a := range attacks {
			if len(a.sends) < 4<<10 && len(index.Search([]byte(a.sends))) == 0 {
				f.Add(strings.ReplaceAll(a.sends, own, "x"))
			}
		}
	}
	s := newStage(false)
	for i := range s.table.Routes {
		s.table.Routes[i].Limits = &routetable.Limits{BodyTimeout: 50, IdleTimeout: 1000}
	}
	for _, h := range s.hosts {
		h.answer = func(r *request) string { return echoed("text/plain", r) }
	}
	c := s.start(f)
	f.Cleanup(func() {
		c.stop()
		s.end()
	})
	f.Fuzz(func(t *testing.T, sends string) {
		c.t = t
		a := c.connect().send(sends + "\r\n\r\n" + get("/r/last", "Connection: close"))
		for err := error(nil); err == nil; {
			_ = a.conn.SetReadDeadline(time.Now().Add(quiet))
			_, err = a.from.ReadByte()
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) && !strings.Contains(err.Error(), "reset") {
				t.Errorf("reading failed: %v", err)
			}
		}
		a.close()
		for _, r := range s.internet.take() {
			c.judge(r)
		}
		for where, text := range map[string]string{"what it got": a.got.String(), "the log": c.log.take(), "stdout": c.out.take()} {
			if find := index.Search([]byte(text)); len(find) > 0 {
				t.Errorf("%s has %v: %q", where, find, text)
			}
		}
		c.cast = nil
	})
}

// take returns what has arrived, and forgets it.
func (i *internet) take() []*request {
	i.mu.Lock()
	defer i.mu.Unlock()
	all := i.arrived
	i.arrived = nil
	return all
}
