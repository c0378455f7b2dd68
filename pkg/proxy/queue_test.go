package proxy

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// stalled is a reader that takes nothing until it is let go.
type stalled struct {
	sink
	letGo chan struct{}
}

func (s *stalled) Write(b []byte) (int, error) {
	<-s.letGo
	return s.sink.Write(b)
}

func TestStalledReaderBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stalled{letGo: make(chan struct{})}
		q := newQueue(out, 100, 0, func(n int64) []byte { return fmt.Appendf(nil, "dropped %d\n", n) })
		_, _ = q.Write([]byte("first\n"))
		synctest.Wait()
		for i := range 1000 {
			_, _ = fmt.Fprintf(q, "line %d\n", i)
		}
		close(out.letGo)
		synctest.Wait()
		_, _ = q.Write([]byte("last\n"))
		q.close()
		got := out.String()
		if !strings.HasPrefix(got, "first\nline 0\nline 1\n") || !strings.HasSuffix(got, "\ndropped 987\nlast\n") {
			t.Errorf("the reader got %q", got)
		}
		if strings.Count(got, "\n")+987 != 1000+3 {
			t.Errorf("lines are missing, or the count is wrong: %q", got)
		}
	})
}

func TestReportAfterDroppedOnesSaysHowMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stalled{letGo: make(chan struct{})}
		s := newStreams(out, io.Discard)
		s.report(routetable.Report{Event: routetable.EventReady})
		synctest.Wait()
		const sent = 3000
		for i := range sent {
			s.report(routetable.Report{Event: routetable.EventState, Generation: int64(i)})
		}
		close(out.letGo)
		synctest.Wait()
		s.report(routetable.Report{Event: routetable.EventReloaded})
		s.close()
		var dropped, read int64
		for line := range strings.Lines(out.String()) {
			r, err := routetable.ParseReport([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			read, dropped = read+1, dropped+r.Dropped
		}
		if dropped == 0 || read+dropped != sent+2 {
			t.Errorf("%d reports were read and %d counted as dropped, of %d", read, dropped, sent+2)
		}
	})
}

func TestLinesGatherForAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &counting{}
		q := newQueue(out, 1000, logPause, nil)
		for range 10 {
			_, _ = q.Write([]byte("line\n"))
		}
		<-time.After(2 * logPause)
		synctest.Wait()
		if out.writes != 1 || out.bytes != 50 {
			t.Errorf("%d bytes in %d writes", out.bytes, out.writes)
		}
		q.close()
	})
}

type counting struct{ writes, bytes int }

func (c *counting) Write(b []byte) (int, error) {
	c.writes++
	c.bytes += len(b)
	return len(b), nil
}

func TestEndDoesNotWaitForAStalledReader(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		out := &stalled{letGo: make(chan struct{})}
		q := newQueue(out, 100, 0, nil)
		_, _ = q.Write([]byte("line\n"))
		q.close()
		close(out.letGo)
		<-q.done
	})
}
