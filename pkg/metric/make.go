package metric

import (
	"maps"

	"github.com/prometheus/client_golang/prometheus"
)

// NewCounter makes the counter of a Family without labels.
func (f Family) NewCounter() prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts(f.opts()))
}

// NewCounterVec makes a counter by labels. The series that are known beforehand are there, at zero.
func (f Family) NewCounterVec() *prometheus.CounterVec {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts(f.opts()), f.labelNames())
	for _, values := range f.known() {
		vec.WithLabelValues(values...)
	}
	return vec
}

// NewGauge makes the gauge of a Family without labels.
func (f Family) NewGauge() prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts(f.opts()))
}

// NewGaugeVec makes a gauge by labels. The series that are known beforehand are there, at zero.
func (f Family) NewGaugeVec() *prometheus.GaugeVec {
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts(f.opts()), f.labelNames())
	for _, values := range f.known() {
		vec.WithLabelValues(values...)
	}
	return vec
}

// NewGaugeFunc makes a gauge that is asked for at each scrape. It has the values of the labels.
func (f Family) NewGaugeFunc(value func() float64, labels ...string) prometheus.GaugeFunc {
	opts := prometheus.GaugeOpts(f.opts())
	opts.ConstLabels = prometheus.Labels{}
	maps.Copy(opts.ConstLabels, f.Constant)
	for i, name := range f.labelNames() {
		opts.ConstLabels[name] = labels[i] //nolint:gosec // one for each label, as with WithLabelValues
	}
	return prometheus.NewGaugeFunc(opts, value)
}

// NewHistogram makes the histogram of a Family without labels.
func (f Family) NewHistogram() prometheus.Histogram {
	return prometheus.NewHistogram(f.histogramOpts())
}

// NewHistogramVec makes a histogram by labels. The series that are known beforehand are there, at zero.
func (f Family) NewHistogramVec() *prometheus.HistogramVec {
	vec := prometheus.NewHistogramVec(f.histogramOpts(), f.labelNames())
	for _, values := range f.known() {
		vec.WithLabelValues(values...)
	}
	return vec
}

// NewDesc describes the Family to a collector that makes its series at each scrape.
func (f Family) NewDesc() *prometheus.Desc {
	return prometheus.NewDesc(f.Name, f.Help, f.labelNames(), f.Constant)
}

func (f Family) opts() prometheus.Opts {
	return prometheus.Opts{Name: f.Name, Help: f.Help, ConstLabels: f.Constant}
}

func (f Family) histogramOpts() prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: f.Name, Help: f.Help, ConstLabels: f.Constant, Buckets: f.Buckets}
}
