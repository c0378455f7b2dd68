package reconcile

// told are the steps that are events when they succeed, with the event's reason and the words before the target.
// The others are only parts of one of these.
func told(s StepName) (reason, words string) { //nolint:gocyclo // a table: one line for each step
	switch s {
	case StepEnsureNetwork:
		return "NetworkEnsured", "network is there: "
	case StepCreate:
		return "Created", "created container "
	case StepCopyRoutes:
		return "Delivered", "delivered a generation of routes and tokens to "
	case StepWaitReady:
		return "Ready", "ready: "
	case StepReload:
		return "Reloaded", "serves a new generation: "
	case StepUpdate:
		return "Updated", "changed the settings of "
	case StepReconnect:
		return "Reconnected", "connected again to network "
	case StepDisconnect:
		return "Disconnected", "took the sidecar off network "
	case StepConnectEgress:
		return "Connected", "connected to egress network "
	case StepStart:
		return "Started", "started container "
	case StepDrain:
		return "Drained", "drained container "
	case StepRename:
		return "Renamed", "renamed the container to "
	case StepRemove:
		return "Removed", "removed container "
	case StepRemoveVolume:
		return "VolumeRemoved", "removed volume "
	case StepRemoveNetwork:
		return "NetworkRemoved", "removed network "
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
