package app

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"credproxy.dev/controller/internal/buildinfo"
	"credproxy.dev/controller/pkg/source"
)

// newRegistry has the process's own metrics and which build it is.
func newRegistry(build buildinfo.Info) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	info := buildInfo().NewGaugeVec()
	info.WithLabelValues(build.Version, build.GoVersion).Set(1)
	reg.MustRegister(info, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// fileMetrics are about the files.
type fileMetrics struct {
	specs    *prometheus.GaugeVec
	lastScan prometheus.Gauge
}

func newFileMetrics(reg prometheus.Registerer, watchErr func() error) *fileMetrics {
	m := &fileMetrics{specs: specsGauge().NewGaugeVec(), lastScan: lastScan().NewGauge()}
	watchUp := watchUp().NewGaugeFunc(func() float64 {
		if watchErr() != nil {
			return 0
		}
		return 1
	})
	reg.MustRegister(m.specs, m.lastScan, watchUp)
	m.count(source.Snapshot{})
	return m
}

// record shows one scan.
func (m *fileMetrics) record(s source.Snapshot) {
	m.count(s)
	if s.Complete {
		m.lastScan.Set(float64(s.At.UnixNano()) / 1e9)
	}
}

func (m *fileMetrics) count(s source.Snapshot) {
	var valid, paused int
	for _, object := range s.Specs {
		if object.CredProxy.Paused() {
			paused++
		} else {
			valid++
		}
	}
	m.specs.WithLabelValues(specsValid).Set(float64(valid))
	m.specs.WithLabelValues(specsPaused).Set(float64(paused))
	m.specs.WithLabelValues(specsDuplicate).Set(float64(len(s.Duplicates)))
	m.specs.WithLabelValues(specsInvalid).Set(float64(invalid(s)))
}

// invalid counts the named objects that are not valid, and one for each bad file that is not counted by a name.
func invalid(s source.Snapshot) int {
	n := len(s.Invalid)
	counted := map[string]bool{}
	for _, object := range s.Invalid {
		counted[object.File] = true
	}
	for _, dup := range s.Duplicates {
		for _, place := range dup.Places {
			counted[place[:max(0, strings.LastIndex(place, ":"))]] = true
		}
	}
	for _, file := range s.Files {
		if file.State == source.FileInvalid && !counted[file.Path] {
			n++
		}
	}
	return n
}
