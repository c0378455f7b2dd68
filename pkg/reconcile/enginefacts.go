package reconcile

import "time"

// EngineFacts are what an engine says of itself, and what it permits. Finding out changes nothing on it.
type EngineFacts struct {
	// Host is the engine's address, such as unix:///var/run/docker.sock.
	Host string
	// Err says why the engine does not answer; nothing else is known then.
	Err error

	// Product is Podman or Docker.
	Product string
	// Version is the product's, and APIVersion the newest of the API that it speaks; both are empty with VersionErr.
	Version, APIVersion string
	VersionErr          error
	// MinAPIVersion is the oldest that the driver is tried with.
	MinAPIVersion string

	// Info is what it says of its host; nil with InfoErr.
	Info    *EngineInfo
	InfoErr error

	// Subnets are those of its networks, as prefixes such as 172.17.0.0/16; nothing is known of them with NetworksErr.
	Subnets     []string
	NetworksErr error

	// Sidecars counts the containers that claim to be sidecars, by instance; nothing is known of them with SidecarsErr.
	Sidecars    map[string]int
	SidecarsErr error

	Calls []CallFact
}

// EngineInfo is what an engine says of its host.
type EngineInfo struct {
	Rootless       bool
	IPv4Forwarding bool
	// AddressPools are those that it was told to make networks from; none means its own.
	AddressPools []AddressPool
	// ClockKnown is false when it does not tell the time. ClockAhead is how far its clock is before ours, negative when
	// it is behind, and ClockDoubt how far that may be off either way.
	ClockKnown             bool
	ClockAhead, ClockDoubt time.Duration
}

// AddressPool is a range of addresses that is cut into networks.
type AddressPool struct {
	// Base is a prefix, and Size the length of each network's.
	Base string
	Size int
}

// CallFact is whether an engine, or what stands before it, lets one kind of call pass.
type CallFact struct {
	// Operation is the call's name in metrics, such as container_start.
	Operation string
	// Area is what a proxy of the engine's socket has to permit for it, such as "CONTAINERS, POST".
	Area string
	// Forbidden is true for a call that was refused as such.
	Forbidden bool
	// Err says why nothing is known; nil when it was answered.
	Err error
}
