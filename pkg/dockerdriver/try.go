package dockerdriver

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/pkg/stdcopy"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

const (
	// LabelTry marks a throw-away container that makes one request, with the name of the instance. It bears no other
	// label of ours, so that nobody takes it for a sidecar.
	LabelTry = spec.Group + "/try"

	tryPrefix = "credproxy-try-"
	// abandonedAfter is the age at which a throw-away container that does not run was left behind by a process that
	// was killed.
	abandonedAfter = time.Minute
	// maxTrialOutput is how much is read of what such a container writes.
	maxTrialOutput = 4 * routetable.MaxTrialBytes
)

// Try has one request made to a sidecar by a container on its internal network, which is gone when Try returns, and
// returns what came of it. The container is shut in as a sidecar is, and has no volume.
func (d *Driver) Try(ctx context.Context, req reconcile.TryRequest) (trial routetable.Trial, err error) {
	d.clearAway(ctx)
	networkID, err := d.networkNamed(ctx, req.Network)
	if err != nil {
		return trial, err
	}
	if networkID == "" {
		return trial, fmt.Errorf("%w: %s is not on the engine at %s; is that the controller's? --docker-host names another",
			reconcile.ErrNetworkNotFound, req.Network, d.Host())
	}
	trial, err = d.tryOnce(ctx, networkID, req)
	if err != nil && refusesIPv6(err) && !d.plainIPv6.Swap(true) {
		return d.tryOnce(ctx, networkID, req)
	}
	return trial, err
}

func (d *Driver) tryOnce(ctx context.Context, networkID string, req reconcile.TryRequest) (trial routetable.Trial, err error) {
	name := tryPrefix + strings.ToLower(rand.Text()[:12])
	// By its name, since it may have been made although the call failed; and also when ctx has ended.
	defer func() { err = errors.Join(err, d.Remove(context.WithoutCancel(ctx), name)) }()
	if err := d.createTrial(ctx, name, networkID, req); err != nil {
		return trial, err
	}
	conn, err := d.attach(ctx, d.opts.CallTimeout, name)
	if err != nil {
		return trial, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	err = d.call(ctx, opContainerStart, "start container "+name, func(ctx context.Context) error {
		return d.docker.ContainerStart(ctx, name, container.StartOptions{})
	})
	if err != nil {
		return trial, err
	}
	return hearTrial(ctx, conn.Reader)
}

// createTrial makes the container. The engine removes it when it has ended, even if nobody else is left to.
func (d *Driver) createTrial(ctx context.Context, name, networkID string, req reconcile.TryRequest) error {
	like := reconcile.CreateRequest{Network: networkID, Resources: spec.Resources{
		Memory: spec.DefaultMemory, CPUs: spec.DefaultCPUs, Pids: spec.DefaultPids,
	}}
	host := d.hostConfig(like, "")
	host.Ulimits = d.noCores(ctx)
	host.AutoRemove, host.RestartPolicy, host.Mounts = true, container.RestartPolicy{}, nil
	host.LogConfig = container.LogConfig{Type: "none"}
	config := &container.Config{
		Image:  req.ImageID,
		User:   user(),
		Labels: map[string]string{LabelTry: d.opts.Instance},
		Cmd:    trialCommand(req),

		AttachStdout: true, AttachStderr: true,
		Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
	}
	secrets := map[string]reconcile.Token{}
	if req.Key != nil {
		config.Env = []string{routetable.TrialKeyVariable + "=" + req.Key.Reveal()}
		secrets[routetable.TrialKeyVariable] = *req.Key
	}
	return d.call(ctx, opContainerCreate, "create container "+name, func(ctx context.Context) error {
		_, err := d.docker.ContainerCreate(ctx, config, host, d.networking(like), nil, name)
		return withhold(err, secrets)
	})
}

// trialCommand is what the container runs. The key itself is not on it.
func trialCommand(req reconcile.TryRequest) []string {
	line := []string{routetable.TrialCommand, "-X", req.Method, "-timeout", req.Timeout.String()}
	if req.KeyHeader != "" {
		line = append(line, "-key-header", req.KeyHeader)
	}
	return append(line, req.URL)
}

// hearTrial reads what a container says until it ends.
func hearTrial(ctx context.Context, from io.Reader) (routetable.Trial, error) {
	var stdout, stderr bytes.Buffer
	// An end in the middle of it shows in what was read.
	_, _ = stdcopy.StdCopy(&stdout, &stderr, io.LimitReader(from, maxTrialOutput))
	if ctx.Err() != nil {
		return routetable.Trial{}, fmt.Errorf("the request was not done in time: %w", context.Cause(ctx))
	}
	trial, err := routetable.ParseTrial(bytes.TrimSuffix(stdout.Bytes(), []byte("\n")))
	if err != nil {
		said := strings.TrimSpace(clean(stderr.String(), maxShown))
		return trial, fmt.Errorf("the container did not say what came of the request (%w) %s; is --image of another version than this controller?", err, said)
	}
	return trial, nil
}

// clearAway removes what earlier trials left whose process was killed between two calls. What cannot be removed now is
// met by the next one.
func (d *Driver) clearAway(ctx context.Context) {
	err := d.call(ctx, opContainerList, "list containers", func(ctx context.Context) error {
		found, err := d.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(
			filters.Arg("label", LabelTry+"="+d.opts.Instance))})
		for _, c := range found {
			if !d.abandoned(c) {
				continue
			}
			gone := d.docker.ContainerRemove(withOperation(ctx, opContainerRemove), c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
			if gone != nil && !cerrdefs.IsNotFound(gone) && !cerrdefs.IsConflict(gone) {
				err = errors.Join(err, gone)
			}
		}
		return err
	})
	if err != nil {
		d.log.Warn("what an earlier trial left behind is still there", "error", err)
	}
}

// isTrial reports whether a container was made by Try. Its label alone might come from its image.
func (d *Driver) isTrial(c container.Summary) bool {
	named := slices.ContainsFunc(c.Names, func(name string) bool { return strings.HasPrefix(name, "/"+tryPrefix) })
	return named && c.Labels[LabelTry] == d.opts.Instance
}

// abandoned reports whether a container was made by Try and left.
func (d *Driver) abandoned(c container.Summary) bool {
	return d.isTrial(c) && c.State != container.StateRunning &&
		time.Since(time.Unix(c.Created, 0)) > abandonedAfter
}
