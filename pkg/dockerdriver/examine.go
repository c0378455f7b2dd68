package dockerdriver

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/system"

	"credproxy.dev/controller/pkg/reconcile"
)

const (
	// minAPIVersion is the oldest API that the driver is tried with.
	minAPIVersion = "1.41"
	// examinationTime bounds each question of an examination: whoever asks what is wrong does not wait long for it.
	examinationTime = 10 * time.Second
)

// Examine asks the engine what it is and what it permits, and changes nothing. What cannot be found out is an error
// among the facts.
func (d *Driver) Examine(ctx context.Context) reconcile.EngineFacts {
	facts := reconcile.EngineFacts{Host: d.Host(), MinAPIVersion: minAPIVersion}
	limit := min(d.opts.CallTimeout, examinationTime)
	if facts.Err = d.ping(ctx, limit); facts.Err != nil {
		return facts
	}
	facts.VersionErr = d.callFor(ctx, limit, opVersion, "ask the engine for its version", func(ctx context.Context) error {
		version, err := d.docker.ServerVersion(ctx)
		facts.Product, facts.Version, facts.APIVersion = productOf(version), version.Version, version.APIVersion
		return err
	})
	facts.InfoErr = d.callFor(ctx, limit, opInfo, "ask the engine about its host", func(ctx context.Context) error {
		asked := time.Now()
		info, err := d.docker.Info(ctx)
		if err == nil {
			facts.Info = infoOf(info, asked, time.Now())
		}
		return err
	})
	facts.NetworksErr = d.callFor(ctx, limit, opNetworkList, "list networks", func(ctx context.Context) error {
		networks, err := d.docker.NetworkList(ctx, network.ListOptions{})
		for _, n := range networks {
			facts.Subnets = append(facts.Subnets, d.toNetwork(n).Subnets...)
		}
		return err
	})
	facts.SidecarsErr = d.callFor(ctx, limit, opContainerList, "list containers", func(ctx context.Context) (err error) {
		facts.Sidecars, err = d.countSidecars(ctx)
		return err
	})
	facts.Calls = d.tryCalls(ctx, limit)
	return facts
}

// countSidecars counts the sidecars of every instance, by their labels.
func (d *Driver) countSidecars(ctx context.Context) (map[string]int, error) {
	containers, err := d.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(
		filters.Arg("label", LabelInstance), filters.Arg("label", LabelName))})
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, c := range containers {
		count[c.Labels[LabelInstance]]++
	}
	return count, nil
}

// infoOf takes over what is told of the host in an answer that was asked for and came at the two times. The clock was
// read somewhere between them.
func infoOf(info system.Info, asked, came time.Time) *reconcile.EngineInfo {
	found := &reconcile.EngineInfo{
		IPv4Forwarding: info.IPv4Forwarding,
		Rootless: slices.ContainsFunc(info.SecurityOptions, func(option string) bool {
			return option == "name=rootless" || strings.HasPrefix(option, "name=rootless,")
		}),
	}
	for _, pool := range info.DefaultAddressPools {
		found.AddressPools = append(found.AddressPools, reconcile.AddressPool{Base: pool.Base, Size: pool.Size})
	}
	if told, err := time.Parse(time.RFC3339Nano, info.SystemTime); err == nil {
		found.ClockKnown, found.ClockDoubt = true, came.Sub(asked)/2
		found.ClockAhead = told.Sub(asked.Add(found.ClockDoubt))
	}
	return found
}
