package model

import (
	"time"

	"pgregory.net/rapid"
)

// even draws the numbers below n about equally often. rapid prefers small ones, with which scripts would be of few kinds. What one
// seed gives differs with the salt.
func even(n int, salt uint64) *rapid.Generator[int] {
	return rapid.Map(rapid.Uint64(), func(x uint64) int { return int((x + salt) * 0x9e3779b97f4a7c15 >> 33 % uint64(n)) })
}

// scripts draws scripts.
func scripts(salt uint64) *rapid.Generator[script] {
	var weighted []int
	for i, k := range kinds() {
		for range k.weight {
			weighted = append(weighted, i)
		}
	}
	rests := []time.Duration{0, 3 * time.Millisecond, 105 * time.Millisecond, time.Second, time.Second, 4 * time.Second, 40 * time.Second}
	ops := rapid.Custom(func(t *rapid.T) op {
		return op{
			kind:    weighted[even(len(weighted), salt).Draw(t, "kind")],
			name:    names()[even(len(names()), salt).Draw(t, "name")],
			variant: even(1000, salt).Draw(t, "variant"),
			rest:    rests[even(len(rests), salt).Draw(t, "rest")],
		}
	})
	return rapid.Custom(func(t *rapid.T) script {
		return script{
			workers:   rapid.SampledFrom([]int{1, 3}).Draw(t, "workers"),
			inhabited: rapid.Bool().Draw(t, "inhabited"),
			ops:       rapid.SliceOfN(ops, 10, 50).Draw(t, "ops"),
			tidy:      rapid.Bool().Draw(t, "tidy"),
		}
	})
}
