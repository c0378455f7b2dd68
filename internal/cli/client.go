package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/internal/web"
	"credproxy.dev/controller/pkg/spec"
)

// maxAnswer is the longest answer, in bytes, that is read.
const maxAnswer = 64 << 20

// errNotDeclared means that the controller knows no spec of the name.
var errNotDeclared = errors.New("no spec file declares it")

// client asks a running controller.
type client struct {
	server string
	http   *http.Client
}

func newClient(server string) *client {
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	return &client{server: strings.TrimRight(server, "/"), http: &http.Client{
		Timeout: 10 * time.Second,
		// No proxy: the question is for this machine, or for the one that was named.
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

func (c *client) list(ctx context.Context) (spec.CredProxyList, error) {
	var list spec.CredProxyList
	return list, c.get(ctx, "credproxies", &list)
}

func (c *client) one(ctx context.Context, name string) (spec.CredProxy, error) {
	var one spec.CredProxy
	return one, c.get(ctx, "credproxies/"+url.PathEscape(name), &one)
}

// events returns the events after the one with a sequence, or all when it is 0.
func (c *client) events(ctx context.Context, since int64) (web.EventList, error) {
	var list web.EventList
	err := c.get(ctx, "events?since="+strconv.FormatInt(since, 10), &list)
	return list, err
}

// sources returns the files of the last scan.
func (c *client) sources(ctx context.Context) (web.SourceList, error) {
	var list web.SourceList
	err := c.get(ctx, "sources", &list)
	return list, err
}

// notReady says why the controller is not ready to tell what is on the engine; nil when it is. An err means that no
// controller answers.
func (c *client) notReady(ctx context.Context) (why, err error) {
	page, err := c.fetch(ctx, "/readyz")
	if err != nil || page.code == http.StatusOK {
		return nil, err
	}
	return fmt.Errorf("the controller at %s is %s", c.server, strings.TrimSpace(clean(string(page.body)))), nil
}

// get fails with errNotDeclared, or in a way that means that no controller answers.
func (c *client) get(ctx context.Context, path string, into any) error {
	page, err := c.fetch(ctx, "/api/"+spec.Version+"/"+path)
	if err != nil {
		return err
	}
	if page.code != http.StatusOK {
		return refusal(c.server, page)
	}
	if err := json.Unmarshal(page.body, into); err != nil {
		return fmt.Errorf("what answers at %s is not a controller: %w", c.server, err)
	}
	return nil
}

// page is what was answered.
type page struct {
	code   int
	status string // the code in words
	body   []byte
}

func (c *client) fetch(ctx context.Context, path string) (page, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path, nil)
	if err != nil {
		return page{}, usagef("--server %q is not an address such as http://127.0.0.1:8099", c.server)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return page{}, fmt.Errorf("no controller answers at %s; start one with 'controller run', or name its address "+
			"with --server: %w", c.server, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return page{}, fmt.Errorf("the answer of %s broke off: %w", c.server, err)
	}
	return page{response.StatusCode, response.Status, body}, nil
}

func refusal(server string, answer page) error {
	var status metav1.Status
	if json.Unmarshal(answer.body, &status) != nil || status.Kind != "Status" {
		return fmt.Errorf("what answers at %s is not a controller: it says %s", server, answer.status)
	}
	if answer.code == http.StatusNotFound {
		return errNotDeclared
	}
	return fmt.Errorf("the controller at %s refuses to answer: %s", server, status.Message)
}
