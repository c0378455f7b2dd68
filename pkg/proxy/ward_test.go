package proxy

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/routetable"
)

// An upstream whose name leads to the internal network, where agents are, gets nothing: least of all the token.
func TestNothingLeavesByTheInternalNetwork(t *testing.T) {
	impostor := newRecorder(t)
	m := newMachine(internal())
	s := startOn(t, m, nil, nil)
	s.machine = m
	_, port, _ := strings.Cut(strings.TrimPrefix(impostor.URL, "http://"), ":")
	s.push(t, seal(t, 1,
		routetable.Route{Path: "/name", Upstream: "http://localhost:" + port, Auth: bearer()},
		routetable.Route{Path: "/address", Upstream: impostor.URL, Auth: bearer()},
	))
	s.wantReport(t, ready(1))
	for _, path := range []string{"/name", "/address"} {
		res, body := get(t, "http://"+s.addr(internal())+path+"/x")
		var answer struct{ Error, Message, Stage string }
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		if res.StatusCode != http.StatusBadGateway || answer.Error != "upstream_unreachable" ||
			answer.Stage != routetable.StageConnect || !strings.Contains(answer.Message, "internal network") {
			t.Errorf("%s: %d %+v", path, res.StatusCode, answer)
		}
	}
	if got := impostor.all(); len(got) != 0 {
		t.Errorf("it heard %+v", got)
	}
}
