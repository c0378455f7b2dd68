package reconcile

import "credproxy.dev/controller/pkg/metric"

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
	var names []StepName
	for _, step := range stepValues() {
		names = append(names, StepName(step.Name))
	}
	return names
}

// stepValues are the steps with what each does, in Markdown.
func stepValues() []metric.Value {
	return []metric.Value{
		{Name: string(StepEnsureNetwork), Means: "makes a missing network, where the spec says `createNetworks: true`"},
		{Name: string(StepResolveTokens), Means: "finds the value of every token reference"},
		{Name: string(StepEnsureImage), Means: "looks for the image, and builds the controller's own when it is missing"},
		{Name: string(StepCreate), Means: "makes the container, not started: on its internal network, or on egress when another sidecar " +
			"serves meanwhile"},
		{Name: string(StepCopyRoutes), Means: "writes one generation of tokens and `routes.json` into its volume; after `start` where " +
			"that is in memory"},
		{Name: string(StepConnectEgress), Means: "connects it to the egress network"},
		{Name: string(StepStart), Means: "attaches to its output, then starts it"},
		{Name: string(StepWaitReady), Means: "waits until the proxy itself says that it serves that generation; in a replacement first " +
			"that it has loaded it"},
		{Name: string(StepReload), Means: "sends SIGHUP, and waits for the answer to the generation just written"},
		{Name: string(StepUpdate), Means: "changes its limits, or its restart policy, in place; on an engine that cannot (Podman 4), the " +
			"first one fails, and replacements follow where limits differ"},
		{Name: string(StepReconnect), Means: "connects it to its internal network, with its alias; or to its egress network, and off any " +
			"that is not its own"},
		{Name: string(StepDisconnect), Means: "takes a sidecar off its internal network, on account of a breach where isolation is required"},
		{Name: string(StepDrain), Means: "sends SIGTERM and waits until it has ended"},
		{Name: string(StepRename), Means: "gives it its proper name"},
		{Name: string(StepRemove), Means: "removes the container, and its volume with it"},
		{Name: string(StepRemoveVolume), Means: "removes a volume that has lost its container; otherwise `remove` takes it along"},
		{Name: string(StepRemoveNetwork), Means: "removes a network that the controller made and no spec refers to"},
	}
}
