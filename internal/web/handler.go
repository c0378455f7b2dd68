package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// Controller is what the API shows.
type Controller interface {
	List() []spec.CredProxy
	Get(name string) (spec.CredProxy, bool)
	Events() []reconcile.Event
}

// Options are what the handler serves, and to whom.
type Options struct {
	Controller Controller
	// Sources returns every file of the last scan, and why that was not complete.
	Sources func() ([]source.FileStatus, error)
	// Ready returns nil when the controller is ready; otherwise why not.
	Ready func() error
	// Metrics is what /metrics shows, and where its own errors are counted.
	Metrics interface {
		prometheus.Gatherer
		prometheus.Registerer
	}
	// AllowedHosts are names, without ports, by which the server may be asked, besides loopback ones.
	AllowedHosts []string
	// Remote says that the listener is not on a loopback address.
	Remote bool
	// AllowRemoteAPI serves the API on such a listener too.
	AllowRemoteAPI bool
}

const apiPrefix = "/api/" + spec.Version + "/"

// Greeting begins the page at the root, by which a controller is known.
const Greeting = "The credential-proxy controller."

// endpoints is the page at the root.
const endpoints = Greeting + ` It answers GET and HEAD:

/metrics                           metrics in Prometheus' text format
/healthz                           the process answers
/readyz                            the engine answers, the directory can be read, and everything declared was looked at once
` + apiPrefix + `credproxies        every declared CredProxy with its status
` + apiPrefix + `credproxies/NAME   one of them
` + apiPrefix + `events             what was done and what was refused, oldest first; ?since=N begins after that sequence
` + apiPrefix + `sources            every file and what is wrong with it
`

// Handler serves every page, behind the checks of guard.
func Handler(opts Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, endpoints) })
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("/readyz", readyz(opts.Ready))
	mux.Handle("/metrics", promhttp.HandlerFor(opts.Metrics, promhttp.HandlerOpts{
		Registry:            opts.Metrics,
		MaxRequestsInFlight: 8,
	}))
	mux.Handle("/api/", localOnly(opts, api(opts)))
	mux.HandleFunc("/", notFound)
	return guard(opts.AllowedHosts, mux)
}

func readyz(ready func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(); err != nil {
			writeText(w, http.StatusServiceUnavailable, "not ready: "+err.Error()+"\n")
			return
		}
		writeText(w, http.StatusOK, "ok\n")
	}
}

func notFound(w http.ResponseWriter, r *http.Request) {
	msg := fmt.Sprintf("there is no page %q here; / lists those that there are", r.URL.Path)
	writeStatus(w, http.StatusNotFound, msg)
}

// localOnly refuses the API on an address that others than this machine's users can reach: what it tells, such
// as the names of upstreams and networks, is of use to an attacker.
func localOnly(opts Options, next http.Handler) http.Handler {
	if !opts.Remote || opts.AllowRemoteAPI {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeStatus(w, http.StatusForbidden, "the API is not served on an address that is not loopback; start the "+
			"controller with --allow-remote-api to serve it, or with --listen 127.0.0.1:8099 to keep it here")
	})
}

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = strings.NewReader(text).WriteTo(w)
}
