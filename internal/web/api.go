package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// resource is the plural under which CredProxy objects are served.
const resource = "credproxies"

// EventList is the answer of /api/v1alpha1/events.
type EventList struct {
	metav1.TypeMeta `json:",inline"`
	Items           []reconcile.Event `json:"items"`
}

// SourceList is the answer of /api/v1alpha1/sources.
type SourceList struct {
	metav1.TypeMeta `json:",inline"`
	Items           []source.FileStatus `json:"items"`
	// ScanError says why not every file could be read; empty when all were.
	ScanError string `json:"scanError,omitempty"`
}

func api(opts Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(apiPrefix+resource, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, spec.CredProxyList{
			TypeMeta: typeMeta(spec.ListKind), Items: append([]spec.CredProxy{}, opts.Controller.List()...),
		})
	})
	mux.HandleFunc(apiPrefix+resource+"/{name}", func(w http.ResponseWriter, r *http.Request) {
		getOne(w, r.PathValue("name"), opts.Controller)
	})
	mux.HandleFunc(apiPrefix+"events", func(w http.ResponseWriter, r *http.Request) {
		listEvents(w, r.URL.Query().Get("since"), opts.Controller)
	})
	mux.HandleFunc(apiPrefix+"sources", func(w http.ResponseWriter, _ *http.Request) {
		read, err := opts.Sources()
		list := SourceList{TypeMeta: typeMeta("SourceList"), Items: files(read)}
		if err != nil {
			list.ScanError = err.Error()
		}
		writeJSON(w, http.StatusOK, list)
	})
	mux.HandleFunc("/", notFound)
	return mux
}

// listEvents answers with the events after the one that a number names, or with all when there is none.
func listEvents(w http.ResponseWriter, since string, controller Controller) {
	var after int64
	if since != "" {
		var err error
		if after, err = strconv.ParseInt(since, 10, 64); err != nil {
			writeStatus(w, http.StatusBadRequest, "since is not the sequence of an event, which is a whole number")
			return
		}
	}
	writeJSON(w, http.StatusOK, EventList{TypeMeta: typeMeta("EventList"), Items: later(controller.Events(), after)})
}

// later returns the events after a number. One that was not reached yet is not this controller's, but of one before
// it whose clock was ahead: everything is later than that.
func later(events []reconcile.Event, number int64) []reconcile.Event {
	out := append([]reconcile.Event{}, events...)
	if len(out) == 0 || number > out[len(out)-1].Sequence {
		return out
	}
	return slices.DeleteFunc(out, func(e reconcile.Event) bool { return e.Sequence <= number })
}

func getOne(w http.ResponseWriter, name string, controller Controller) {
	one, ok := controller.Get(name)
	if !ok {
		msg := fmt.Sprintf("%s.%s %q not found", resource, spec.Group, name)
		writeStatus(w, http.StatusNotFound, msg)
		return
	}
	one.TypeMeta = typeMeta(spec.Kind)
	writeJSON(w, http.StatusOK, one)
}

// files returns a copy in which no list is null.
func files(in []source.FileStatus) []source.FileStatus {
	out := append([]source.FileStatus{}, in...)
	for i := range out {
		out[i].Errors = append([]spec.Problem{}, out[i].Errors...)
		out[i].Declares = append([]string{}, out[i].Declares...)
	}
	return out
}

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: spec.APIVersion, Kind: kind}
}

// reason is the one that Kubernetes gives with a code.
func reason(code int) metav1.StatusReason {
	switch code {
	case http.StatusBadRequest:
		return metav1.StatusReasonBadRequest
	case http.StatusForbidden:
		return metav1.StatusReasonForbidden
	case http.StatusNotFound:
		return metav1.StatusReasonNotFound
	case http.StatusMethodNotAllowed:
		return metav1.StatusReasonMethodNotAllowed
	case http.StatusMisdirectedRequest:
		return "MisdirectedRequest"
	}
	return metav1.StatusReasonUnknown
}

// writeStatus answers a failure as a Kubernetes Status, which is what clients of such an API know to read.
func writeStatus(w http.ResponseWriter, code int, message string) {
	writeJSON(w, code, metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure,
		Message:  message,
		Reason:   reason(code),
		Code:     int32(code),
	})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, "the answer could not be written as JSON", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n'))
}
