package docs

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/internal/buildinfo"
	"credproxy.dev/controller/pkg/dockerdriver"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
)

// metric is what a page says of one, or what a controller shows.
type metric struct {
	Type   string
	Labels string
}

// ourMetric matches names of ours, and those that dashboards of others know.
const ourMetric = `(?:credproxy|controller_runtime|workqueue)_[a-z_]+`

func TestThePageOfTheMetricsIsTrue(t *testing.T) {
	if diff := cmp.Diff(shown(t), described(t)); diff != "" {
		t.Errorf("metrics (-of a controller, +in docs/metrics.md):\n%s", diff)
	}
}

func TestWhatMetricsNameIsDescribed(t *testing.T) {
	page := read(t, "docs/metrics.md")
	for _, step := range reconcile.StepNames() {
		if !strings.Contains(page, "| `"+string(step)+"` |") {
			t.Errorf("docs/metrics.md does not describe the step %s", step)
		}
	}
	for _, kind := range reconcile.Drifts() {
		if !strings.Contains(page, "`"+string(kind)+"`") {
			t.Errorf("docs/metrics.md does not name the drift %s", kind)
		}
	}
	for _, reason := range routetable.RefusalReasons() {
		if !strings.Contains(page, "`"+reason+"`") {
			t.Errorf("docs/metrics.md does not name the refusal %s", reason)
		}
	}
	for _, op := range regexp.MustCompile(`operation="(\w+)"`).FindAllStringSubmatch(scrape(t), -1) {
		if !strings.Contains(page, "`"+op[1]+"`") {
			t.Errorf("docs/metrics.md does not name the operation %s", op[1])
		}
	}
}

// described are the metrics in the tables of docs/metrics.md.
func described(t *testing.T) map[string]metric {
	t.Helper()
	row := regexp.MustCompile("(?m)^\\| `(" + ourMetric + ")` \\| (\\w+) \\| ([^|]+) \\|")
	found := map[string]metric{}
	for _, m := range row.FindAllStringSubmatch(read(t, "docs/metrics.md"), -1) {
		labels := regexp.MustCompile(`\w+`).FindAllString(m[3], -1)
		slices.Sort(labels)
		found[m[1]] = metric{m[2], strings.Join(labels, " ")}
	}
	return found
}

// shown are the metrics on the page of a real controller whose engine does not answer.
func shown(t *testing.T) map[string]metric {
	t.Helper()
	page := scrape(t)
	found := map[string]metric{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (`+ourMetric+`) (\w+)$`).FindAllStringSubmatch(page, -1) {
		series := regexp.MustCompile(`(?m)^` + m[1] + `(?:_sum|_total)?(?:\{(.*)\})? `).FindStringSubmatch(page)
		if series == nil {
			t.Fatalf("%s has no series", m[1])
		}
		var labels []string
		for _, label := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(series[1], -1) {
			labels = append(labels, label[1])
		}
		slices.Sort(labels)
		found[m[1]] = metric{m[2], strings.Join(labels, " ")}
	}
	return found
}

const anySpec = `apiVersion: credproxy.dev/v1alpha1
kind: CredProxy
metadata: {name: web}
spec:
  internalNetwork: web-internal
  egressNetwork: web-egress
  routes: [{path: /, upstream: "https://example.org", auth: {scheme: Bearer, tokenRef: {env: TOKEN}}}]
`

const anyProvider = `apiVersion: credproxy.dev/v1alpha1
kind: TokenProviders
providers: [{name: any, exec: {command: /bin/any}}]
`

// heard is an engine that does not answer, but of which a sidecar is heard.
type heard struct{ app.Engine }

func engineWithASidecar(o app.Options, reg prometheus.Registerer) (app.Engine, error) {
	driver, err := dockerdriver.New(dockerdriver.Options{Instance: o.Instance, DockerHost: o.DockerHost, Registerer: reg})
	return heard{driver}, err
}

// OnCounted tells of one request that was refused.
func (h heard) OnCounted(take func(reconcile.Counted)) {
	c := routetable.RouteCounters{Route: "/"}
	c.Refusals[routetable.RefusalReason("denied")] = 1
	take(reconcile.Counted{ContainerID: "any", SpecName: "web", Counters: &routetable.Counters{Run: 1, Routes: []routetable.RouteCounters{c}}})
}

// scrape runs a controller on one spec, with no engine to ask, and returns its metrics once they are all there.
func scrape(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "web.yaml"), []byte(anySpec), 0o600); err != nil {
		t.Fatal(err)
	}
	providers := filepath.Join(t.TempDir(), "providers.yaml")
	if err := os.WriteFile(providers, []byte(anyProvider), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	addresses, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- app.Run(ctx, app.Options{
			Specs: dir, TokenProviders: providers, Instance: "docs", DockerHost: "unix://" + filepath.Join(dir, "no.sock"), StateDir: t.TempDir(),
			Workers: 1, Resync: time.Minute, DeepResync: time.Minute, Listen: "127.0.0.1:0", Build: buildinfo.Read(),
			Log: slog.New(slog.DiscardHandler), Listening: func(a net.Addr) { addresses <- a },
		}, app.Parts{Engine: engineWithASidecar})
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the controller did not end as it should: %v", err)
		}
	}()
	select {
	case address := <-addresses:
		return complete(ctx, t, "http://"+address.String()+"/metrics")
	case err := <-ended:
		ended <- nil
		t.Fatalf("the controller did not start: %v", err)
		return ""
	}
}

// complete asks until the series that come last are there.
func complete(ctx context.Context, t *testing.T, url string) string {
	t.Helper()
	defer http.DefaultClient.CloseIdleConnections()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		page := get(ctx, t, url)
		if strings.Contains(page, "\ncredproxy_condition{") && strings.Contains(page, "\ncredproxy_requests_total{") && strings.Contains(page, "\nworkqueue_retries_total{") {
			return page
		}
	}
}

func get(ctx context.Context, t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("the metrics did not become complete: %v", err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}
