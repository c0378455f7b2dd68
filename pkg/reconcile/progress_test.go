package reconcile_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
)

// diary keeps what is told of progress, by name.
type diary struct {
	mu   sync.Mutex
	told map[string][]string
}

func (d *diary) take(p reconcile.Progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.told == nil {
		d.told = map[string][]string{}
	}
	words := fmt.Sprintf("%d/%d %s", p.Number, p.Steps, p.Step.Step)
	if p.Done {
		words = fmt.Sprintf("%d done: %v", p.Steps, p.Err == nil)
	}
	d.told[p.Name] = append(d.told[p.Name], words)
}

func TestEachStepOfAPassIsToldAsItBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		opts := defaultOptions()
		opts.Progress = d.take
		s := newStage(t, fakeengine.New(time.Millisecond), opts)
		s.declareNow(s.environment("api"), s.environment("web"))
		s.engine.Inject(fakeengine.Start, 1, fakeengine.FailsBefore(errors.New("it cannot")))
		if err := s.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		whole := []string{"1/7 resolve_tokens", "2/7 ensure_image", "3/7 create", "4/7 copy_routes", "5/7 connect_egress", "6/7 start", "7/7 wait_ready", "7 done: true"}
		failed := append(slices.Clone(whole[:6]), "7 done: false")
		good, bad := 0, 0
		for _, told := range d.told {
			switch {
			case slices.Equal(told, whole):
				good++
			case slices.Equal(told, failed):
				bad++
			default:
				t.Errorf("it was told %s", strings.Join(told, ", "))
			}
		}
		if good != 1 || bad != 1 {
			t.Errorf("%d were done, and %d failed", good, bad)
		}
		d.told = nil
		if err := s.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Once(t.Context()); err != nil { // everything is as it should be
			t.Fatal(err)
		}
		if len(d.told) != 1 {
			t.Errorf("it was told %v", d.told)
		}
	})
}
