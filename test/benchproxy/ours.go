package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"credproxy.dev/controller/pkg/routetable"
)

// token is what every proxy adds. It is as long as many are, so that answers are searched for it.
const token = "a-token-of-forty-characters-as-many-have"

// sidecar is a build of ours, as it is in a container.
func (l *lab) sidecar(name, program string, port int, unscrubbed bool) *contender {
	return &contender{
		name: name, port: port, prefix: "/api", limited: true,
		prepare: func(l *lab, dir string, to demand) ([]string, error) {
			return []string{program, "-dir", dir}, deliver(l, dir, to, port, unscrubbed)
		},
		environment: []string{
			fmt.Sprintf("GOMAXPROCS=%d", l.options.workers),
			routetable.SpecVariable + "=bench", routetable.DrainTimeoutVariable + "=1s",
		},
	}
}

// deliver writes a generation as the controller does, with a route to the upstream behind one that is not taken.
func deliver(l *lab, dir string, to demand, port int, unscrubbed bool) error {
	const slot = routetable.SlotPrefix + "1"
	route := routetable.Route{
		Path: "/api", Upstream: to.url(), AllowPrivate: true, Unscrubbed: unscrubbed,
		Auth: &routetable.Auth{Scheme: "Bearer", TokenFile: slot},
	}
	if to.secure() {
		roots, err := os.ReadFile(l.rootsOf(to.source))
		if err != nil {
			return err
		}
		route.Roots = string(roots)
	}
	_, files, err := routetable.Seal(routetable.Table{
		Listen: fmt.Sprintf(":%d", port), InternalSubnets: []string{insideSubnet}, InternalGateways: []string{insideGateway},
		Routes: []routetable.Route{{Path: "/other", Upstream: "https://other.example.org"}, route},
	}, 1, map[string]string{slot: token}, rand.Reader)
	if err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.Data, f.Mode); err != nil {
			return err
		}
	}
	return nil
}

// bareProxy is what Go has, and no more: it writes no log.
func bareProxy(l *lab, _ string, to demand) ([]string, error) {
	args := []string{toolbox, "reverseproxy", "-listen", fmt.Sprintf("%s:9101", proxiesInside)}
	if to.secure() {
		args = append(args, "-roots", l.rootsOf(to.source))
	}
	return append(args, to.url()), nil
}
