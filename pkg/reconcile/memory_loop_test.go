package reconcile_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/fakeengine"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// inMemory makes an environment whose tokens are in memory alone.
func (s *stage) inMemory(name string) *spec.CredProxy {
	return edited(s.environment(name), func(s *spec.CredProxySpec) { s.TokenDelivery = spec.DeliverMemory })
}

// filesOf lists the files in the volume of a name's sidecar.
func (s *stage) filesOf(name string) (files []string) {
	s.t.Helper()
	c := s.container(name)
	for _, v := range s.engine.Snapshot().Volumes {
		if v.Name == c.Volume {
			for file := range v.Files {
				files = append(files, file)
			}
		}
	}
	return files
}

func TestARestartedSidecarIsDeliveredToAgainAtOnce(t *testing.T) {
	for name, restart := range map[string]func(*stage, string){
		"the process ended by itself": func(s *stage, id string) { s.engine.CrashContainer(id, 1) },
		"docker restart":              func(s *stage, id string) { s.engine.StopContainer(id); s.engine.StartContainer(id) },
		"docker stop":                 func(s *stage, id string) { s.engine.StopContainer(id) },
		"the engine restarted":        func(s *stage, _ string) { s.engine.Restart() },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(s *stage) {
				s.declare(s.inMemory("web"))
				s.wantServed("web", "https://api.example.com one")
				made := s.container("web").ID
				restart(s, made)
				s.soon()
				s.wantServed("web", "https://api.example.com one")
				s.wantReady("web", metav1.ConditionTrue, reconcile.ReasonRunning)
				if c := s.container("web"); c.ID != made {
					t.Error("it is another container")
				}
				if files := s.filesOf("web"); len(files) != 0 {
					t.Errorf("its volume has %q", files)
				}
			})
		})
	}
}

// A token that is gone from its source stays in force over a restart of its sidecar, and the status says that it is gone.
func TestARestartedSidecarGetsTheTokenThatItHad(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.inMemory("web"))
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "")
		s.engine.CrashContainer(s.container("web").ID, 1)
		s.soon()
		s.wantServed("web", "https://api.example.com one")
		got, _ := s.Get("web")
		if c := meta.FindStatusCondition(got.Status.Conditions, spec.ConditionTokensResolved); c.Reason != reconcile.ReasonTokenMissing {
			t.Errorf("TokensResolved is %s %s", c.Status, c.Reason)
		}
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "two")
		later(30 * time.Second) // a resync
		s.settle()
		s.wantServed("web", "https://api.example.com two")
	})
}

// A controller that was started after the token had gone does not have it: the sidecar serves nothing then, and the status
// says why.
func TestARestartedSidecarWaitsForATokenThatNobodyHas(t *testing.T) {
	gone := spec.TokenRef{Env: "TOKEN"}
	synctest.Test(t, func(t *testing.T) {
		engine := fakeengine.New(time.Millisecond)
		var web *spec.CredProxy
		newStage(t, engine, defaultOptions()).runs(func(s *stage) {
			web = s.inMemory("web")
			s.declare(web)
		})
		newStage(t, engine, defaultOptions()).runs(func(s *stage) {
			s.tokens.put(gone, "")
			s.declare(web)
			s.wantServed("web", "https://api.example.com one")
			engine.CrashContainer(s.container("web").ID, 1)
			s.soon()
			s.wantServed("web")
			s.wantReady("web", metav1.ConditionFalse, reconcile.ReasonTokenMissing)
			s.tokens.put(gone, "two")
			later(5 * time.Second)
			s.settle()
			s.wantServed("web", "https://api.example.com two")
		})
	})
}

// What was copied just before the sidecar ended is lost, and copied again.
func TestADeliveryThatIsLostWithTheRunIsRepeated(t *testing.T) {
	play(t, func(s *stage) {
		s.declare(s.inMemory("web"))
		gate := fakeengine.NewGate()
		s.engine.Inject(fakeengine.Reload, 1, gate.Fault())
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "two")
		later(31 * time.Second) // a resync
		<-gate.Reached()
		s.engine.CrashContainer(s.container("web").ID, 1)
		gate.Release()
		later(5 * time.Second)
		s.settle()
		s.wantServed("web", "https://api.example.com two")
		if n := len(s.engine.Snapshot().Containers); n != 1 {
			t.Errorf("there are %d containers", n)
		}
	})
}

// A controller that is told to end while it delivers leaves no token in the volume: the sidecar takes over what was written.
func TestAnEndInTheMiddleOfADeliveryLeavesNothingInTheVolume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, fakeengine.New(time.Millisecond), defaultOptions())
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		s.declare(s.inMemory("web"))
		s.engine.Inject(fakeengine.CopyRoutes, 1, fakeengine.Fault{Name: "ends", After: func(context.Context, *fakeengine.Call) error {
			end()
			return nil
		}})
		s.tokens.put(spec.TokenRef{Env: "TOKEN"}, "two")
		later(30 * time.Second) // a resync
		if err := <-ended; err != nil {
			t.Error(err)
		}
		s.wantServed("web", "https://api.example.com two")
		if files := s.filesOf("web"); len(files) != 0 {
			t.Errorf("its volume has %q", files)
		}
	})
}

// A person's pass may be killed between a copy and the reload: the controller has the sidecar take over what lies in the volume,
// though it serves as it should.
func TestWhatAnotherProcessLeftInTheVolumeIsTakenOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts, handed := defaultOptions(), &baton{}
		opts.Locker = handed
		newStage(t, fakeengine.New(time.Millisecond), opts).runs(func(s *stage) {
			s.declare(s.inMemory("web"))
			s.settle()
			left := []routetable.File{{Name: "tokens-9/CRED_PROXY_TOKEN_1", Data: []byte("left"), Mode: 0o400}}
			if err := s.engine.Driver("default").CopyRoutes(t.Context(), s.container("web").ID, left); err != nil {
				t.Fatal(err)
			}
			handed.taken()
			later(31 * time.Second) // a resync
			s.settle()
			if files := s.filesOf("web"); len(files) != 0 {
				t.Errorf("its volume has %q", files)
			}
			s.wantServed("web", "https://api.example.com one")
		})
	})
}

// baton is a Locker of names that another process held in between.
type baton struct{ elsewhere atomic.Bool }

func (b *baton) taken() { b.elsewhere.Store(true) }

func (b *baton) Lock(context.Context, string) (reconcile.Held, error) {
	return reconcile.Held{Release: func() {}, Fresh: !b.elsewhere.Swap(false)}, nil
}
