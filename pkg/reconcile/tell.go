package reconcile

// Reasons of the events of steps.
const (
	EventNetworkEnsured = "NetworkEnsured"
	EventCreated        = "Created"
	EventDelivered      = "Delivered"
	EventReady          = "Ready"
	EventReloaded       = "Reloaded"
	EventUpdated        = "Updated"
	EventReconnected    = "Reconnected"
	EventDisconnected   = "Disconnected"
	EventConnected      = "Connected"
	EventStarted        = "Started"
	EventDrained        = "Drained"
	EventRenamed        = "Renamed"
	EventRemoved        = "Removed"
	EventVolumeRemoved  = "VolumeRemoved"
	EventNetworkRemoved = "NetworkRemoved"
)

// told are the steps that are events when they succeed, with the event's reason and the words before the target.
// The others are only parts of one of these.
func told(s StepName) (reason, words string) { //nolint:gocyclo // a table: one line for each step
	switch s {
	case StepEnsureNetwork:
		return EventNetworkEnsured, "network is there: "
	case StepCreate:
		return EventCreated, "created container "
	case StepCopyRoutes:
		return EventDelivered, "delivered a generation of routes and tokens to "
	case StepWaitReady:
		return EventReady, "ready: "
	case StepReload:
		return EventReloaded, "serves a new generation: "
	case StepUpdate:
		return EventUpdated, "changed the settings of "
	case StepReconnect:
		return EventReconnected, "connected again to network "
	case StepDisconnect:
		return EventDisconnected, "took the sidecar off network "
	case StepConnectEgress:
		return EventConnected, "connected to egress network "
	case StepStart:
		return EventStarted, "started container "
	case StepDrain:
		return EventDrained, "drained container "
	case StepRename:
		return EventRenamed, "renamed the container to "
	case StepRemove:
		return EventRemoved, "removed container "
	case StepRemoveVolume:
		return EventVolumeRemoved, "removed volume "
	case StepRemoveNetwork:
		return EventNetworkRemoved, "removed network "
	}
	return "", ""
}

// severity is the type of the event of a step. What somebody did to a sidecar is worth a look, although it is repaired; what
// an attempt left over is not.
func (s Step) severity() string {
	if s.drift == "" || s.drift == DriftLeftover {
		return eventNormal
	}
	return eventWarning
}

// tell records a step that succeeded, and the drift that it repaired.
func (a *attempt) tell(s Step) {
	if s.drift != "" {
		a.metrics.drift.WithLabelValues(string(s.drift)).Inc()
	}
	if reason, words := told(s.Step); reason != "" {
		a.recorder.did(Event{Name: a.item.Name, Type: s.severity(), Reason: reason, Message: words + s.Target, Cause: s.Cause})
	}
}
