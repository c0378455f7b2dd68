package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/version"

	"credproxy.dev/controller/pkg/reconcile"
)

const (
	// clockTolerance is how far two clocks may be apart before certificates and short-lived tokens are misjudged.
	clockTolerance = 5 * time.Second
	// fewNetworks is how many networks should be left; an environment takes two.
	fewNetworks = 10
	noAnswer    = "the engine does not answer"
)

func engine(f Facts) verdict {
	e := f.Engine
	switch {
	case errors.Is(e.Err, fs.ErrPermission) && f.Socket.Path != "":
		return failure(fmt.Sprintf("permission denied: user %d may not use %s", f.UID, f.Socket.Path), "see `user` below")
	case e.Err != nil:
		return failure(e.Err.Error(), "start it, or name it with --docker-host; `docker version` asks the same one")
	case e.VersionErr != nil:
		return unknown("it answers at %s, and does not tell its version: %v", e.Host, e.VersionErr)
	}
	found := fmt.Sprintf("%s %s, API %s, at %s", e.Product, e.Version, e.APIVersion, e.Host)
	if older(e.APIVersion, e.MinAPIVersion) {
		return failure(found, "upgrade it: the controller is tried with API "+e.MinAPIVersion+
			" and newer (Docker 20.10, Podman 4)")
	}
	return ok("%s", found)
}

// older reports whether a version is before another; one that cannot be read is not.
func older(told, least string) bool {
	have, err := version.ParseGeneric(told)
	if err != nil {
		return false
	}
	need, err := version.ParseGeneric(least)
	return err == nil && have.LessThan(need)
}

func apiCalls(f Facts) verdict {
	if f.Engine.Err != nil {
		return unknown(noAnswer)
	}
	var forbidden, areas, unanswered []string
	for _, c := range f.Engine.Calls {
		switch {
		case c.Forbidden:
			forbidden = append(forbidden, c.Operation)
			areas = append(areas, strings.Split(c.Area, ", ")...)
		case c.Err != nil:
			unanswered = append(unanswered, fmt.Sprintf("%s: %v", c.Operation, c.Err))
		}
	}
	switch {
	case len(forbidden) > 0:
		slices.Sort(areas)
		return failure(fmt.Sprintf("%d of %d kinds of call are forbidden: %s", len(forbidden), len(f.Engine.Calls), strings.Join(forbidden, ", ")),
			"permit them in the socket's proxy or the engine's authorization plugin; docker-socket-proxy calls them "+
				strings.Join(slices.Compact(areas), ", "))
	case len(unanswered) > 0:
		return unknown("%d of %d kinds of call were not answered: %s", len(unanswered), len(f.Engine.Calls), strings.Join(unanswered, "; "))
	}
	return ok("all %d kinds of call are allowed", len(f.Engine.Calls))
}

func addressPools(f Facts) verdict {
	e := f.Engine
	switch {
	case e.Err != nil:
		return unknown(noAnswer)
	case e.NetworksErr != nil:
		return unknown("the engine does not tell its networks: %v", e.NetworksErr)
	case len(f.Pools) > 0:
		free, all := room(f.Pools, slices.Concat(e.Subnets, f.HostSubnets))
		found := fmt.Sprintf("--network-pool has room for %d more networks, of %d", free, all)
		if free >= fewNetworks {
			return ok("%s", found)
		}
		return warning(found, "give another range with one more --network-pool; remove networks that nobody uses")
	case e.Info == nil:
		return unknown("the engine does not tell its address pools: %v", e.InfoErr)
	case e.VersionErr != nil && len(e.Info.AddressPools) == 0:
		return unknown("the engine has the address pools of its product, and does not tell which that is: %v", e.VersionErr)
	}
	free, all := room(poolsOf(e), e.Subnets)
	found := fmt.Sprintf("room for %d more networks, of %d", free, all)
	if free >= fewNetworks {
		return ok("%s", found)
	}
	advice := "start run with --network-pool 10.200.0.0/16 or the like, from which networks that are made get small subnets; or give the " +
		`engine more in "default-address-pools" of its daemon.json, such as {"base":"10.200.0.0/16","size":24}, and restart it; ` +
		"remove networks that nobody uses"
	if e.Product == reconcile.Podman {
		advice = "give the engine more in default_subnet_pools of its containers.conf; remove networks that nobody uses"
	}
	return warning(found, advice)
}

func internalDNS(f Facts) verdict {
	e := f.Engine
	switch {
	case e.Err != nil:
		return unknown(noAnswer)
	case e.VersionErr != nil:
		return unknown("the engine does not tell its version: %v", e.VersionErr)
	case reconcile.ForwardsInternalDNS(e.Product, e.Version):
		return warning(fmt.Sprintf("%s %s may forward DNS questions of internal networks to servers outside, by which an agent can "+
			"send data out (CVE-2024-29018)", e.Product, e.Version),
			"upgrade to Docker 25.0.5, 26.0 or later; 23.0.11 is mended too, and so may be an older one of a distribution")
	}
	return ok("%s %s keeps DNS questions of internal networks to itself", e.Product, e.Version)
}

func ipForward(f Facts) verdict {
	e := f.Engine
	switch {
	case e.Err != nil:
		return unknown(noAnswer)
	case e.Info == nil:
		return unknown("the engine does not tell: %v", e.InfoErr)
	case e.Info.IPv4Forwarding:
		return ok("the engine's host forwards IPv4")
	case e.Info.Rootless:
		return unknown("the engine runs rootless, and forwards in a namespace of its own")
	}
	return failure("the engine's host does not forward IPv4, so that no sidecar reaches an upstream",
		"sysctl -w net.ipv4.ip_forward=1, and a file beneath /etc/sysctl.d that says the same")
}

func clock(f Facts) verdict {
	e := f.Engine
	switch {
	case e.Err != nil:
		return unknown(noAnswer)
	case e.Info == nil:
		return unknown("the engine does not tell the time: %v", e.InfoErr)
	case !e.Info.ClockKnown:
		return unknown("the engine does not tell the time")
	}
	apart := e.Info.ClockAhead.Abs()
	if apart-e.Info.ClockDoubt <= clockTolerance {
		return ok("the engine's clock and this one agree")
	}
	where := "behind"
	if e.Info.ClockAhead > 0 {
		where = "ahead"
	}
	return warning(fmt.Sprintf("the engine's clock is %v %s of this one", apart.Round(time.Second), where),
		"let both be set by NTP: certificates and tokens that expire are judged by it")
}
