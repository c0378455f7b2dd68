package page

import "credproxy.dev/controller/pkg/reconcile"

// advice says what to do about a reason, where the message does not say it anyway; empty where nothing is to be done.
func advice(reason string) string { //nolint:gocyclo // a table: one line for each reason
	switch reason {
	case reconcile.ReasonInvalidSpec:
		return "Mend the file, as its message says. controller validate shows every problem at once."
	case reconcile.ReasonDuplicateName:
		return "Rename one of the specs."
	case reconcile.ReasonTokenMissing:
		return "Write the token to where the message says. A variable is read when the controller starts."
	case reconcile.ReasonTokenDenied:
		return "Permit the reference with the flag that the message names, if it should be permitted."
	case reconcile.ReasonTokenInvalid:
		return "Put one line without control characters where the token comes from."
	case reconcile.ReasonTokenRejected:
		return "Rotate the token at its source: the upstream does not take it any more."
	case reconcile.ReasonNetworkNotFound:
		return "Create the network, as the message says, or set createNetworks: true."
	case reconcile.ReasonAmbiguousNetwork:
		return "Remove or rename all networks of that name but one."
	case reconcile.ReasonEgressInternal:
		return "Name an egress network that leads out."
	case reconcile.ReasonNetworkConflict:
		return "Give one of the specs another network."
	case reconcile.ReasonNetworkInUse:
		return "Take the containers that the message names off the network; then it goes by itself."
	case reconcile.ReasonAliasConflict:
		return "Give the spec another hostname, or disconnect the container that the message names."
	case reconcile.ReasonNameConflict:
		return "Remove or rename the container that has the name, or set --name-prefix."
	case reconcile.ReasonImageUnavailable:
		return "Bring the image to the engine; the message has the builder's words."
	case reconcile.ReasonEngineUnavailable:
		return "Start the engine. Sidecars may well be running, and the controller goes on by itself."
	case reconcile.ReasonCrashLooping:
		return "Read the sidecar's last lines in the message, and controller logs."
	case reconcile.ReasonRootsUnusable:
		return "Put the certificates that the message names beneath --ca-dir."
	case reconcile.ReasonRoutesRefused:
		return "The old routes serve on. With an image of your own, use one of the controller's version."
	case reconcile.ReasonPruneBlocked:
		return "Mend the file, or if the removal is meant run controller apply --prune."
	case reconcile.ReasonPolicyDenied:
		return "Use another upstream or token, or have the policy permit this."
	case reconcile.ReasonPolicyInvalid:
		return "Mend the policy, as the message says; it goes on by itself."
	case reconcile.ReasonQuotaExceeded:
		return "Remove or shrink others of the folder, or have its quota raised."
	case reconcile.ReasonStepFailed:
		return "Read the message. It is tried again, with growing pauses."
	case reconcile.ReasonLastGood:
		return "Mend the file: until then its last good version serves."
	case reconcile.ReasonPaused, reconcile.ReasonSuspended:
		return "Take the annotation away when it may go on."
	case reconcile.ReasonRevoked:
		return "Run controller revoke --undo, as the message says, when it may be used again."
	case reconcile.ReasonNotIsolated:
		return "Close what the message names; the sidecar is put back at once."
	}
	return adviceToIsolate(reason)
}

// adviceToIsolate is that about a reason for which an environment is not isolated.
func adviceToIsolate(reason string) string {
	switch reason {
	case reconcile.ReasonDNSForwarded:
		return "Upgrade the engine, as the message says."
	case reconcile.ReasonNotInspected:
		return "docker inspect says why. Remove the container if it stays so."
	case reconcile.ReasonNotInternal, reconcile.ReasonDriverUnknown, reconcile.ReasonHostReachable, reconcile.ReasonIPv6Enabled:
		return "Make the network, or the container that the message names, anew as it says."
	case reconcile.ReasonOtherNetwork, reconcile.ReasonSharedNamespace, reconcile.ReasonPrivileged, reconcile.ReasonMaySpoof,
		reconcile.ReasonHostMount, reconcile.ReasonSidecarVolume:
		return "Make the container anew, or take it off the network, as the message says."
	}
	return ""
}
