package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
)

// engine speaks to the Engine API with nothing in between: what it takes is the floor.
type engine struct {
	client *http.Client
	base   string
}

func dialEngine(ctx context.Context) (*engine, error) {
	host, err := docker(ctx, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
	if err != nil {
		return nil, err
	}
	network, addr, _ := strings.Cut(host, "://")
	if network != "unix" && network != "tcp" {
		return nil, fmt.Errorf("the benchmark speaks to engines on unix and tcp sockets, not to %s", host)
	}
	e := &engine{base: "http://engine", client: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
		MaxIdleConnsPerHost: workers,
	}}}
	version, err := e.negotiate(ctx)
	e.base += "/v" + version
	return e, err
}

func (e *engine) negotiate(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.base+"/_ping", nil)
	if err != nil {
		return "", err
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	return resp.Header.Get("Api-Version"), nil
}

// call makes one call. A body that is no reader is sent as JSON; an answer is decoded into out, unless it is nil,
// and copied if it is a writer.
func (e *engine) call(ctx context.Context, method, path string, body, out any) error {
	var in io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case io.Reader:
		in, kind = b, "application/x-tar"
	default:
		data, err := json.Marshal(b)
		if err != nil {
			return err
		}
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, e.base+path, in)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", kind)
	resp, err := e.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	return receive(resp.Body, out)
}

func receive(body io.Reader, out any) error {
	switch o := out.(type) {
	case nil:
		_, err := io.Copy(io.Discard, body)
		return err
	case io.Writer:
		_, err := io.Copy(o, body)
		return err
	default:
		return json.NewDecoder(body).Decode(out)
	}
}

// recipe is a real sidecar, taken apart: what it was created from and the files that it was given.
type recipe struct {
	config, host map[string]any
	files        []byte
	internal     string
	egress       string
}

// recipeOf reads a sidecar that the controller made, so that the bare calls make the same.
func (e *engine) recipeOf(ctx context.Context, name, internal, egress string) (*recipe, error) {
	var made struct {
		Image      string
		Config     map[string]any
		HostConfig map[string]any
	}
	if err := e.call(ctx, http.MethodGet, "/containers/"+name+"/json", nil, &made); err != nil {
		return nil, err
	}
	var files bytes.Buffer
	if err := e.call(ctx, http.MethodGet, "/containers/"+name+"/archive?path=/run/cred-proxy/.", nil, &files); err != nil {
		return nil, err
	}
	r := &recipe{made.Config, made.HostConfig, files.Bytes(), internal, egress}
	r.config["Image"] = made.Image
	// Its labels would make it the controller's own, and an orphan.
	r.config["Labels"] = map[string]string{"bench": "bare"}
	for _, m := range made.HostConfig["Mounts"].([]any) {
		if options, ok := m.(map[string]any)["VolumeOptions"].(map[string]any); ok {
			options["Labels"] = map[string]string{"bench": "bare"}
		}
	}
	return r, nil
}

// makeBare makes a sidecar by the four calls and nothing else.
func (e *engine) makeBare(ctx context.Context, r *recipe, name string) error {
	body := map[string]any{}
	for k, v := range r.config {
		body[k] = v
	}
	body["HostConfig"] = r.host
	body["NetworkingConfig"] = map[string]any{"EndpointsConfig": map[string]any{
		r.internal: map[string]any{"Aliases": []string{name}},
	}}
	var made struct{ ID string }
	if err := e.call(ctx, http.MethodPost, "/containers/create?name="+url.QueryEscape(name), body, &made); err != nil {
		return err
	}
	path := "/containers/" + made.ID
	if err := e.call(ctx, http.MethodPut, path+"/archive?path=/run/cred-proxy", bytes.NewReader(r.files), nil); err != nil {
		return err
	}
	connect := map[string]any{"Container": made.ID}
	if err := e.call(ctx, http.MethodPost, "/networks/"+r.egress+"/connect", connect, nil); err != nil {
		return err
	}
	return e.call(ctx, http.MethodPost, path+"/start", nil, nil)
}

func (e *engine) remove(ctx context.Context, name string) error {
	return e.call(ctx, http.MethodDelete, "/containers/"+name+"?force=1&v=1", nil, nil)
}

// docker runs the docker command.
func docker(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "docker", args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return "", fmt.Errorf("docker %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
