package web_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/web"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// oneSpec is a controller that knows the spec "web".
type oneSpec struct{}

func (oneSpec) List() []spec.CredProxy {
	return []spec.CredProxy{{ObjectMeta: metav1.ObjectMeta{Name: "web"}}}
}

func (oneSpec) Get(name string) (spec.CredProxy, bool) {
	return spec.CredProxy{ObjectMeta: metav1.ObjectMeta{Name: name}}, name == "web"
}

func (oneSpec) Events() []reconcile.Event { return nil }

func options() web.Options {
	return web.Options{
		Controller: oneSpec{},
		Sources: func() ([]source.FileStatus, error) {
			return []source.FileStatus{{Path: "web.yaml", State: source.FileValid}}, nil
		},
		Ready:   func() error { return nil },
		Metrics: prometheus.NewPedanticRegistry(),
	}
}

func handler(t *testing.T, opts web.Options) http.Handler {
	t.Helper()
	h, err := web.Handler(opts)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ask(t *testing.T, opts web.Options, method, url string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, url, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler(t, opts).ServeHTTP(w, r)
	return w
}

func TestOnlyThoseWhoMayAskAreAnswered(t *testing.T) {
	const metrics, list = "http://localhost:8099/metrics", "http://127.0.0.1:8099/api/v1alpha1/credproxies"
	remote := func(o *web.Options) { o.Remote = true }
	tests := map[string]struct {
		change func(*web.Options)
		method string
		url    string
		header []string
		want   int
	}{
		"a scrape by name":                     {url: metrics, want: 200},
		"a scrape by address":                  {url: "http://127.0.0.1/metrics", want: 200},
		"another loopback address":             {url: "http://127.8.8.8:1/metrics", want: 200},
		"IPv6 loopback":                        {url: "http://[::1]:8099/metrics", want: 200},
		"IPv4 in IPv6":                         {url: "http://[::ffff:127.0.0.1]:8099/metrics", want: 200},
		"odd case and a final dot":             {url: "http://LocalHost.:8099/metrics", want: 200},
		"a name rebound to us":                 {url: "http://evil.example:8099/metrics", want: 421},
		"a name that ends like ours":           {url: "http://xlocalhost/metrics", want: 421},
		"a name that begins like ours":         {url: "http://127.0.0.1.evil.example/metrics", want: 421},
		"another machine's address":            {url: "http://192.0.2.1/metrics", want: 421},
		"a name that the operator listed":      {change: func(o *web.Options) { o.AllowedHosts = []string{"Ctl.lan"} }, url: "http://ctl.lan:8099/metrics", want: 200},
		"a name that the operator did not":     {change: func(o *web.Options) { o.AllowedHosts = []string{"ctl.lan"} }, url: "http://other.lan/metrics", want: 421},
		"fetched by another site":              {url: list, header: []string{"Sec-Fetch-Site", "cross-site"}, want: 403},
		"fetched by another port's page":       {url: list, header: []string{"Sec-Fetch-Site", "same-site"}, want: 403},
		"fetched by an unknown kind of site":   {url: list, header: []string{"Sec-Fetch-Site", "nearby"}, want: 403},
		"typed into the address bar":           {url: list, header: []string{"Sec-Fetch-Site", "none"}, want: 200},
		"fetched by our own page":              {url: list, header: []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:8099"}, want: 200},
		"a foreign origin":                     {url: list, header: []string{"Origin", "https://evil.example"}, want: 403},
		"an origin of another port":            {url: list, header: []string{"Origin", "http://127.0.0.1:3000"}, want: 403},
		"an origin without a name":             {url: list, header: []string{"Origin", "null"}, want: 403},
		"HEAD":                                 {method: "HEAD", url: list, want: 200},
		"POST":                                 {method: "POST", url: list, want: 405},
		"DELETE of a page that is not there":   {method: "DELETE", url: list + "/x/y", want: 405},
		"a preflight":                          {method: "OPTIONS", url: list, want: 405},
		"the API from elsewhere":               {change: remote, url: list, want: 403},
		"an unknown API page from elsewhere":   {change: remote, url: list + "/web/x", want: 403},
		"metrics from elsewhere":               {change: remote, url: metrics, want: 200},
		"health from elsewhere":                {change: remote, url: "http://localhost/healthz", want: 200},
		"readiness from elsewhere":             {change: remote, url: "http://localhost/readyz", want: 200},
		"the API from elsewhere when opened":   {change: func(o *web.Options) { o.Remote, o.AllowRemoteAPI = true, true }, url: list, want: 200},
		"a page that is not there":             {url: "http://localhost/nothing", want: 404},
		"an API page that is not there":        {url: "http://localhost/api/v1alpha1/nothing", want: 404},
		"a spec that is not there":             {url: list + "/nobody", want: 404},
		"a spec that is there":                 {url: list + "/web", want: 200},
		"something below a spec":               {url: list + "/web/status", want: 404},
		"the profiler, which is not ours":      {url: "http://localhost/debug/pprof/", want: 404},
		"the status page":                      {url: "http://localhost/", want: 200},
		"an environment's page":                {url: "http://localhost/environments/web", want: 200},
		"the page of one that is not there":    {url: "http://localhost/environments/nobody", want: 404},
		"the files' page":                      {url: "http://localhost/files", want: 200},
		"the events' page":                     {url: "http://localhost/events?type=Warning", want: 200},
		"a filter that is none":                {url: "http://localhost/?state=x", want: 400},
		"the page by a rebound name":           {url: "http://evil.example:8099/", want: 421},
		"the page from another site":           {url: "http://localhost/", header: []string{"Sec-Fetch-Site", "cross-site"}, want: 403},
		"the page in a foreign frame":          {url: "http://localhost/", header: []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Dest", "iframe"}, want: 403},
		"changes for another site":             {url: "http://localhost/changes", header: []string{"Origin", "https://evil.example"}, want: 403},
		"HEAD of the page":                     {method: "HEAD", url: "http://localhost/", want: 200},
		"HEAD of changes":                      {method: "HEAD", url: "http://localhost/changes", want: 200},
		"POST to the page":                     {method: "POST", url: "http://localhost/", want: 405},
		"POST to an environment":               {method: "POST", url: "http://localhost/environments/web", want: 405},
		"the page from elsewhere is a list":    {change: remote, url: "http://localhost/", want: 200},
		"an environment from elsewhere":        {change: remote, url: "http://localhost/environments/web", want: 403},
		"changes from elsewhere":               {change: remote, url: "http://localhost/changes", want: 403},
		"the files from elsewhere":             {change: remote, url: "http://localhost/files", want: 403},
		"an encoded slash in a name":           {url: list + "/..%2f..%2fetc", want: 404},
		"events":                               {url: "http://localhost/api/v1alpha1/events", want: 200},
		"sources":                              {url: "http://localhost/api/v1alpha1/sources", want: 200},
		"a rebound name is refused before all": {method: "POST", url: "http://evil.example/nothing", want: 421},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			opts := options()
			if tt.change != nil {
				tt.change(&opts)
			}
			method := tt.method
			if method == "" {
				method = "GET"
			}
			resp := ask(t, opts, method, tt.url, tt.header...)
			if resp.Code != tt.want {
				t.Fatalf("got %d, want %d:\n%s", resp.Code, tt.want, resp.Body.String())
			}
			if resp.Code == http.StatusMethodNotAllowed && resp.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow is %q", resp.Header().Get("Allow"))
			}
			for h, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
				if got := resp.Header().Get(h); got != want {
					t.Errorf("%s is %q, want %q", h, got, want)
				}
			}
			if csp := resp.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
				t.Errorf("Content-Security-Policy is %q", csp)
			}
		})
	}
}

func TestAnswersSayTheirKindAndHaveNoNullLists(t *testing.T) {
	tests := map[string]struct{ path, kind, contains string }{
		"list":        {"/api/v1alpha1/credproxies", "CredProxyList", `"name": "web"`},
		"one":         {"/api/v1alpha1/credproxies/web", "CredProxy", `"apiVersion": "credproxy.dev/v1alpha1"`},
		"events":      {"/api/v1alpha1/events", "EventList", `"items": []`},
		"sources":     {"/api/v1alpha1/sources", "SourceList", `"errors": []`},
		"not found":   {"/api/v1alpha1/credproxies/nobody", "Status", `"reason": "NotFound"`},
		"nobody's":    {"/api/v1alpha1/pods", "Status", `"code": 404`},
		"nobody's v1": {"/api/v1/credproxies", "Status", `"status": "Failure"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			resp := ask(t, options(), "GET", "http://localhost"+tt.path)
			text := resp.Body.String()
			var meta metav1.TypeMeta
			if err := json.Unmarshal([]byte(text), &meta); err != nil {
				t.Fatal(err)
			}
			if meta.Kind != tt.kind || meta.APIVersion == "" || !strings.Contains(text, tt.contains) {
				t.Errorf("want kind %s and %s in:\n%s", tt.kind, tt.contains, text)
			}
			if got := resp.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type is %q", got)
			}
		})
	}
}

// busy is a controller that has told of three things.
type busy struct{ oneSpec }

func (busy) Events() []reconcile.Event {
	return []reconcile.Event{{Sequence: 7, Message: "a"}, {Sequence: 8, Message: "b"}, {Sequence: 9, Message: "c"}}
}

func TestEventsAfterANumberAreToldOnce(t *testing.T) {
	opts := options()
	opts.Controller = busy{}
	tests := map[string]struct {
		query string
		code  int
		want  string
	}{
		"all of them":                           {"", 200, "abc"},
		"after none":                            {"?since=0", 200, "abc"},
		"after those that are not kept":         {"?since=3", 200, "abc"},
		"after the first":                       {"?since=7", 200, "bc"},
		"after the last":                        {"?since=9", 200, ""},
		"after one of a clock that ran ahead":   {"?since=10", 200, "abc"},
		"after something that is not a number":  {"?since=x", 400, ""},
		"after something that is no whole one":  {"?since=7.5", 400, ""},
		"after a number that nothing can reach": {"?since=99999999999999999999", 400, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			resp := ask(t, opts, "GET", "http://localhost/api/v1alpha1/events"+tt.query)
			var list web.EventList
			if err := json.Unmarshal(resp.Body.Bytes(), &list); err != nil {
				t.Fatal(err)
			}
			var got string
			for _, e := range list.Items {
				got += e.Message
			}
			if resp.Code != tt.code || got != tt.want {
				t.Errorf("got %d with %q, want %d with %q", resp.Code, got, tt.code, tt.want)
			}
		})
	}
}

func TestReadyzSaysWhyNot(t *testing.T) {
	opts := options()
	opts.Ready = func() error { return errors.New("the engine at unix:///x.sock does not answer") }
	resp := ask(t, opts, "GET", "http://localhost/readyz")
	if text := resp.Body.String(); resp.Code != http.StatusServiceUnavailable || !strings.Contains(text, "unix:///x.sock does not answer") {
		t.Errorf("got %d: %s", resp.Code, text)
	}
}

func TestTheRootIsAPageForPeopleAndAListForOthers(t *testing.T) {
	remote := options()
	remote.Remote = true
	opened := remote
	opened.AllowRemoteAPI = true
	for name, tt := range map[string]struct {
		opts   web.Options
		accept string
		list   bool
	}{
		"a browser": {options(), "text/html,application/xhtml+xml,*/*;q=0.8", false}, "anybody": {options(), "", false}, "curl": {options(), "*/*", false},
		"who asks for text": {options(), "text/plain", true}, "a browser elsewhere": {remote, "text/html", true}, "one that may": {opened, "text/html", false},
	} {
		answer := ask(t, tt.opts, "GET", "http://localhost/", "Accept", tt.accept)
		if got := strings.HasPrefix(answer.Body.String(), web.Greeting); got != tt.list || answer.Header().Get("Vary") != "Accept" {
			t.Errorf("%s gets, a list: %v, %v", name, got, answer.Header())
		}
	}
}
