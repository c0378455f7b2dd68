package dockerdriver

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"

	"credproxy.dev/controller/pkg/reconcile"
)

// trial is one kind of call, made in a way that can change nothing: it reads, is about an object that does not exist,
// or asks for what no engine can make.
type trial struct {
	op operation
	// area is what docker-socket-proxy calls the permission.
	area string
	ask  func(ctx context.Context, docker *client.Client, nobody string) error
}

// trials are every call that the driver makes.
func trials() []trial {
	all := []trial{
		{opPing, "PING", func(ctx context.Context, c *client.Client, _ string) error { return second(c.Ping(ctx)) }},
		{opVersion, "VERSION", func(ctx context.Context, c *client.Client, _ string) error { return second(c.ServerVersion(ctx)) }},
		{opInfo, "INFO", func(ctx context.Context, c *client.Client, _ string) error { return second(c.Info(ctx)) }},
		{opEvents, "EVENTS", pastEvents},
	}
	all = append(all, containerTrials()...)
	all = append(all, networkTrials()...)
	return append(all,
		trial{opVolumeList, "VOLUMES", func(ctx context.Context, c *client.Client, _ string) error {
			return second(c.VolumeList(ctx, volume.ListOptions{}))
		}},
		// With a name that no engine accepts; only Podman is ever asked for one.
		trial{opVolumeCreate, "VOLUMES, POST", func(ctx context.Context, c *client.Client, nobody string) error {
			return second(c.VolumeCreate(ctx, volume.CreateOptions{Name: nobody + "/none"}))
		}},
		trial{opVolumeRemove, "VOLUMES, POST", func(ctx context.Context, c *client.Client, nobody string) error {
			return c.VolumeRemove(ctx, nobody, false)
		}},
		trial{opImageInspect, "IMAGES", func(ctx context.Context, c *client.Client, nobody string) error {
			return second(c.ImageInspect(ctx, nobody))
		}},
		trial{opImageBuild, "BUILD, POST", buildNothing},
	)
}

func containerTrials() []trial {
	const read, write = "CONTAINERS", "CONTAINERS, POST"
	return []trial{
		{opContainerList, read, func(ctx context.Context, c *client.Client, _ string) error {
			return second(c.ContainerList(ctx, container.ListOptions{Limit: 1}))
		}},
		{opContainerInspect, read, func(ctx context.Context, c *client.Client, nobody string) error {
			return second(c.ContainerInspect(ctx, nobody))
		}},
		// Of an image that does not exist; an engine does not fetch one for this call.
		{opContainerCreate, write, func(ctx context.Context, c *client.Client, nobody string) error {
			return second(c.ContainerCreate(ctx, &container.Config{Image: nobody + ":none"}, nil, nil, nil, nobody))
		}},
		{opContainerCopy, write, func(ctx context.Context, c *client.Client, nobody string) error {
			return c.CopyToContainer(ctx, nobody, volumeRoot, &bytes.Buffer{}, container.CopyToContainerOptions{})
		}},
		{opContainerRead, read, func(ctx context.Context, c *client.Client, nobody string) error {
			_, _, err := c.CopyFromContainer(ctx, nobody, volumeRoot)
			return err
		}},
		{opContainerAttach, write, func(ctx context.Context, c *client.Client, nobody string) error {
			return second(c.ContainerAttach(ctx, nobody, container.AttachOptions{}))
		}},
		{opContainerLogs, read, func(ctx context.Context, c *client.Client, nobody string) error {
			return second(c.ContainerLogs(ctx, nobody, container.LogsOptions{ShowStderr: true}))
		}},
		{opContainerStart, write, func(ctx context.Context, c *client.Client, nobody string) error {
			return c.ContainerStart(ctx, nobody, container.StartOptions{})
		}},
		{opContainerKill, write, func(ctx context.Context, c *client.Client, nobody string) error {
			return c.ContainerKill(ctx, nobody, signalTell)
		}},
		{opContainerUpdate, write, func(ctx context.Context, c *client.Client, nobody string) error {
			return second(c.ContainerUpdate(ctx, nobody, container.UpdateConfig{}))
		}},
		{opContainerRename, write, func(ctx context.Context, c *client.Client, nobody string) error {
			return c.ContainerRename(ctx, nobody, nobody)
		}},
		{opContainerStop, write, func(ctx context.Context, c *client.Client, nobody string) error {
			return c.ContainerStop(ctx, nobody, container.StopOptions{})
		}},
		{opContainerWait, write, func(ctx context.Context, c *client.Client, nobody string) error {
			ended, failed := c.ContainerWait(ctx, nobody, container.WaitConditionRemoved)
			select {
			case <-ended:
				return nil
			case err := <-failed:
				return err
			}
		}},
		{opContainerRemove, write, func(ctx context.Context, c *client.Client, nobody string) error {
			return c.ContainerRemove(ctx, nobody, container.RemoveOptions{})
		}},
	}
}

func networkTrials() []trial {
	const read, write = "NETWORKS", "NETWORKS, POST"
	return []trial{
		{opNetworkList, read, func(ctx context.Context, c *client.Client, _ string) error {
			return second(c.NetworkList(ctx, network.ListOptions{}))
		}},
		{opNetworkInspect, read, func(ctx context.Context, c *client.Client, nobody string) error {
			return second(c.NetworkInspect(ctx, nobody, network.InspectOptions{}))
		}},
		// With a subnet that is none.
		{opNetworkCreate, write, func(ctx context.Context, c *client.Client, nobody string) error {
			return second(c.NetworkCreate(ctx, nobody, network.CreateOptions{
				Driver: bridge, Internal: true, IPAM: &network.IPAM{Config: []network.IPAMConfig{{Subnet: "none"}}},
			}))
		}},
		{opNetworkConnect, write, func(ctx context.Context, c *client.Client, nobody string) error {
			return c.NetworkConnect(ctx, nobody, nobody, nil)
		}},
		{opNetworkDisconnect, write, func(ctx context.Context, c *client.Client, nobody string) error {
			return c.NetworkDisconnect(ctx, nobody, nobody, false)
		}},
		{opNetworkRemove, write, func(ctx context.Context, c *client.Client, nobody string) error {
			return c.NetworkRemove(ctx, nobody)
		}},
	}
}

// pastEvents asks for those of one second, long ago.
func pastEvents(ctx context.Context, c *client.Client, _ string) error {
	messages, failed := c.Events(ctx, events.ListOptions{Since: "1", Until: "2"})
	for {
		select {
		case <-messages:
		case err := <-failed:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// buildNothing asks for an image of an empty context, in which there is no Dockerfile.
func buildNothing(ctx context.Context, c *client.Client, _ string) error {
	answer, err := c.ImageBuild(ctx, &bytes.Buffer{}, build.ImageBuildOptions{Version: build.BuilderV1, Remove: true, ForceRemove: true})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return buildResult(answer.Body)
}

// second is the error of a call whose answer does not matter.
func second[T any](_ T, err error) error { return err }

// tryCalls makes every trial, each for at most a time.
func (d *Driver) tryCalls(ctx context.Context, limit time.Duration) []reconcile.CallFact {
	nobody := "credproxy-doctor-" + strings.ToLower(rand.Text()[:12])
	all := trials()
	facts := make([]reconcile.CallFact, len(all))
	places := make([]int, len(all))
	for i := range places {
		places[i] = i
	}
	together(inspectAtOnce, places, func(i int) { facts[i] = d.tryCall(ctx, limit, all[i], nobody) })
	return facts
}

func (d *Driver) tryCall(ctx context.Context, limit time.Duration, t trial, nobody string) reconcile.CallFact {
	fact := reconcile.CallFact{Operation: string(t.op), Area: t.area}
	var status int
	err := d.callFor(withStatus(ctx, &status), limit, t.op, "try "+string(t.op), func(ctx context.Context) error {
		return t.ask(ctx, d.docker, nobody)
	})
	if t.op == opContainerAttach && err != nil && status == 0 {
		status = upgradeStatus(err)
	}
	switch status {
	case 0:
		fact.Err = err
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired:
		fact.Forbidden = true
	}
	return fact
}

// upgradeStatus is the status of a refused attachment, which the client hands on as the last word of its error; 0
// when there is none.
func upgradeStatus(err error) (status int) {
	words := strings.Fields(err.Error())
	if len(words) == 0 {
		return 0
	}
	for _, digit := range words[len(words)-1] {
		if digit < '0' || digit > '9' {
			return 0
		}
		status = 10*status + int(digit-'0')
	}
	return status
}
