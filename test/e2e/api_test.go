//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// object is what the API answers for one spec, as far as the stories look.
type object struct {
	Metadata struct{ Name string }
	Status   struct {
		Conditions []struct {
			Type, Status, Reason, Message string
		}
		ContainerID, ContainerName, URL, SpecHash, RoutesDigest, LastError string
	}
}

// condition is a condition in one line: status, reason and message; empty when there is none.
func (o object) condition(kind string) string {
	for _, c := range o.Status.Conditions {
		if c.Type == kind {
			return c.Status + " " + c.Reason + ": " + c.Message
		}
	}
	return ""
}

// fetch reads a page of the controller.
func (c *controller) fetch(path string) (body string, status int, err error) {
	resp, err := http.Get("http://" + c.listen + path)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return string(data), resp.StatusCode, err
}

// page is fetch for what has to be there.
func (c *controller) page(path string) string {
	c.t.Helper()
	body, status, err := c.fetch(path)
	if err != nil || status != http.StatusOK {
		c.t.Fatalf("%s: %d %v %s", path, status, err, body)
	}
	return body
}

// get asks for one spec.
func (c *controller) get(name string) (object, error) {
	var o object
	body, status, err := c.fetch("/api/v1alpha1/credproxies/" + name)
	if err != nil {
		return o, err
	}
	if status != http.StatusOK {
		return o, fmt.Errorf("%d %s", status, body)
	}
	return o, json.Unmarshal([]byte(body), &o)
}

// is waits until a condition of a spec begins as told, such as "False TokenMissing: ", and has all the parts.
func (c *controller) is(name, kind, begin string, parts ...string) object {
	c.t.Helper()
	var last object
	eventually(c.t, fmt.Sprintf("%s is %s %s %q", name, kind, begin, parts), func() error {
		o, err := c.get(name)
		if err != nil {
			return err
		}
		last = o
		if got := o.condition(kind); !strings.HasPrefix(got, begin) || !containsAll(got, parts) {
			return fmt.Errorf("it is %q, with lastError %q", got, o.Status.LastError)
		}
		return nil
	})
	return last
}

// ready waits until a spec is Ready.
func (c *controller) ready(name string) object {
	c.t.Helper()
	return c.is(name, "Ready", "True Running")
}

// gone waits until nothing of a spec is left: not on the engine, not in the API.
func (c *controller) gone(w *world, name string) {
	c.t.Helper()
	eventually(c.t, name+" is gone", func() error {
		left, err := tryDocker("ps", "-aq", "--filter", "label=credproxy.dev/instance="+w.id, "--filter", "label=credproxy.dev/name="+name)
		if err != nil {
			return err
		}
		if left != "" {
			return fmt.Errorf("container %s is there", left)
		}
		if _, err := c.get(name); err == nil {
			return errors.New("the API still knows it")
		}
		return nil
	})
}

// sourceFile is what the API says of a file.
type sourceFile struct {
	Path, State string
	LastGood    bool
	Errors      []struct {
		Line           int
		Field, Message string
	}
}

// source asks what the controller makes of a file.
func (c *controller) source(path string) (sourceFile, error) {
	body, status, err := c.fetch("/api/v1alpha1/sources")
	if err != nil {
		return sourceFile{}, err
	}
	if status != http.StatusOK {
		return sourceFile{}, fmt.Errorf("%d %s", status, body)
	}
	var list struct{ Items []sourceFile }
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		return sourceFile{}, err
	}
	for _, f := range list.Items {
		if f.Path == path {
			return f, nil
		}
	}
	return sourceFile{}, fmt.Errorf("%s is not among %s", path, body)
}

// count counts the events of a spec with a reason.
func (c *controller) count(name, reason string) (n int) {
	c.t.Helper()
	var list struct {
		Items []struct{ Name, Reason string }
	}
	if err := json.Unmarshal([]byte(c.page("/api/v1alpha1/events")), &list); err != nil {
		c.t.Fatal(err)
	}
	for _, event := range list.Items {
		if event.Name == name && event.Reason == reason {
			n++
		}
	}
	return n
}

// metric is the value of one series, written as the page writes it; 0 and an error when it is not there.
func (c *controller) metric(series string) (float64, error) {
	body, _, err := c.fetch("/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			var v float64
			_, err := fmt.Sscan(rest, &v)
			return v, err
		}
	}
	return 0, fmt.Errorf("no series %s", series)
}

// readyz waits until the controller says that it is ready.
func (c *controller) readyz() {
	c.t.Helper()
	eventually(c.t, "the controller is ready", func() error { return c.answers("/readyz", http.StatusOK) })
}

func (c *controller) answers(path string, want int) error {
	select {
	case <-c.ended:
		return errors.New("the controller has ended")
	default:
	}
	body, status, err := c.fetch(path)
	if err == nil && status != want {
		err = fmt.Errorf("%s answers %d: %s", path, status, body)
	}
	return err
}
