package dockerdriver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/docker/cli/cli/config"
	dockercontext "github.com/docker/cli/cli/context"
	dockerendpoint "github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/cli/opts"
	"github.com/docker/docker/client"
)

// defaultContext is the docker CLI's name for "no context: the environment decides".
const defaultContext = "default"

// idleConnections are kept for the next calls. Workers call at the same time, and dialling costs more than a call.
const idleConnections = 16

// connect makes a client of the engine that the docker CLI would use, or of host when it is not empty. wrap is put
// around the client's transport.
func connect(host string, wrap func(http.RoundTripper) http.RoundTripper) (*client.Client, error) {
	endpoint, headers, err := locate(host, config.Dir())
	if err != nil {
		return nil, err
	}
	options, err := endpoint.ClientOpts()
	if err != nil {
		return nil, fmt.Errorf("the docker endpoint %s cannot be used: %w", endpoint.Host, err)
	}
	httpClient := &http.Client{}
	options = append(options, client.WithHTTPHeaders(headers), ownHTTPClient(httpClient))
	docker, err := client.NewClientWithOpts(options...)
	if err != nil {
		return nil, fmt.Errorf("the docker endpoint %s cannot be used: %w", endpoint.Host, err)
	}
	httpClient.Transport = wrap(httpClient.Transport)
	return docker, nil
}

// ownHTTPClient makes the client use h, configured as its options before this one have asked. The client
// insists on a plain http.Transport while it is made, so that a wrapper goes around h's transport afterwards.
func ownHTTPClient(h *http.Client) client.Opt {
	return func(c *client.Client) error {
		*h = *c.HTTPClient()
		if transport, ok := h.Transport.(*http.Transport); ok {
			transport.MaxIdleConns, transport.MaxIdleConnsPerHost = idleConnections, idleConnections
			transport.IdleConnTimeout = 30 * time.Second
		}
		return client.WithHTTPClient(h)(c)
	}
}

// locate finds the endpoint in the docker CLI's order: the override, DOCKER_HOST, DOCKER_CONTEXT, the current
// context of the CLI's configuration, and last the default socket.
func locate(host, configDir string) (dockerendpoint.Endpoint, map[string]string, error) {
	if host == "" {
		host = os.Getenv(client.EnvOverrideHost)
	}
	if host != "" {
		endpoint, err := endpointAt(host, configDir)
		return endpoint, nil, err
	}
	cli, err := config.Load(configDir)
	if err != nil {
		return dockerendpoint.Endpoint{}, nil, fmt.Errorf(
			"the docker CLI's configuration cannot be read; mend it, or name the engine with --docker-host: %w", err)
	}
	name := os.Getenv("DOCKER_CONTEXT")
	if name == "" {
		name = cli.CurrentContext
	}
	if name == "" || name == defaultContext {
		endpoint, err := endpointAt("", configDir)
		return endpoint, cli.HTTPHeaders, err
	}
	endpoint, err := endpointOf(name, filepath.Join(configDir, "contexts"))
	return endpoint, cli.HTTPHeaders, err
}

// endpointAt is the endpoint of an address, with the TLS settings of the environment.
func endpointAt(host, configDir string) (dockerendpoint.Endpoint, error) {
	verify := os.Getenv(client.EnvTLSVerify) != ""
	useTLS := verify || os.Getenv("DOCKER_TLS") != ""
	address, err := opts.ParseHost(useTLS, host)
	if err != nil {
		return dockerendpoint.Endpoint{}, fmt.Errorf(
			"docker host %q is not an address; it looks like unix:///var/run/docker.sock, tcp://HOST:2376 or ssh://USER@HOST: %w", host, err)
	}
	endpoint := dockerendpoint.Endpoint{EndpointMeta: dockerendpoint.EndpointMeta{Host: address}}
	if !useTLS {
		return endpoint, nil
	}
	dir := os.Getenv(client.EnvOverrideCertPath)
	if dir == "" {
		dir = configDir
	}
	endpoint.SkipTLSVerify = !verify
	endpoint.TLSData, err = dockercontext.TLSDataFromFiles(
		present(dir, "ca.pem"), present(dir, "cert.pem"), present(dir, "key.pem"))
	if err != nil {
		return endpoint, fmt.Errorf("the certificates for %s in DOCKER_CERT_PATH cannot be read: %w", address, err)
	}
	return endpoint, nil
}

// present is the file's path, or empty when there is none: the CLI uses those of the three that exist.
func present(dir, name string) string {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) { //nolint:gosec // the operator's own environment names it
		return ""
	}
	return path
}

// endpointOf is the endpoint of a docker context.
func endpointOf(name, dir string) (dockerendpoint.Endpoint, error) {
	contexts := store.New(dir, store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(dockerendpoint.DockerEndpoint, func() any { return &dockerendpoint.EndpointMeta{} }),
	))
	endpoint, err := readContext(contexts, name)
	if err != nil {
		return endpoint, fmt.Errorf("docker context %q cannot be used; see `docker context ls`, or name the engine with --docker-host: %w", name, err)
	}
	return endpoint, nil
}

func readContext(contexts store.Reader, name string) (dockerendpoint.Endpoint, error) {
	metadata, err := contexts.GetMetadata(name)
	if err != nil {
		return dockerendpoint.Endpoint{}, err
	}
	meta, err := dockerendpoint.EndpointFromContext(metadata)
	if err != nil {
		return dockerendpoint.Endpoint{}, err
	}
	return dockerendpoint.WithTLSData(contexts, name, meta)
}

type operationKey struct{}

// withOperation names the call to which the requests of ctx belong.
func withOperation(ctx context.Context, op operation) context.Context {
	return context.WithValue(ctx, operationKey{}, op)
}

type statusKey struct{}

// withStatus makes the requests of ctx leave the status of their answers: the last one, or 0 while there is none.
func withStatus(ctx context.Context, status *int) context.Context {
	return context.WithValue(ctx, statusKey{}, status)
}
