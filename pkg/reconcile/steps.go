package reconcile

// StepName is the name of a step, as plans and metric labels write it.
type StepName string

// The steps.
const (
	StepEnsureNetwork StepName = "ensure_network"
	StepResolveTokens StepName = "resolve_tokens"
	StepEnsureImage   StepName = "ensure_image"
	StepCreate        StepName = "create"
	StepCopyRoutes    StepName = "copy_routes"
	StepConnectEgress StepName = "connect_egress"
	StepStart         StepName = "start"
	StepWaitReady     StepName = "wait_ready"
	StepReload        StepName = "reload"
	StepUpdate        StepName = "update"
	StepReconnect     StepName = "reconnect"
	StepDisconnect    StepName = "disconnect"
	StepDrain         StepName = "drain"
	StepRename        StepName = "rename"
	StepRemove        StepName = "remove"
	StepRemoveVolume  StepName = "remove_volume"
	StepRemoveNetwork StepName = "remove_network"
)

// StepNames lists every step, in the order in which a sidecar's life takes them.
func StepNames() []StepName {
	return []StepName{
		StepEnsureNetwork, StepResolveTokens, StepEnsureImage, StepCreate, StepCopyRoutes, StepConnectEgress,
		StepStart, StepWaitReady, StepReload, StepUpdate, StepReconnect, StepDisconnect, StepDrain,
		StepRename, StepRemove,
		StepRemoveVolume, StepRemoveNetwork,
	}
}
