package proxy

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/routetable"
)

// upstreamStatus answers in place of all upstreams with a status that changes.
type upstreamStatus struct{ now atomic.Int64 }

func (u *upstreamStatus) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: int(u.now.Load()), ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// answering is a handler whose upstreams answer with the statuses that it is told.
type answering struct {
	*Handler
	upstream *upstreamStatus
}

func newAnswering(t *testing.T, routes ...routetable.Route) answering {
	t.Helper()
	u := &upstreamStatus{}
	a := answering{NewHandler(always(u), slog.New(slog.DiscardHandler), io.Discard, "web"), u}
	a.serve(t, seal(t, 1, routes...))
	return a
}

func (a answering) serve(t *testing.T, files []routetable.File) {
	t.Helper()
	if err := a.Swap(loadFiles(t, files)); err != nil {
		t.Fatal(err)
	}
}

// ask has a path asked for once for each status that the upstream answers with.
func (a answering) ask(path string, statuses ...int) {
	for _, status := range statuses {
		a.upstream.now.Store(int64(status))
		a.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
}

func withToken(path string) routetable.Route {
	return routetable.Route{Path: path, Upstream: "http://a.test", Auth: bearer()}
}

func TestATokenIsRejectedThatWorkedBefore(t *testing.T) {
	for name, c := range map[string]struct {
		statuses []int
		want     int64
	}{
		"nothing was asked":                 {nil, 0},
		"it never worked":                   {[]int{401, 401}, 0},
		"it works":                          {[]int{200, 204}, 0},
		"it worked, and is rejected":        {[]int{200, 401}, 1},
		"each rejection counts":             {[]int{401, 200, 401, 401, 401}, 3},
		"a moment of luck is none":          {[]int{200, 401, 200, 401, 200}, 2},
		"it may not be used for everything": {[]int{200, 403, 404, 407, 429, 500}, 0},
		"what says nothing does not end it": {[]int{200, 401, 403, 302, 502}, 1},
		"what says nothing is no success":   {[]int{302, 403, 404, 407, 429, 502, 401}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAnswering(t, withToken("/r"), routetable.Route{Path: "/open", Upstream: "http://a.test"})
			a.ask("/open", 200, 401)
			a.ask("/r", c.statuses...)
			var want []routetable.Rejection
			if c.want > 0 {
				want = []routetable.Rejection{{Route: "/r", Count: c.want}}
			}
			if diff := cmp.Diff(want, a.rejected()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestARejectedTokenWorksAgainAfterAQuietTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnswering(t, withToken("/r"))
		a.ask("/r", 200, 401)
		<-time.After(2 * quietTime)
		if len(a.rejected()) != 1 {
			t.Error("that nobody asks does not make it work")
		}
		a.ask("/r", 401, 200)
		<-time.After(quietTime - 1)
		if len(a.rejected()) != 1 {
			t.Error("it works again at once")
		}
		<-time.After(1)
		if got := a.rejected(); got != nil {
			t.Errorf("it is still rejected: %v", got)
		}
		a.ask("/r", 401)
		if diff := cmp.Diff([]routetable.Rejection{{Route: "/r", Count: 3}}, a.rejected()); diff != "" {
			t.Errorf("when it is rejected again (-want +got)\n%s", diff)
		}
	})
}

// TestStandingBelongsToTheToken reloads after a rejection, and lets the upstream answer once more.
func TestStandingBelongsToTheToken(t *testing.T) {
	sealed := func(token string, route routetable.Route) []routetable.File {
		_, files, err := routetable.Seal(routetable.Table{
			Listen: ":0", InternalSubnets: []string{"127.0.0.0/8"}, Routes: []routetable.Route{route},
		}, 2, map[string]string{"CRED_PROXY_TOKEN_1": token}, bytes.NewReader(bytes.Repeat([]byte{7}, 64)))
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	elsewhere, otherHeader := withToken("/r"), withToken("/r")
	elsewhere.Upstream = "http://b.test"
	otherHeader.Auth = &routetable.Auth{Scheme: "Header", Header: "X-Key", TokenFile: "CRED_PROXY_TOKEN_1"}
	for name, c := range map[string]struct {
		reload []routetable.File
		// then are the statuses after the reload.
		then []int
		want []routetable.Rejection
	}{
		"the same token is still rejected":         {sealed(token, withToken("/r")), nil, []routetable.Rejection{{Route: "/r", Count: 1}}},
		"another one is not":                       {sealed("another", withToken("/r")), nil, nil},
		"another one has to have worked":           {sealed("another", withToken("/r")), []int{401}, nil},
		"another one that fails adds to the count": {sealed("another", withToken("/r")), []int{200, 401}, []routetable.Rejection{{Route: "/r", Count: 2}}},
		"another upstream has said nothing":        {sealed(token, elsewhere), []int{401}, nil},
		"in another header it is another":          {sealed(token, otherHeader), []int{401}, nil},
		"a route that went is forgotten":           {sealed(token, withToken("/s")), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAnswering(t, withToken("/r"))
			a.ask("/r", 200, 401)
			a.serve(t, c.reload)
			a.ask("/r", c.then...)
			if diff := cmp.Diff(c.want, a.rejected()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// statusOver asks by a connection of its own, and returns the status.
func statusOver(t *testing.T, network *pipes) int {
	t.Helper()
	c := newTalk(network.dial(t))
	if _, err := io.WriteString(c, "GET /r HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, _ := readResponse(t, c.from)
	return res.StatusCode
}

// TestRejectionsAreToldInModeration has an upstream reject a token in bursts, and counts what is said of it.
func TestRejectionsAreToldInModeration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, upstream := newPipes(internal()), &upstreamStatus{}
		upstream.now.Store(http.StatusOK)
		s := startOn(t, network, always(upstream), nil)
		s.push(t, seal(t, 1, withToken("/r")))
		s.wantReport(t, ready(1))
		says := func(after time.Duration, rejected ...routetable.Rejection) {
			t.Helper()
			begun := time.Now()
			want := unasked(1, "")
			want.Rejected = rejected
			s.wantReport(t, want)
			if took := time.Since(begun); took > after {
				t.Errorf("it took %v until it was said, at most %v wanted", took, after)
			}
		}
		burst := func() {
			for range 50 {
				if status := statusOver(t, network); status != int(upstream.now.Load()) {
					t.Fatalf("status %d", status)
				}
			}
		}
		<-time.After(time.Minute)
		burst()
		upstream.now.Store(http.StatusUnauthorized)
		statusOver(t, network)
		says(0, routetable.Rejection{Route: "/r", Count: 1})
		burst()
		says(growthPause+rejectionPause, routetable.Rejection{Route: "/r", Count: 51})
		s.signals <- syscall.SIGUSR1
		says(0, routetable.Rejection{Route: "/r", Count: 51})
		upstream.now.Store(http.StatusOK)
		burst()
		says(quietTime + rejectionPause)
		if strings.Contains(s.log.String(), token) {
			t.Error("the log has the token")
		}
	})
}

// TestRejectionsThatNobodyReadsStopNothing leaves the reports unread.
func TestRejectionsThatNobodyReadsStopNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, upstream := newPipes(internal()), &upstreamStatus{}
		s := startOn(t, network, always(upstream), nil)
		s.push(t, seal(t, 1, withToken("/r")))
		ask := func(status int) {
			upstream.now.Store(int64(status))
			if got := statusOver(t, network); got != status {
				t.Fatalf("got %d instead of %d", got, status)
			}
		}
		ask(http.StatusOK)
		for range 2 * reportQueueBytes / 100 {
			ask(http.StatusUnauthorized)
			<-time.After(growthPause)
		}
		var last routetable.Report
		for last.Dropped == 0 {
			last = s.heard(t)
		}
		if len(last.Rejected) != 1 || last.Rejected[0].Count < 2*reportQueueBytes/200 {
			t.Errorf("after %d that were dropped it says %+v", last.Dropped, last.Rejected)
		}
	})
}
