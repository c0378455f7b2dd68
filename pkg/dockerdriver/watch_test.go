package dockerdriver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"

	"credproxy.dev/controller/pkg/reconcile"
)

func TestEventsAreTranslated(t *testing.T) {
	ours := map[string]string{LabelInstance: "default", LabelName: "web"}
	for name, c := range map[string]struct {
		event events.Message
		want  reconcile.Change
		told  bool
		marks string
	}{
		"our container ends": {
			events.Message{Type: "container", Action: "die", Actor: events.Actor{ID: "c1", Attributes: ours}},
			reconcile.Change{SpecName: "web", Kind: "die"}, true, "c1",
		},
		"Podman's word for that": {
			events.Message{Type: "container", Action: "died", Actor: events.Actor{ID: "c1", Attributes: ours}},
			reconcile.Change{SpecName: "web", Kind: "die"}, true, "c1",
		},
		"Podman removes": {
			events.Message{Type: "container", Action: "remove", Actor: events.Actor{ID: "c1", Attributes: ours}},
			reconcile.Change{SpecName: "web", Kind: "destroy"}, true, "c1",
		},
		"another instance's": {
			events.Message{Type: "container", Action: "start", Actor: events.Actor{ID: "c2", Attributes: map[string]string{LabelInstance: "other", LabelName: "web"}}},
			reconcile.Change{Kind: "start", Stranger: true}, true, "c2",
		},
		"one whose image bears our labels": {
			events.Message{Type: "container", Action: "start", Actor: events.Actor{ID: "c2", Attributes: ours}},
			reconcile.Change{SpecName: "web", Kind: "start", Stranger: true}, true, "c2",
		},
		"an agent joins a network": {
			events.Message{Type: "network", Action: "connect", Actor: events.Actor{ID: "n1", Attributes: map[string]string{"name": "in", "container": "c2"}}},
			reconcile.Change{Network: "in", Kind: "connect", Stranger: true}, true, "c2",
		},
		"a check of health": {event: events.Message{Type: "container", Action: "exec_start: true", Actor: events.Actor{ID: "c2"}}},
		"our own copy":      {event: events.Message{Type: "container", Action: "extract-to-dir", Actor: events.Actor{ID: "c1", Attributes: ours}}},
		"our sidecar leaves a network": {
			events.Message{Type: "network", Action: "disconnect", Actor: events.Actor{ID: "n1", Attributes: map[string]string{"name": "in", "container": "c1"}}},
			reconcile.Change{SpecName: "web", Network: "in", Kind: "disconnect"}, true, "c1",
		},
		"with Podman, our sidecar leaves some network": {
			events.Message{Type: "network", Action: "disconnect", Actor: events.Actor{ID: "c1", Attributes: map[string]string{"name": "cred-proxy-web", "podId": ""}}},
			reconcile.Change{SpecName: "web", Kind: "disconnect"}, true, "c1",
		},
		"a network is made": {
			events.Message{Type: "network", Action: "create", Actor: events.Actor{ID: "n1", Attributes: map[string]string{"name": "in"}}},
			reconcile.Change{Network: "in", Kind: "create"}, true, "",
		},
		"a network is removed": {
			events.Message{Type: "network", Action: "remove", Actor: events.Actor{ID: "n1", Attributes: map[string]string{"name": "in"}}},
			reconcile.Change{Network: "in", Kind: "destroy"}, true, "",
		},
		"a volume": {event: events.Message{Type: "volume", Action: "create"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newFakeEngine(t).driver()
			d.known.put("c1", "cred-proxy-web", "web")
			before := d.marks.count()
			got, told := d.translate(c.event)
			if got != c.want || told != c.told {
				t.Errorf("got %+v, %v", got, told)
			}
			if marked := d.marks.count() > before; marked != (c.marks != "") || marked && !d.marks.after(c.marks, before) {
				t.Errorf("marked: %v", marked)
			}
		})
	}
}

func TestWatchEndsWithItsStream(t *testing.T) {
	f := newFakeEngine(t)
	f.on("GET /events", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"Type":"network","Action":"create","Actor":{"Attributes":{"name":"in"}}}`+"\n")
	})
	var told []reconcile.Change
	err := f.driver().Watch(t.Context(), func(c reconcile.Change) { told = append(told, c) })
	if !errors.Is(err, reconcile.ErrEngineUnavailable) {
		t.Errorf("got %v", err)
	}
	if len(told) != 2 || told[0] != (reconcile.Change{}) || told[1] != (reconcile.Change{Network: "in", Kind: "create"}) {
		t.Errorf("told of %+v", told)
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	f := newFakeEngine(t)
	f.on("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	if err := f.driver().Watch(ctx, func(reconcile.Change) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWatchEndsWhenTheEngineHangs(t *testing.T) {
	f := newFakeEngine(t)
	opened := make(chan struct{})
	f.on("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		close(opened)
		<-r.Context().Done()
	})
	d := f.driver(func(o *Options) { o.CallTimeout = time.Second })
	d.pulse = time.Millisecond
	ended := make(chan error, 1)
	go func() { ended <- d.Watch(t.Context(), func(reconcile.Change) {}) }()
	<-opened
	asked := f.times("HEAD /_ping")
	soon(t, "it is asked again and again", func() bool { return f.times("HEAD /_ping") > asked+2 })
	select {
	case err := <-ended:
		t.Fatalf("it ended while the engine answers: %v", err)
	default:
	}
	f.on("HEAD /_ping", hang)
	if err := <-ended; !errors.Is(err, reconcile.ErrEngineUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestWatchTellsOfNothingWhileTheEngineIsDown(t *testing.T) {
	d, err := New(Options{Instance: "default", DockerHost: "unix:///nonexistent/docker.sock"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	err = d.Watch(t.Context(), func(c reconcile.Change) { t.Errorf("told of %+v", c) })
	if !errors.Is(err, reconcile.ErrEngineUnavailable) || !mentions(err, "/nonexistent/docker.sock") {
		t.Errorf("got %v", err)
	}
}
