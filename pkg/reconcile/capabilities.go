package reconcile

// NotableCapabilities are those by which a container can do harm to others, without the prefix CAP_: pose as another on
// its networks, or become root on the host.
func NotableCapabilities() []string { return append(spoofing(), mighty()...) }

// rawFrames is the capability with which a container can send frames that it made itself, of protocols too that its kernel
// does not speak.
const rawFrames = "NET_RAW"

// spoofing are the capabilities with which a container can send frames and answers in another's name.
func spoofing() []string { return []string{"NET_ADMIN", rawFrames} }

// mighty are the capabilities that lead from a container to the host.
func mighty() []string {
	return []string{"BPF", "DAC_READ_SEARCH", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO"}
}
