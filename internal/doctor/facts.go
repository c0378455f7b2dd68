package doctor

import (
	"io/fs"

	"credproxy.dev/controller/pkg/reconcile"
)

// Facts are all that is judged.
type Facts struct {
	Engine reconcile.EngineFacts
	// Instance is the name of the controller's.
	Instance string
	// Pools are those of IPv4 of --network-pool; without any the engine's own are used. HostSubnets are what of them the host
	// of the controller uses.
	Pools       []reconcile.AddressPool
	HostSubnets []string
	// UID is the user's; 0 is root.
	UID      int
	Socket   Socket
	Specs    Specs
	TokenDir TokenDir
	Policy   Policy
	// Providers are the commands of --token-providers.
	Providers Providers
	StateDir  StateDir
	Listen    Listen
	Inotify   Inotify
}

// Socket is the engine's, on this machine.
type Socket struct {
	// Path is empty when the engine is reached in another way.
	Path string
	Err  error
	Mode fs.FileMode
	// Group is its group's name, or its number where it has no name.
	Group string
	// Usable is whether this process may read and write it.
	Usable bool
}

// Specs are the files of --specs.
type Specs struct {
	// Dir is empty when none was given.
	Dir string
	Err error
	// Valid counts specs, and Bad files with a problem, of which Problem is the first.
	Valid, Bad int
	Problem    string
}

// TokenDir is the directory of tokens.
type TokenDir struct {
	// Dir is empty when none was given.
	Dir  string
	Err  error
	Mode fs.FileMode
	// Readable is a file in it whose mode lets every user read it; empty when there is none.
	Readable string
	// InSpecs is true when it lies beneath the directory of specs.
	InSpecs bool
}

// Policy is the file of --policy.
type Policy struct {
	// Path is empty when none was given, and may be the name of a ready-made one.
	Path string
	// Err says why it cannot be used.
	Err error
}

// Providers are what --token-providers declares.
type Providers struct {
	// Path is empty when none was given.
	Path string
	// Count is how many there are.
	Count int
	// Err says why the file cannot be used, or which command this user cannot run.
	Err error
}

// StateDir is the directory of locks, and of what is revoked.
type StateDir struct {
	Dir string
	// Err says why it cannot be written.
	Err error
	// Missing is true when it would be made, which Err says nothing against.
	Missing bool
}

// Listen is the address of the controller's pages.
type Listen struct {
	Address string
	// Loopback is whether it is of this machine alone, and RemoteAPI whether the API is served if it is not.
	Loopback, RemoteAPI bool
	// Taken is true when a process listens there, and Controller when it answers as a controller does.
	Taken, Controller bool
	// Err says why it cannot be listened on, or was not tried.
	Err error
}

// Inotify is how much this user may watch.
type Inotify struct {
	Watches, Instances int
	Err                error
}
