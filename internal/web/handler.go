package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"credproxy.dev/controller/internal/page"
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
	// Bell is rung when something changes that the pages show; nil when it never is.
	Bell *page.Bell
	// Instance and Version say which controller it is.
	Instance, Version string
	// AllowedHosts are names, without ports, by which the server may be asked, besides loopback ones.
	AllowedHosts []string
	// Remote says that the listener is not on a loopback address.
	Remote bool
	// AllowRemoteAPI serves the API on such a listener too.
	AllowRemoteAPI bool
}

const apiPrefix = "/api/" + spec.Version + "/"

// Greeting begins the list of pages, by which a controller is known to who asks for the root as text/plain.
const Greeting = "The credential-proxy controller."

// endpoints is the list of pages.
const endpoints = Greeting + ` It answers GET and HEAD:

/                                  the status page, for people; this list for who asks for text/plain
/environments/NAME                 all that is known of one environment
/files                             every file and what is wrong with it
/events                            what was done and what was refused, the newest first
/metrics                           metrics in Prometheus' text format
/healthz                           the process answers
/readyz                            the engine answers, the directory can be read, and everything declared was looked at once
` + apiPrefix + `credproxies        every declared CredProxy with its status
` + apiPrefix + `credproxies/NAME   one of them
` + apiPrefix + `events             what was done and what was refused, oldest first; ?since=N begins after that sequence
` + apiPrefix + `sources            every file and what is wrong with it
`

// Handler serves every page, behind the checks of guard.
func Handler(opts Options) (http.Handler, error) {
	site, err := page.Handler(page.Options{
		Controller: opts.Controller, Sources: opts.Sources, Ready: opts.Ready, Bell: opts.Bell, Instance: opts.Instance, Version: opts.Version,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", localOnly(opts, site))
	mux.Handle("/{$}", root(opts, site))
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("/readyz", readyz(opts.Ready))
	mux.Handle("/metrics", promhttp.HandlerFor(opts.Metrics, promhttp.HandlerOpts{
		Registry:            opts.Metrics,
		MaxRequestsInFlight: 8,
	}))
	mux.Handle("/api/", localOnly(opts, api(opts)))
	return guard(opts.AllowedHosts, mux), nil
}

// root is the status page; for who asks for plain text, and where the page is not served, it is the list of pages.
func root(opts Options, site http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept")
		if strings.HasPrefix(r.Header.Get("Accept"), "text/plain") || opts.remoteOnly() {
			writeText(w, http.StatusOK, endpoints)
			return
		}
		site.ServeHTTP(w, r)
	})
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

// remoteOnly reports whether only what others may see is served.
func (o Options) remoteOnly() bool { return o.Remote && !o.AllowRemoteAPI }

// localOnly refuses the API and the status page on an address that others than this machine's users can reach: what it tells, such
// as the names of upstreams and networks, is of use to an attacker.
func localOnly(opts Options, next http.Handler) http.Handler {
	if !opts.remoteOnly() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeStatus(w, http.StatusForbidden, "neither the API nor the status page is served on an address that is not loopback; start the "+
			"controller with --allow-remote-api to serve it, or with --listen 127.0.0.1:8099 to keep it here")
	})
}

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = strings.NewReader(text).WriteTo(w)
}
