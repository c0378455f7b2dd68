package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/pkg/routetable"
)

// roundTrip is an upstream that reads requests itself.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answerOf(r *http.Request, body io.ReadCloser) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, ContentLength: -1, Body: body, Request: r}
}

// reading reads the whole request before it answers.
func reading(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return answerOf(r, ok(r)), nil
}

// asked sends a request and returns the answer.
func (c *talk) asked(t *testing.T, request string) (answer, string) {
	t.Helper()
	write(t, c, lines(request))
	return readResponse(t, c.from)
}

func TestRequestsAreBoundedByTheMinute(t *testing.T) {
	route := bounded("http://a.test", routetable.Limits{RequestsPerMinute: 3})
	onPipesTo(t, internal(), roundTrip(func(r *http.Request) (*http.Response, error) { return answerOf(r, ok(r)), nil }), route,
		func(t *testing.T, s *started, network *pipes) {
			s.wantReport(t, ready(1))
			c := newTalk(network.dial(t))
			served := func(want string) {
				t.Helper()
				res, body := c.asked(t, "GET /r/x HTTP/1.1\nHost: a\n\n")
				if got := res.Header.Get("Retry-After"); got != want {
					t.Fatalf("Retry-After is %q, want %q: %s", got, want, body)
				}
			}
			for range 3 {
				served("")
			}
			served("20")
			<-time.After(5 * time.Second)
			served("15")
			s.reload(t, 2, route)
			served("15")
			<-time.After(15 * time.Second)
			served("")
			served("20")
			s.reload(t, 3, bounded("http://a.test", routetable.Limits{RequestsPerMinute: 60}))
			served("")
		})
}

func TestABodyHasToArriveInTime(t *testing.T) {
	route := bounded("http://a.test", routetable.Limits{BodyTimeout: 10_000})
	onPipesTo(t, internal(), roundTrip(reading), route, func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		c := newTalk(network.dial(t))
		write(t, c, "POST /r/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
		begun := time.Now()
		trickled := make(chan struct{})
		go func() {
			defer close(trickled)
			for range 1000 {
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
				<-time.After(time.Second)
			}
		}()
		res, body := readResponse(t, c.from)
		wantRefusal(t, res, body, http.StatusRequestTimeout, "body_timeout")
		if took := time.Since(begun); took != 10*time.Second || !res.Close {
			t.Errorf("it took %v; the connection is closed: %v", took, res.Close)
		}
		c.over(t)
		<-trickled
	})
}

// Behind the end of its body a request has no deadline, and neither has the next one of its connection.
func TestABodyThatIsThereInTimeEndsItsDeadline(t *testing.T) {
	route := bounded("http://a.test", routetable.Limits{BodyTimeout: 10_000})
	slow := roundTrip(func(r *http.Request) (*http.Response, error) {
		res, err := reading(r)
		<-time.After(time.Hour)
		return res, err
	})
	onPipesTo(t, internal(), slow, route, func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		c := newTalk(network.dial(t))
		for _, framing := range []string{"Content-Length: 2\n\nab", "Transfer-Encoding: chunked\n\n2\nab\n0\n\n"} {
			if res, body := c.asked(t, "POST /r/x HTTP/1.1\nHost: a\n"+framing); res.StatusCode != http.StatusOK || body != "ok" {
				t.Errorf("%d %s", res.StatusCode, body)
			}
			<-time.After(time.Minute)
		}
	})
}

// ticks is a body of a line whenever the next time is due, and then silence until it is closed.
type ticks struct {
	*io.PipeReader
}

func newTicks(ctx context.Context, pauses ...time.Duration) io.ReadCloser {
	from, to := io.Pipe()
	// The transport ends a body with its request.
	context.AfterFunc(ctx, func() { _ = to.CloseWithError(ctx.Err()) })
	go func() {
		for _, pause := range pauses {
			<-time.After(pause)
			if _, err := io.WriteString(to, "data: x\n"); err != nil {
				return
			}
		}
	}()
	return ticks{from}
}

func idleRoute() routetable.Route {
	return bounded("http://a.test", routetable.Limits{IdleTimeout: 60_000})
}

func TestASilentStreamIsCut(t *testing.T) {
	upstream := roundTrip(func(r *http.Request) (*http.Response, error) {
		res := answerOf(r, newTicks(r.Context(), 50*time.Second, 50*time.Second, 50*time.Second))
		res.Header.Set("Content-Type", "text/event-stream")
		return res, nil
	})
	onPipesTo(t, internal(), upstream, idleRoute(), func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		c := newTalk(network.dial(t))
		begun := time.Now()
		write(t, c, "GET /r/x HTTP/1.1\r\nHost: a\r\n\r\n")
		all, err := io.ReadAll(c.from)
		if err != nil || strings.Count(string(all), "data: x\n") != 3 || strings.HasSuffix(string(all), "0\r\n\r\n") {
			t.Errorf("got %q, %v", all, err)
		}
		if took := time.Since(begun); took != 210*time.Second {
			t.Errorf("it took %v", took)
		}
		synctest.Wait()
		eventuallyLogged(t, s, `"error":"idle_timeout"`)
	})
}

// An upstream that says now and then that it is at work is not silent.
func TestInterimAnswersAreNoSilence(t *testing.T) {
	upstream := roundTrip(func(r *http.Request) (*http.Response, error) {
		for range 3 {
			<-time.After(50 * time.Second)
			if err := httptrace.ContextClientTrace(r.Context()).Got1xxResponse(http.StatusProcessing, nil); err != nil {
				return nil, err
			}
		}
		return answerOf(r, io.NopCloser(strings.NewReader("ok"))), nil
	})
	onPipesTo(t, internal(), upstream, idleRoute(), func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		c := newTalk(network.dial(t))
		write(t, c, "GET /r/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if all, err := io.ReadAll(c.from); err != nil || strings.Count(string(all), "102 Processing") != 3 || !strings.HasSuffix(string(all), "ok\r\n0\r\n\r\n") {
			t.Errorf("got %q, %v", all, err)
		}
	})
}

func TestAnAnswerThatDoesNotComeIsTimedOut(t *testing.T) {
	upstream := roundTrip(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	onPipesTo(t, internal(), upstream, idleRoute(), func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		begun := time.Now()
		res, body := newTalk(network.dial(t)).asked(t, "GET /r/x HTTP/1.1\nHost: a\n\n")
		wantRefusal(t, res, body, http.StatusGatewayTimeout, "idle_timeout")
		if took := time.Since(begun); took != time.Minute || !res.Close {
			t.Errorf("it took %v; the connection is closed: %v", took, res.Close)
		}
	})
}

func TestAnUploadThatStopsIsTimedOut(t *testing.T) {
	onPipesTo(t, internal(), roundTrip(reading), idleRoute(), func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		c := newTalk(network.dial(t))
		begun := time.Now()
		write(t, c, "POST /r/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
		<-time.After(30 * time.Second)
		write(t, c, "def")
		res, body := readResponse(t, c.from)
		wantRefusal(t, res, body, http.StatusGatewayTimeout, "idle_timeout")
		if took := time.Since(begun); took != 90*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// The kernel takes in much before a client that reads nothing is felt, so that this is no story for synctest.
func TestAClientThatReadsNothingIsCut(t *testing.T) {
	ended := make(chan struct{})
	proxy := serve(t, bounded(newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for r.Context().Err() == nil {
			_, _ = w.Write(make([]byte, 64<<10))
		}
	}), routetable.Limits{IdleTimeout: 50}))
	conn := dial(t, proxy.addr)
	write(t, conn, "GET /r/x HTTP/1.1\r\nHost: a\r\n\r\n")
	<-ended
	eventually(t, "the log says why", func() bool { return strings.Contains(proxy.log.String(), `"error":"idle_timeout"`) })
}

func TestASilentWebSocketIsCut(t *testing.T) {
	upstream := roundTrip(func(r *http.Request) (*http.Response, error) {
		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(theirs, theirs) }()
		res := answerOf(r, ours)
		res.StatusCode, res.Header = http.StatusSwitchingProtocols, http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
		return res, nil
	})
	onPipesTo(t, internal(), upstream, idleRoute(), func(t *testing.T, s *started, network *pipes) {
		s.wantReport(t, ready(1))
		c := newTalk(network.dial(t))
		begun := time.Now()
		write(t, c, "GET /r/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		wantSwitch(t, c.from)
		for range 3 {
			<-time.After(50 * time.Second)
			write(t, c, frame("ping\n"))
			if back, err := c.from.ReadString('\n'); back != frame("ping\n") {
				t.Fatalf("%q, %v", back, err)
			}
		}
		c.over(t)
		if took := time.Since(begun); took != 210*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// eventuallyLogged waits, in synctest's time, for a line of the log.
func eventuallyLogged(t *testing.T, s *started, line string) {
	t.Helper()
	for range 100 {
		if synctest.Wait(); strings.Contains(s.log.String(), line) {
			return
		}
		<-time.After(logPause)
	}
	t.Errorf("the log does not say %s: %s", line, s.log)
}
