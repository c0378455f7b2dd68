package provider

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"credproxy.dev/controller/pkg/reconcile"
)

func TestATokenIsAskedForOnceAndKept(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *stage) {
		s.plugin.took = time.Second
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { s.expect("a", "a-1") })
		}
		all.Wait()
		s.expect("b", "b-1")
		s.expect("a", "a-1")
		if s.plugin.calls("a") != 1 || s.plugin.calls("b") != 1 {
			t.Errorf("asked %v", s.plugin.asked)
		}
	})
}

func TestNoMoreThanEightCommandsRunAtATime(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *stage) {
		s.plugin.took = time.Second
		var all sync.WaitGroup
		for i := range 30 {
			key := fmt.Sprint("k", i)
			all.Go(func() { s.expect(key, key+"-1") })
		}
		all.Wait()
		if s.plugin.most != maxCalls {
			t.Errorf("%d ran at a time, want %d", s.plugin.most, maxCalls)
		}
	})
}

func TestWhoIsImpatientIsToldThatAnAnswerIsAwaited(t *testing.T) {
	bubble(t, Options{Patience: time.Second}, func(t *testing.T, s *stage) {
		s.running()
		s.plugin.took = 5 * time.Second
		s.expect("a", "", reconcile.ErrTokenUnknown)
		if first, again := s.why("a"), s.why("a"); again.Error() != first.Error() {
			t.Errorf("waiting is told in changing words: %v, %v", first, again)
		}
		s.expectNews()
		time.Sleep(2 * time.Second)
		s.expectNews("vault a")
		s.expect("a", "a-1")
		if s.plugin.calls("a") != 1 {
			t.Error("asked again while the first call was under way")
		}
	})
}

func TestWhoIsPatientWaitsForTheEndOfTheCall(t *testing.T) {
	bubble(t, Options{}, func(_ *testing.T, s *stage) {
		s.plugin.took = 9 * time.Second
		s.expect("a", "a-1")
	})
}

func TestWhoLeavesIsNotKept(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *stage) {
		s.plugin.took = 9 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Token(ctx, "vault", "a"); !errors.Is(err, reconcile.ErrTokenUnknown) {
			t.Error(err)
		}
	})
}

func TestATokenIsRefreshedBeforeItExpires(t *testing.T) {
	bubble(t, Options{}, func(_ *testing.T, s *stage) {
		s.running()
		s.plugin.gives = func(key string, call int) (answer, *failure) {
			given := tokenOf(fmt.Sprint(key, "-", call))
			given.expiry = time.Now().Add(time.Hour)
			return given, nil
		}
		s.expect("a", "a-1")
		s.expectNews("vault a")
		s.within("the refresh", s.until("a", 2), 53*time.Minute, 59*time.Minute)
		s.expect("a", "a-2")
		s.expectNews("vault a")
	})
}

func TestATokenOfAShortLifeIsRefreshedAtHalfOfIt(t *testing.T) {
	bubble(t, Options{}, func(_ *testing.T, s *stage) {
		s.running()
		s.plugin.gives = func(_ string, _ int) (answer, *failure) {
			given := tokenOf("same")
			given.expiry = time.Now().Add(30 * time.Second)
			return given, nil
		}
		s.expect("a", "same")
		s.within("the refresh", s.until("a", 2), 13*time.Second, 15*time.Second)
		s.expectNews("vault a") // the refresh gave the same token
	})
}

func TestATokenOfNoLifeToSpeakOfIsNotAskedForAllTheTime(t *testing.T) {
	bubble(t, Options{}, func(_ *testing.T, s *stage) {
		s.running()
		s.plugin.gives = func(_ string, _ int) (answer, *failure) {
			given := tokenOf("brief")
			given.expiry = time.Now().Add(time.Millisecond)
			return given, nil
		}
		s.expect("a", "brief")
		s.within("the refresh", s.until("a", 2), minPause, 2*minPause)
	})
}

func TestATokenWithoutAnExpiryIsAskedForNowAndThen(t *testing.T) {
	bubble(t, Options{}, func(_ *testing.T, s *stage) {
		s.running()
		s.expect("a", "a-1")
		second := s.until("a", 2)
		s.within("the second call", second, 270*time.Second, 5*time.Minute)
		s.within("the third call", s.until("a", 3)-second, 270*time.Second, 5*time.Minute)
	})
}

func TestAnOldTokenIsUsedUntilItExpiresWhileCallsFail(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *stage) {
		s.running()
		s.plugin.gives = func(key string, call int) (answer, *failure) {
			if call > 1 && call < 20 {
				return answer{}, failed(resultTimeout, "it hangs")
			}
			given := tokenOf(fmt.Sprint(key, "-", call))
			given.expiry = time.Now().Add(10 * time.Minute)
			return given, nil
		}
		s.expect("a", "a-1")
		s.expectNews("vault a")
		s.until("a", 2)
		s.expect("a", "a-1")
		s.expectNews()
		time.Sleep(10*time.Minute - time.Since(s.plugin.began))
		s.expectNews("vault a")
		s.expect("a", "", reconcile.ErrTokenMissing)
		if err := s.why("a"); errors.Is(err, reconcile.ErrTokenUnknown) || !strings.Contains(err.Error(), "has expired, and it hangs") {
			t.Errorf("that it has expired is known: %v", err)
		}
		s.until("a", 20)
		s.expect("a", "a-20")
		s.expectNews("vault a")
	})
}

func TestAnOldTokenWithoutAnExpiryStaysWhileCallsFail(t *testing.T) {
	bubble(t, Options{}, func(_ *testing.T, s *stage) {
		s.running()
		s.plugin.gives = func(string, int) (answer, *failure) { return tokenOf("old"), nil }
		s.expect("a", "old")
		s.plugin.gives = func(string, int) (answer, *failure) { return answer{}, invalidAnswer("it is bad") }
		s.until("a", 12)
		s.expect("a", "old")
	})
}

func TestAProvidersWordThatThereIsNoneTakesTheTokenAway(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *stage) {
		s.running()
		s.plugin.gives = func(_ string, call int) (answer, *failure) {
			if call == 2 {
				return answer{}, noToken()
			}
			return tokenOf("there"), nil
		}
		s.expect("a", "there")
		s.expectNews("vault a")
		s.until("a", 2)
		s.expectNews("vault a")
		s.expect("a", "", reconcile.ErrTokenMissing)
		if err := s.why("a"); errors.Is(err, reconcile.ErrTokenUnknown) {
			t.Error("the answer counts as none")
		}
		s.until("a", 3)
		s.expect("a", "there")
		s.expectNews("vault a")
	})
}

func TestCallsThatFailAreMadeAgainWithGrowingPauses(t *testing.T) {
	bubble(t, Options{Patience: time.Second}, func(_ *testing.T, s *stage) {
		s.running()
		s.plugin.gives = func(string, int) (answer, *failure) { return answer{}, failed(resultFailed, "exit status 1") }
		for s.plugin.calls("a") < 12 { // whoever looks for it often does not make it be asked for more often
			s.expect("a", "", reconcile.ErrTokenUnknown)
			time.Sleep(100 * time.Millisecond)
		}
		at := s.plugin.asked["a"]
		for i := 1; i < len(at); i++ {
			pause := maxPause
			if i <= 6 {
				pause = minPause << (i - 1)
			}
			s.within(fmt.Sprint("pause ", i), at[i]-at[i-1], pause, pause*13/10+200*time.Millisecond)
		}
	})
}

func TestAKeyThatNobodyLooksForIsForgotten(t *testing.T) {
	bubble(t, Options{Idle: 20 * time.Minute}, func(t *testing.T, s *stage) {
		s.running()
		s.expect("a", "a-1")
		s.expect("b", "b-1")
		for range 60 {
			time.Sleep(time.Minute)
			must(t, s.why("b"))
		}
		s.Set.mu.Lock()
		_, kept := s.entries[reference{"vault", "a"}]
		s.Set.mu.Unlock()
		if a, b := s.plugin.calls("a"), s.plugin.calls("b"); kept || a > 5 || b < 12 {
			t.Errorf("kept: %v, %d calls for the one that is not used, %d for the other", kept, a, b)
		}
	})
}

func TestClosingEndsTheCallsUnderWay(t *testing.T) {
	bubble(t, Options{Patience: time.Second}, func(t *testing.T, s *stage) {
		s.plugin.took = time.Hour
		for i := range 2 * maxCalls { // half of them wait for their turn
			s.expect(fmt.Sprint("k", i), "", reconcile.ErrTokenMissing)
		}
		before := time.Now()
		must(t, s.Close())
		if waited := time.Since(before); waited > 0 {
			t.Errorf("it took %v", waited)
		}
		s.expect("later", "", reconcile.ErrTokenMissing)
		if s.plugin.calls("later") != 0 {
			t.Error("asked after it was closed")
		}
	})
}

func TestWhatNobodyDeclaredIsDenied(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *stage) {
		for _, tt := range []struct {
			provider, key string
			kind          error
			says          string
		}{
			{"valt", "a", reconcile.ErrTokenDenied, "do you mean vault?"},
			{"gcp", "a", reconcile.ErrTokenDenied, "--token-providers does not declare"},
			{"vault", "-c", reconcile.ErrTokenInvalid, "key"},
			{"vault", "../a", reconcile.ErrTokenInvalid, "key"},
			{"vault", "a\x00b", reconcile.ErrTokenInvalid, "key"},
		} {
			_, err := s.Token(t.Context(), tt.provider, tt.key)
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s %q: %v", tt.provider, tt.key, err)
			}
		}
		if len(s.plugin.asked) > 0 || len(s.entries) > 0 {
			t.Errorf("asked %v", s.plugin.asked)
		}
	})
}

func TestCallsAreCountedByWhatTheyGave(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	bubble(t, Options{Registerer: registry}, func(t *testing.T, s *stage) {
		expiry := time.Now().Add(time.Hour)
		s.plugin.gives = func(key string, _ int) (answer, *failure) {
			switch key {
			case "hangs":
				return answer{}, failed(resultTimeout, "x")
			case "later":
				return answer{reconcile.NewToken("x"), expiry.Add(time.Hour)}, nil
			}
			return answer{reconcile.NewToken("x"), expiry}, nil
		}
		for _, key := range []string{"later", "sooner", "hangs"} {
			_, _ = s.Token(t.Context(), "vault", key)
		}
		want := fmt.Sprintf(`
# HELP credproxy_token_provider_next_expiry_timestamp_seconds When the first of a provider's tokens that are in use expires, in seconds since 1970; 0 if none says when.
# TYPE credproxy_token_provider_next_expiry_timestamp_seconds gauge
credproxy_token_provider_next_expiry_timestamp_seconds{provider="vault"} %v
# HELP credproxy_token_provider_requests_total Calls of a provider's command by what they gave.
# TYPE credproxy_token_provider_requests_total counter
credproxy_token_provider_requests_total{provider="vault",result="failed"} 0
credproxy_token_provider_requests_total{provider="vault",result="invalid"} 0
credproxy_token_provider_requests_total{provider="vault",result="missing"} 0
credproxy_token_provider_requests_total{provider="vault",result="success"} 2
credproxy_token_provider_requests_total{provider="vault",result="timeout"} 1
`, float64(expiry.Unix()))
		must(t, testutil.GatherAndCompare(registry, strings.NewReader(want),
			"credproxy_token_provider_next_expiry_timestamp_seconds", "credproxy_token_provider_requests_total"))
	})
}

func TestTheLogHasFailuresAndNoToken(t *testing.T) {
	var log bytes.Buffer
	bubble(t, Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}, func(_ *testing.T, s *stage) {
		s.running()
		s.plugin.gives = func(_ string, call int) (answer, *failure) {
			if call == 2 {
				return answer{}, failed(resultFailed, "exit status 7")
			}
			return tokenOf(secret), nil
		}
		s.expect("a", secret)
		s.until("a", 3)
	})
	lines := slices.Collect(strings.Lines(log.String()))
	if len(lines) != 1 || !strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[0], "exit status 7") || !strings.Contains(lines[0], "key=a") {
		t.Errorf("log: %q", lines)
	}
	if strings.Contains(log.String(), secret) {
		t.Error("the log holds the token")
	}
}
