package proxy

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"credproxy.dev/controller/pkg/routetable"
)

// holding is an upstream that keeps requests, even those that were taken back, until it lets go.
type holding struct {
	begun atomic.Int64
	// let is made by the story, in whose time it is waited for.
	let chan struct{}
}

func (h *holding) RoundTrip(r *http.Request) (*http.Response, error) {
	h.begun.Add(1)
	<-h.let
	return answerOf(r, ok(r)), nil
}

// onPipesOf is onPipesTo with a connection of HTTP/2.
func onPipesOf(t *testing.T, upstream http.RoundTripper, route routetable.Route, story func(*testing.T, *started, *pipes, *framed)) {
	t.Helper()
	onPipesTo(t, internal(), upstream, route, func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		story(t, s, network, newFramed(t, network.dial(t)))
	})
}

// plainRoute is the route /r to an upstream of a test.
func plainRoute() routetable.Route {
	return routetable.Route{Path: "/r", Upstream: "http://a.test", Auth: bearer()}
}

func TestAConnectionHasSoManyRequestsAndNoMore(t *testing.T) {
	upstream := &holding{}
	onPipesOf(t, upstream, plainRoute(), func(t *testing.T, _ *started, _ *pipes, f *framed) {
		upstream.let = make(chan struct{})
		if n, ok := f.settings.Value(http2.SettingMaxConcurrentStreams); !ok || n != maxStreams {
			t.Errorf("%d requests at a time are announced", n)
		}
		if n, ok := f.settings.Value(http2.SettingMaxHeaderListSize); !ok || n > maxHeaderBytes+1024 {
			t.Errorf("a header of %d bytes is announced", n)
		}
		for i := range uint32(maxStreams + 1) {
			f.ask(1+2*i, "/r/x", true)
		}
		if code := f.reset(1 + 2*maxStreams); code != http2.ErrCodeRefusedStream && code != http2.ErrCodeProtocol {
			t.Errorf("one too many is reset with %v", code)
		}
		if n := upstream.begun.Load(); n > maxStreams {
			t.Errorf("%d arrived", n)
		}
		close(upstream.let)
		f.next(func(frame http2.Frame) bool { data, ok := frame.(*http2.DataFrame); return ok && data.StreamEnded() })
	})
}

// TestRequestsThatAreTakenBackAtOnce begins requests and resets them ("rapid reset"): what is still done for them is bounded.
func TestRequestsThatAreTakenBackAtOnce(t *testing.T) {
	upstream := &holding{}
	onPipesOf(t, upstream, plainRoute(), func(t *testing.T, _ *started, network *pipes, f *framed) {
		upstream.let = make(chan struct{})
		var writing sync.WaitGroup
		writing.Go(func() {
			for i := uint32(1); i < 20*maxStreams; i += 2 {
				err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: i, BlockFragment: f.encode(request("/r/x")...), EndStream: true, EndHeaders: true})
				if err != nil || f.WriteRSTStream(i, http2.ErrCodeCancel) != nil {
					return
				}
			}
		})
		if code := f.goAway().ErrCode; code != http2.ErrCodeEnhanceYourCalm {
			t.Errorf("the connection ends with %v", code)
		}
		f.ends()
		writing.Wait()
		if n := upstream.begun.Load(); n > maxStreams {
			t.Errorf("%d requests arrived at a time", n)
		}
		close(upstream.let)
		newTalk(network.dial(t)).ask(t)
	})
}

// TestFloodsEndTheirConnection sends what takes the other side more than it takes the sender, and reads nothing.
func TestFloodsEndTheirConnection(t *testing.T) {
	floods := map[string]func(f *framed, i uint32) error{
		"pings":                   func(f *framed, _ uint32) error { return f.WritePing(false, [8]byte{}) },
		"requests without a path": func(f *framed, i uint32) error { return f.WriteHeaders(wholeHeader(1+2*i, f.encode(":method", "GET"))) },
		"one header":              func(f *framed, i uint32) error { return f.piece(i, strings.Repeat("\x00", 1<<10)) },
		"fields of one header":    func(f *framed, i uint32) error { return f.piece(i, strings.Repeat("\x82", 1<<10)) },
	}
	for name, send := range floods {
		t.Run(name, func(t *testing.T) {
			onPipesOf(t, upstreamFunc(ok), plainRoute(), func(t *testing.T, _ *started, network *pipes, f *framed) {
				// It has no time, nor memory, for a million.
				for i := range uint32(1_000_000) {
					if send(f, i) != nil {
						newTalk(network.dial(t)).ask(t)
						<-time.After(time.Minute) // in which all that was in hand for it ends
						return
					}
				}
				t.Error("the connection is still there")
			})
		})
	}
}

func wholeHeader(stream uint32, block []byte) http2.HeadersFrameParam {
	return http2.HeadersFrameParam{StreamID: stream, BlockFragment: block, EndStream: true, EndHeaders: true}
}

func request(path string) []string {
	return []string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", path}
}

// piece writes a part of a header without end.
func (f *framed) piece(i uint32, block string) error {
	if i == 0 {
		return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte(block)})
	}
	return f.WriteContinuation(1, false, []byte(block))
}

func TestAHeaderWithoutEndIsShownOut(t *testing.T) {
	onPipesOf(t, upstreamFunc(ok), plainRoute(), func(t *testing.T, _ *started, _ *pipes, f *framed) {
		begun := time.Now()
		if err := f.piece(0, "\x82"); err != nil {
			t.Fatal(err)
		}
		f.ends()
		if took := time.Since(begun); took > idleTimeout+2*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAConnectionWithoutRequestsIsToldToGo(t *testing.T) {
	onPipesOf(t, upstreamFunc(ok), plainRoute(), func(t *testing.T, _ *started, _ *pipes, f *framed) {
		begun := time.Now()
		f.ask(1, "/r/x", true)
		if code := f.goAway().ErrCode; code != http2.ErrCodeNo || time.Since(begun) < idleTimeout {
			t.Errorf("it is told to go with %v after %v", code, time.Since(begun))
		}
		f.ends()
	})
}

// TestNeitherAGreetingNorSettingsKeepASeat is for who begins with HTTP/2 and says no more.
func TestNeitherAGreetingNorSettingsKeepASeat(t *testing.T) {
	for _, said := range []string{preface[:10], preface} {
		onPipesTo(t, internal(), upstreamFunc(ok), plainRoute(), func(t *testing.T, s *started, network *pipes) {
			s.wantReport(t, ready(1))
			conn := network.dial(t)
			begun := time.Now()
			write(t, conn, said)
			_, _ = io.Copy(io.Discard, conn)
			if took := time.Since(begun); took > readHeaderTimeout {
				t.Errorf("after %q it took %v", said, took)
			}
		})
	}
}

// TestRequestsOverHTTP2TakeSeats: of those that a connection has beside its own, none is taken for a request that finds all taken.
func TestRequestsOverHTTP2TakeSeats(t *testing.T) {
	upstream := &holding{let: make(chan struct{})}
	m := newMachine(internal())
	h := NewHandler(always(upstream), slog.New(slog.DiscardHandler), io.Discard, "web")
	if err := h.Swap(load(t, plainRoute())); err != nil {
		t.Fatal(err)
	}
	d := behindDoorway(t, m, h)
	for range usualConnections - 3 {
		d.seats <- struct{}{}
	}
	f := newFramed(t, dial(t, m.addr(internal())))
	f.ask(1, "/r/x", true)
	f.ask(3, "/r/x", true)
	eventually(t, "two requests are in hand", func() bool { return upstream.begun.Load() == 2 })
	f.ask(5, "/r/x", true)
	if got := f.status(5); got != "503" {
		t.Errorf("one too many gets %s", got)
	}
	if n := counted(t, h, routetable.NoRoute).Refusals[routetable.RefusalReason("busy")]; n != 1 {
		t.Errorf("%d are counted as refused", n)
	}
	close(upstream.let)
	eventually(t, "their seats are free", func() bool { return len(d.seats) == usualConnections-2 })
	f.ask(7, "/r/x", true)
	if got := f.status(7); got != "200" {
		t.Errorf("when seats are free it gets %s", got)
	}
	_ = f.Close()
	eventually(t, "all seats of the connection are free", func() bool { return len(d.seats) == usualConnections-3 })
}

// behindDoorway serves what comes to a place of 127.0.0.0/8.
func behindDoorway(t *testing.T, m Network, h http.Handler) *doorway {
	t.Helper()
	d := newDoorway(m, usualConnections, &guests{}, slog.New(slog.DiscardHandler))
	server := newServer(t.Context(), h, slog.New(slog.DiscardHandler))
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(d)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	p, err := perimeterOf(routetable.Table{Listen: ":0", InternalSubnets: []string{"127.0.0.0/8"}, InternalGateways: []string{"127.255.255.254"}})
	if err != nil {
		t.Fatal(err)
	}
	d.watch(p)
	if err := d.adjust(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestNothingOfAFrameIsTakenForAHeader sends more lines than a header may have, in requests with silence between them.
func TestNothingOfAFrameIsTakenForAHeader(t *testing.T) {
	onPipesOf(t, roundTrip(reading), plainRoute(), func(t *testing.T, _ *started, _ *pipes, f *framed) {
		for i := range uint32(3) {
			f.send(1+2*i, false, ":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/r/x")
			for range 2 * maxFields {
				f.must(0, f.WriteData(1+2*i, false, []byte("a\n")))
			}
			f.must(0, f.WriteData(1+2*i, true, nil))
			if got := f.status(1 + 2*i); got != "200" {
				t.Fatalf("status %s", got)
			}
			synctest.Wait()
		}
	})
}

func TestASilentStreamOfHTTP2IsCutAlone(t *testing.T) {
	upstream := roundTrip(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/x") {
			return answerOf(r, ok(r)), nil
		}
		return answerOf(r, newTicks(r.Context(), 50*time.Second)), nil
	})
	onPipesOf(t, upstream, idleRoute(), func(t *testing.T, s *started, _ *pipes, f *framed) {
		begun := time.Now()
		f.ask(1, "/r/silent", true)
		f.reset(1)
		if took := time.Since(begun); took != 110*time.Second {
			t.Errorf("it took %v", took)
		}
		eventuallyLogged(t, s, `"error":"idle_timeout"`)
		f.ask(3, "/r/x", true)
		if got := f.status(3); got != "200" {
			t.Errorf("the next gets %s", got)
		}
	})
}

func TestAnUploadOverHTTP2ThatStopsIsTimedOut(t *testing.T) {
	for code, l := range map[string]routetable.Limits{"504": {IdleTimeout: 60_000}, "408": {BodyTimeout: 10_000}} {
		onPipesOf(t, roundTrip(reading), bounded("http://a.test", l), func(t *testing.T, _ *started, _ *pipes, f *framed) {
			f.ask(1, "/r/x", false, "content-length", "10")
			f.must(0, f.WriteData(1, false, []byte("abc")))
			if got := f.status(1); got != code {
				t.Errorf("status %s, not %s", got, code)
			}
		})
	}
}

// TestARequestWithoutABodyHasNoDeadlineForOne: over HTTP/2 such a request has a Body, too.
func TestARequestWithoutABodyHasNoDeadlineForOne(t *testing.T) {
	slow := roundTrip(func(r *http.Request) (*http.Response, error) {
		<-time.After(time.Hour)
		return answerOf(r, ok(r)), nil
	})
	onPipesOf(t, slow, bounded("http://a.test", routetable.Limits{BodyTimeout: 10_000}), func(t *testing.T, _ *started, _ *pipes, f *framed) {
		f.ask(1, "/r/x", true)
		if got := f.status(1); got != "200" {
			t.Errorf("status %s", got)
		}
	})
}

// TestAClientOfHTTP2ThatReadsNothingIsCut has a client leave no room for a window nor for a frame.
func TestAClientOfHTTP2ThatReadsNothingIsCut(t *testing.T) {
	for _, window := range []uint32{1 << 10, 1 << 30} {
		t.Run(fmt.Sprintf("window of %d", window), func(t *testing.T) {
			ended := make(chan struct{})
			upstream := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
				defer close(ended)
				for r.Context().Err() == nil {
					_, _ = w.Write(make([]byte, 64<<10))
				}
			})
			s := start(t, newMachine(internal()), nil)
			s.push(t, seal(t, 1, bounded(upstream, routetable.Limits{IdleTimeout: 50})))
			s.wantReport(t, ready(1))
			go s.listen()
			f := newFramed(t, dial(t, s.addr(internal())))
			f.must(0, f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}))
			f.must(0, f.WriteWindowUpdate(0, 1<<30))
			f.ask(1, "/r/x", true)
			<-ended
			eventually(t, "the log says why", func() bool { return strings.Contains(s.log.String(), `"error":"idle_timeout"`) })
		})
	}
}
