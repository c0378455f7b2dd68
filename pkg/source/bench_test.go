package source

import (
	"fmt"
	"testing"
)

// BenchmarkScan scans 1,000 files in 50 folders: unchanged since the last scan, and for the first time.
func BenchmarkScan(b *testing.B) {
	f := newFolder(b)
	for n := range 1000 {
		f.write(fmt.Sprintf("env-%d/web-%d.yaml", n%50, n), good(fmt.Sprintf("web-%d", n)))
	}
	scan := func(b *testing.B, s *Source) {
		b.Helper()
		if snap := s.Scan(b.Context()); !snap.Complete || len(snap.Specs) != 1000 {
			b.Fatalf("%d specs, %v", len(snap.Specs), snap.Err)
		}
	}
	b.Run("unchanged", func(b *testing.B) {
		s := f.source()
		scan(b, s)
		b.ReportAllocs()
		for b.Loop() {
			scan(b, s)
		}
	})
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			scan(b, f.source())
		}
	})
}
