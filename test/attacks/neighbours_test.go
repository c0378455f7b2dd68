package attacks

// neighbours ask from where no agent is.
func neighbours() []attack {
	var all []attack
	for _, p := range []struct{ name, from string }{
		{"the engine's host", gateway},
		{"the engine's host in IPv6's form of IPv4", "::ffff:" + gateway},
		{"the host by its egress address", egressGateway},
		{"a neighbour on the egress network", "172.30.0.9"},
		{"the loopback", "127.0.0.1"},
		{"the address beside the internal network", "10.9.1.7"},
		{"a neighbour with a link-local address", "fe80::7"},
		{"somebody from anywhere", "198.51.100.1"},
	} {
		all = append(all, attack{
			name: p.name, cost: "whoever reaches the sidecar from outside the internal network would spend the environment's tokens",
			does: func(s *scene) {
				s.network.callFrom(p.from)
				if got := s.connect().send(get("/r/x")).end(); got != "" {
					s.t.Errorf("it got %q", got)
				}
				s.network.callFrom(agentIP)
			},
		})
	}
	return append(all, attack{
		name: "the engine's host at an address that nobody told", cost: "whoever is on the host would spend the environment's tokens",
		set: func(s *stage) { s.table.InternalGateways = nil },
		does: func(s *scene) {
			s.network.callFrom(gateway)
			if got := s.connect().send(get("/r/x")).end(); got != "" {
				s.t.Errorf("it got %q", got)
			}
			s.network.callFrom(agentIP)
		},
	})
}
