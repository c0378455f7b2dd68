package spec

import (
	"cmp"
	"strings"
)

// SetDefaults fills in what a file left out, and drops a final slash of an upstream, which means nothing: the rest of
// a request's path is joined to it with one slash either way.
func SetDefaults(c *CredProxy, opts Options) {
	s := &c.Spec
	s.Hostname = cmp.Or(s.Hostname, opts.Hostname, DefaultHostname)
	s.Port = cmp.Or(s.Port, opts.Port, DefaultPort)
	s.TokenDelivery = cmp.Or(s.TokenDelivery, DeliverFile)
	s.Resources.Memory = cmp.Or(s.Resources.Memory, DefaultMemory)
	s.Resources.CPUs = cmp.Or(s.Resources.CPUs, DefaultCPUs)
	s.Resources.Pids = cmp.Or(s.Resources.Pids, DefaultPids)
	for i := range s.Routes {
		if upstream, ok := strings.CutSuffix(s.Routes[i].Upstream, "/"); ok && !strings.HasSuffix(upstream, "/") {
			s.Routes[i].Upstream = upstream
		}
	}
}
