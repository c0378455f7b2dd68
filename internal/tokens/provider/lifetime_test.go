package provider

import (
	"testing"
	"time"

	"credproxy.dev/controller/pkg/reconcile"
)

// wantLifetime checks what is told of the key a, from when the stage began.
func (s *stage) wantLifetime(renewal, expiry time.Duration) {
	s.t.Helper()
	want := reconcile.Lifetime{Renewal: s.plugin.began.Add(renewal), Expiry: s.plugin.began.Add(expiry)}
	if got := s.Lifetime("vault", "a"); !got.Renewal.Equal(want.Renewal) || !got.Expiry.Equal(want.Expiry) {
		s.t.Errorf("lifetime %v, want %v", got, want)
	}
}

func (s *stage) wantNoLifetime(why string) {
	s.t.Helper()
	if got := s.Lifetime("vault", "a"); got != (reconcile.Lifetime{}) {
		s.t.Errorf("%s: lifetime %v", why, got)
	}
}

func TestALifetimeBeginsAnewWithAnotherTokenOnly(t *testing.T) {
	bubble(t, Options{}, func(_ *testing.T, s *stage) {
		s.running()
		s.plugin.gives = func(_ string, call int) (answer, *failure) {
			given := tokenOf("same")
			given.expiry = s.plugin.began.Add(10 * time.Minute)
			if call >= 4 {
				given = tokenOf("next")
				given.expiry = s.plugin.began.Add(time.Hour)
			}
			return given, nil
		}
		s.wantNoLifetime("not asked for")
		s.expect("a", "same")
		s.wantLifetime(9*time.Minute, 10*time.Minute)
		s.until("a", 3)
		s.wantLifetime(9*time.Minute, 10*time.Minute)
		s.until("a", 4)
		s.wantLifetime(59*time.Minute, time.Hour)
	})
}

func TestTheLifetimeOfATokenThatHasExpiredIsToldUntilThereIsAnother(t *testing.T) {
	bubble(t, Options{}, func(_ *testing.T, s *stage) {
		s.running()
		s.plugin.gives = func(_ string, call int) (answer, *failure) {
			if call > 1 {
				return answer{}, failed(resultTimeout, "it hangs")
			}
			given := tokenOf("only")
			given.expiry = s.plugin.began.Add(10 * time.Minute)
			return given, nil
		}
		s.expect("a", "only")
		time.Sleep(11 * time.Minute)
		s.expect("a", "", reconcile.ErrTokenMissing)
		s.wantLifetime(9*time.Minute, 10*time.Minute)
	})
}

func TestATokenThatIsGoneOrDoesNotSayHasNoLifetime(t *testing.T) {
	bubble(t, Options{}, func(_ *testing.T, s *stage) {
		s.running()
		s.plugin.gives = func(_ string, call int) (answer, *failure) {
			switch call {
			case 1:
				given := tokenOf("first")
				given.expiry = s.plugin.began.Add(10 * time.Minute)
				return given, nil
			case 2:
				return answer{}, failed(resultMissing, "there is none")
			}
			return tokenOf("endless"), nil
		}
		s.expect("a", "first")
		s.until("a", 2)
		s.wantNoLifetime("gone")
		s.until("a", 3)
		s.expect("a", "endless")
		s.wantNoLifetime("it does not say")
	})
}

func TestATokenIsAsOldAsItsFirstGiving(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, s *stage) {
		s.running()
		s.plugin.gives = func(_ string, call int) (answer, *failure) {
			switch call {
			case 1, 2:
				return tokenOf("first"), nil
			case 3:
				return tokenOf("second"), nil
			}
			return answer{}, failed(resultMissing, "there is none")
		}
		if got := s.Changed("vault", "a"); !got.IsZero() {
			t.Errorf("before it was asked for: %v", got)
		}
		s.expect("a", "first")
		s.until("a", 2)
		if got := s.Changed("vault", "a"); !got.Equal(s.plugin.began) {
			t.Errorf("the same token again: %v, want %v", got, s.plugin.began)
		}
		at := s.until("a", 3)
		if got := s.Changed("vault", "a"); got.Sub(s.plugin.began) < at {
			t.Errorf("another token, asked for after %v: %v after the beginning", at, got.Sub(s.plugin.began))
		}
		s.until("a", 4)
		if got := s.Changed("vault", "a"); !got.IsZero() {
			t.Errorf("once there is none: %v", got)
		}
	})
}
