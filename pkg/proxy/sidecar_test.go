package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/pkg/routetable"
)

func TestSidecarWaitsForAWholeGeneration(t *testing.T) {
	upstream := newRecorder(t)
	s := start(t, newMachine(internal()), nil)
	files := seal(t, 3, routetable.Route{Path: "/r", Upstream: upstream.URL, Auth: bearer()})

	s.signals <- syscall.SIGUSR1
	s.wantReport(t, routetable.Report{Event: routetable.EventState, Error: "routes.json is not there"})
	s.push(t, files[1:])
	s.signals <- syscall.SIGHUP
	s.wantReport(t, routetable.Report{Event: routetable.EventRefused, Refused: 3, Error: "tokens-3/CRED_PROXY_TOKEN_1 is not there"})
	if len(s.opened) != 0 {
		t.Error("it listened before it had a table")
	}

	s.push(t, files[:1])
	s.wantReport(t, ready(3))
	if res, body := get(t, "http://"+s.addr(internal())+"/r/x"); res.StatusCode != http.StatusOK {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
	if got := upstream.only(t).Header.Get("Authorization"); got != "Bearer "+token {
		t.Errorf("the upstream saw Authorization %q", got)
	}
}

func TestSidecarReportsATableThatNoWaitingMends(t *testing.T) {
	s := start(t, newMachine(internal()), nil)
	s.push(t, []routetable.File{{Name: routetable.FileName, Data: []byte(`{"version":9,"generation":4}`), Mode: 0o600}})
	s.wantReport(t, routetable.Report{Event: routetable.EventRefused, Refused: 4, Error: "this sidecar knows version 1"})
	eventually(t, "the log warns of it", func() bool { return strings.Contains(s.log.String(), `"WARN","msg":"not serving"`) })
	s.push(t, seal(t, 5, routetable.Route{Path: "/r", Upstream: "https://a.test"}))
	s.wantReport(t, ready(5))
}

func TestReloadSwapsOrRefusesAsAWhole(t *testing.T) {
	old, replacement := newRecorder(t), newRecorder(t)
	s := start(t, newMachine(internal()), nil)
	s.push(t, seal(t, 1, routetable.Route{Path: "/r", Upstream: old.URL, Auth: bearer()}))
	s.wantReport(t, ready(1))
	url := "http://" + s.addr(internal()) + "/r/x"

	next := seal(t, 2, routetable.Route{Path: "/r", Upstream: replacement.URL, Auth: bearer()})
	torn := append([]routetable.File(nil), next...)
	torn[1].Data = torn[1].Data[:len(torn[1].Data)/2]
	s.push(t, torn)
	s.signals <- syscall.SIGHUP
	s.wantReport(t, routetable.Report{Event: routetable.EventRefused, Generation: 1, Serving: true, Error: "not a JSON object"})
	if res, _ := get(t, url); res.StatusCode != http.StatusOK || len(old.all()) != 1 {
		t.Errorf("the old table does not serve on: %d", res.StatusCode)
	}

	s.push(t, next)
	s.signals <- syscall.SIGHUP
	s.wantReport(t, routetable.Report{Event: routetable.EventReloaded, Generation: 2, Serving: true})
	if res, _ := get(t, url); res.StatusCode != http.StatusOK || len(replacement.all()) != 1 {
		t.Errorf("the new table does not serve: %d", res.StatusCode)
	}
	s.signals <- syscall.SIGUSR1
	s.wantReport(t, routetable.Report{Event: routetable.EventState, Generation: 2, Serving: true})
	if _, err := os.Stat(filepath.Join(s.dir, "tokens-1")); !os.IsNotExist(err) {
		t.Errorf("the tokens of generation 1 are still there: %v", err)
	}
	if strings.Contains(s.log.String(), token) {
		t.Errorf("the log shows a token: %s", s.log)
	}
}

func TestTokensOfAPushInProgressStay(t *testing.T) {
	s := start(t, newMachine(internal()), nil)
	s.push(t, []routetable.File{{Name: "tokens-9/CRED_PROXY_TOKEN_1", Data: []byte("x")}, {Name: "unrelated", Data: []byte("x")}})
	s.push(t, seal(t, 8, routetable.Route{Path: "/r", Upstream: "https://a.test", Auth: bearer()}))
	s.wantReport(t, ready(8))
	for _, name := range []string{"tokens-9/CRED_PROXY_TOKEN_1", "tokens-8/CRED_PROXY_TOKEN_1", "unrelated", "routes.json"} {
		if _, err := os.Stat(filepath.Join(s.dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// An engine may carry out a copy long after its client has ended, and start the sidecar again after that.
func TestAStartTakesNoGenerationOlderThanTheLast(t *testing.T) {
	s := start(t, newMachine(internal()), nil)
	route := routetable.Route{Path: "/r", Upstream: "https://a.test", Auth: bearer()}
	s.push(t, seal(t, 5, route))
	s.wantReport(t, ready(5))
	s.push(t, seal(t, 4, route))

	m := newMachine(internal())
	again := startIn(t, s.dir, m, near(t), nil)
	again.wantReport(t, routetable.Report{Event: routetable.EventRefused, Refused: 4, Error: "generation 4 is older than 5"})
	if len(m.opened) != 0 {
		t.Error("it listened with the older generation")
	}
	// Whoever signals means what is in the volume, as a controller does whose clock was set back.
	again.signals <- syscall.SIGHUP
	again.wantReport(t, ready(4))

	startIn(t, s.dir, newMachine(internal()), near(t), nil).wantReport(t, ready(4))
}

func TestANoteThatCannotBeReadRefusesNothing(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "not a number": "five", "too large": "99999999999999999999"} {
		t.Run(name, func(t *testing.T) {
			s := start(t, newMachine(internal()), nil)
			s.push(t, []routetable.File{{Name: servedName, Data: []byte(text), Mode: 0o600}})
			s.push(t, seal(t, 5, routetable.Route{Path: "/r", Upstream: "https://a.test"}))
			s.wantReport(t, ready(5))
		})
	}
}

func TestListenerFollowsTheInterface(t *testing.T) {
	egress := Place{3, "eth1", addrOf("10.9.9.9")}
	s := start(t, newMachine(egress), nil)
	s.push(t, seal(t, 1, routetable.Route{Path: "/r", Upstream: newRecorder(t).URL}))
	s.wantReport(t, routetable.Report{Event: routetable.EventLoaded, Generation: 1, Error: "no network interface has an address inside"})
	s.change(egress, internal())
	s.wantReport(t, ready(1))
	first := s.addr(internal())

	s.change(egress)
	s.wantReport(t, unasked(1, "is the sidecar connected"))
	if reachable(first) {
		t.Error("the old socket is still open")
	}

	renamed := Place{7, "eth2", addrOf("127.0.0.1")}
	s.change(egress, renamed)
	s.wantReport(t, unasked(1, ""))
	if res, _ := get(t, "http://"+s.addr(renamed)+"/r"); res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	if diff := cmp.Diff([]Place{internal(), renamed}, s.opened, cmp.Comparer(func(a, b Place) bool { return a == b })); diff != "" {
		t.Errorf("it listened at (-want +got):\n%s", diff)
	}
}

func reachable(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func TestSidecarEndsWhileItWaits(t *testing.T) {
	s := start(t, newMachine(), nil)
	s.signals <- syscall.SIGTERM
	if err := <-s.done; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestBadDrainTimeoutIsAnError(t *testing.T) {
	for _, text := range []string{"soon", "-1s", "30"} {
		err := Run(t.Context(), Options{Getenv: func(string) string { return text }})
		if err == nil || !strings.Contains(err.Error(), routetable.DrainTimeoutVariable) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestNoRequestIsLostUnderReloads swaps tables as fast as it can under clients that never let go.
func TestNoRequestIsLostUnderReloads(t *testing.T) {
	upstreams := []string{newRecorder(t).URL, newRecorder(t).URL}
	s := start(t, newMachine(internal()), nil)
	s.push(t, seal(t, 1, routetable.Route{Path: "/r", Upstream: upstreams[0], Auth: bearer()}))
	s.wantReport(t, ready(1))
	url := "http://" + s.addr(internal()) + "/r/x"
	stop, failed := make(chan struct{}), make(chan string, 4)
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			failed <- hammer(client, url, stop)
		})
	}
	for generation := int64(2); generation < 30; generation++ {
		s.push(t, seal(t, generation, routetable.Route{Path: "/r", Upstream: upstreams[generation%2], Auth: bearer()}))
		s.signals <- syscall.SIGHUP
		s.wantReport(t, routetable.Report{Event: routetable.EventReloaded, Generation: generation, Serving: true})
	}
	close(stop)
	clients.Wait()
	for range 4 {
		if why := <-failed; why != "" {
			t.Error(why)
		}
	}
}

func hammer(client *http.Client, url string, stop chan struct{}) string {
	for {
		select {
		case <-stop:
			return ""
		default:
		}
		res, err := client.Get(url)
		if err != nil {
			return err.Error()
		}
		_, err = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			return fmt.Sprint(res.StatusCode, err)
		}
	}
}
