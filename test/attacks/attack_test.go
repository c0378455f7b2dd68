package attacks

import (
	"log"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// attack is one thing that somebody hostile tries.
type attack struct {
	// name is unique. cost is what it would have cost, had it worked.
	name, cost string
	// set changes the usual scene before the sidecar starts.
	set func(*stage)
	// slow has time stand still until everybody waits, and then jump: for attacks that take their time.
	slow bool

	// sends is what an agent sends on one connection, byte for byte.
	sends string
	// gets are the answers to it in their order, as answer.status has them, and no other may come.
	gets []string
	// framed is what he sends instead on a connection of HTTP/2 with prior knowledge, step by step, and what he gets.
	framed []step
	// closes is whether the connection has to end behind them. Otherwise it has to serve one honest request more, so that nothing of
	// what was sent is left on it.
	closes bool
	// arrives is what upstreams receive of it, as request.String has it, in any order. Honest requests are left out.
	arrives []string
	// may are what may be received besides, any number of times: how far a request gets before it is taken back is a matter of
	// milliseconds.
	may []string

	// does is what is done otherwise, or besides.
	does func(*scene)
	// shows looks at the answers, and finds at what has arrived.
	shows func(*scene, []answer)
	finds func(*scene, []*request)
}

// families are all attacks by what they abuse.
func families() map[string][]attack {
	return map[string][]attack{
		"hop-by-hop":   hopByHop(),
		"credentials":  credentials(),
		"smuggling":    smuggling(),
		"chunks":       chunks(),
		"paths":        paths(),
		"policies":     policies(),
		"targets":      targets(),
		"echoes":       echoes(),
		"upgrades":     upgrades(),
		"destinations": destinations(),
		"redirects":    redirects(),
		"responses":    responses(),
		"injections":   injections(),
		"trailers":     trailers(),
		"callers":      callers(),
		"neighbours":   neighbours(),
		"sizes":        sizes(),
		"slow":         slow(),
		"says":         says(),
		"generations":  generations(),
		"http2":        overHTTP2(),
	}
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// After some answers net/http rests half a second before it closes, and nothing can hurry it.
		goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

func TestAttacks(t *testing.T) {
	index, err := hunt()
	if err != nil {
		t.Fatal(err)
	}
	standard := newSink()
	log.SetOutput(standard)
	for family, attacks := range families() {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			for _, a := range attacks {
				t.Run(a.name, func(t *testing.T) {
					t.Parallel()
					if a.slow {
						synctest.Test(t, func(t *testing.T) {
							a.try(t, index, standard)
							<-time.After(time.Minute) // in which connections end that are told to first
						})
						return
					}
					a.try(t, index, standard)
				})
			}
		})
	}
}

// TestAttacksAreManyAndSayWhatTheyWouldHaveCost holds the table to its form.
func TestAttacksAreManyAndSayWhatTheyWouldHaveCost(t *testing.T) {
	seen := map[string]bool{}
	for family, attacks := range families() {
		for _, a := range attacks {
			if seen[a.name] {
				t.Errorf("two attacks are called %s", a.name)
			}
			seen[a.name] = true
			if a.name == "" || len(a.cost) < 10 || strings.ContainsAny(a.cost, "\n|") || strings.Contains(a.name, "/") {
				t.Errorf("%s: %q has to say in a line what it would have cost: %q", family, a.name, a.cost)
			}
			if a.does == nil && len(a.framed) == 0 && (a.sends == "" || len(a.gets) == 0 && !a.closes) {
				t.Errorf("%s does nothing, or expects nothing", a.name)
			}
		}
	}
	if len(seen) < 80 {
		t.Errorf("there are but %d attacks", len(seen))
	}
}
