package attacks

import (
	"strings"

	"credproxy.dev/controller/pkg/routetable"
)

// destinations leads a route's name to where no token may go.
func destinations() []attack {
	const cost = "a token would go to whatever answers there, and its answer to the agent"
	leads := func(name, to string, private bool) attack {
		return attack{
			name: name, cost: cost,
			set: func(s *stage) {
				s.add(routetable.Route{Path: "/there", Upstream: "http://there.test", Auth: auth("Bearer", 4), AllowPrivate: private},
					&host{name: "there.test", at: to})
			},
			sends: get("/there/x"), gets: []string{"403 denied"},
		}
	}
	written := func(name, url string) attack {
		return attack{
			name: name, cost: cost,
			set: func(s *stage) {
				s.add(routetable.Route{Path: "/there", Upstream: url, Auth: auth("Bearer", 4), AllowPrivate: true}, nil)
			},
			sends: get("/there/x"), gets: []string{"403 denied"},
		}
	}
	return []attack{
		leads("the sidecar itself by its internal address", sidecar, true),
		leads("the sidecar itself by its egress address", egressSidecar, true),
		leads("the sidecar itself by the loopback", "127.0.0.1", true),
		leads("the loopback of IPv6", "::1", true),
		leads("the unspecified address", "0.0.0.0", true),
		leads("another agent on the internal network", "10.9.0.8", true),
		leads("the engine's host on the internal network", gateway, true),
		leads("the engine's host on the egress network", egressGateway, true),
		leads("a cloud's metadata", "169.254.169.254", true),
		leads("a cloud's metadata by IPv6", "fd00:ec2::254", true),
		leads("a cloud's metadata in IPv6's form of IPv4", "::ffff:169.254.169.254", true),
		leads("a cloud's metadata behind NAT64", "64:ff9b::a9fe:a9fe", true),
		leads("a cloud's metadata in 6to4", "2002:a9fe:a9fe::1", true),
		leads("a cloud's metadata at a public address", "168.63.129.16", true),
		leads("a cloud's metadata in a carrier's range", "100.100.100.200", true),
		leads("a cloud's metadata in Teredo", "2001:0:5db8:d801:0:0:5601:5601", true),
		leads("an address of everybody", "255.255.255.255", true),
		leads("a multicast address", "239.255.255.250", true),
		leads("a private network without leave", "10.20.30.40", false),
		leads("a private network of IPv6 without leave", "fd12:3456::1", false),
		written("the sidecar's own address as it is written", "http://127.0.0.1:9099"),
		written("the sidecar's own address in IPv6's form of IPv4", "http://[::ffff:127.0.0.1]:9099"),
		written("the engine's host by its name", "http://host.docker.internal:2375"),
		written("the engine's host by its name with a dot", "http://HOST.docker.internal.:2375"),
		written("an address with a zone", "http://[fe80::1%25eth0]:80"),
		{
			name: "a name that is rebound", cost: cost + ": it would be judged by one answer, and dialled by the next",
			set: func(s *stage) {
				s.add(routetable.Route{Path: "/there", Upstream: "http://rebound.test", Auth: auth("Bearer", 4)},
					&host{name: "rebound.test", at: "93.184.216.50", answers: []string{"93.184.216.50", "127.0.0.1"}, adds: []field{{"Authorization", "Bearer " + token(4)}}, answer: lastOf})
			},
			sends: get("/there/x") + get("/there/y"), gets: []string{"200", "403 denied"}, arrives: []string{"rebound.test: GET /x"},
		},
		{
			name: "a name of several addresses", cost: cost + ": the first would be judged, and the second dialled",
			set: func(s *stage) {
				s.add(routetable.Route{Path: "/there", Upstream: "http://several.test", Auth: auth("Bearer", 4)},
					&host{name: "several.test", at: "93.184.216.51", answers: []string{"127.0.0.1 169.254.169.254 10.9.0.8 93.184.216.51"}, adds: []field{{"Authorization", "Bearer " + token(4)}}})
			},
			sends: get("/there/x"), gets: []string{"200"}, arrives: []string{"several.test: GET /x"},
		},
		{
			name: "an address whose place is asked for", cost: "the agent would learn the addresses of what is inside by the words of a refusal",
			set: func(s *stage) {
				s.add(routetable.Route{Path: "/there", Upstream: "http://there.test"}, &host{name: "there.test", at: "10.20.30.40"})
			},
			sends: get("/there/x"), gets: []string{"403 denied"},
			shows: func(s *scene, got []answer) {
				if strings.Contains(got[0].body, "10.20.30.40") {
					s.t.Errorf("it says %s", got[0].body)
				}
			},
		},
		{
			name: "an egress proxy inside", cost: "a token's destination would be told to whoever listens there",
			set: func(s *stage) {
				s.add(routetable.Route{Path: "/there", Upstream: "https://upstream.test", ProxyURL: "http://127.0.0.1:3128", Auth: auth("Bearer", 4)}, nil)
			},
			sends: get("/there/x"), gets: []string{"403 denied"},
		},
		{
			name: "an upstream inside, behind an egress proxy", cost: "the proxy's own machine would get the token",
			set: func(s *stage) {
				s.add(routetable.Route{Path: "/there", Upstream: "https://localhost", ProxyURL: "http://proxy.test:3128", Auth: auth("Bearer", 4)},
					&host{name: "proxy.test", at: "93.184.216.52"})
			},
			sends: get("/there/x"), gets: []string{"403 denied"},
		},
		{
			name: "a connection that a route with leave has open", cost: "a route without leave for private networks would reach one over another's connection",
			set: func(s *stage) {
				s.add(routetable.Route{Path: "/may", Upstream: "http://private.test", AllowPrivate: true}, &host{name: "private.test", at: "10.20.30.40"})
				s.add(routetable.Route{Path: "/may-not", Upstream: "http://private.test"}, nil)
			},
			sends: get("/may/x") + get("/may-not/y"), gets: []string{"200", "403 denied"}, arrives: []string{"private.test: GET /x"},
		},
	}
}

// lastOf answers, and ends the connection.
func lastOf(*request) string {
	return head("HTTP/1.1 200 OK", "Content-Length: 3", "Connection: close") + "ok\n"
}
