package reconcile

import "errors"

// Reasons of conditions, events and blocked plans. They are part of the API.
const (
	ReasonRunning           = "Running"
	ReasonProgressing       = "Progressing"
	ReasonInvalidSpec       = "InvalidSpec"
	ReasonDuplicateName     = "DuplicateName"
	ReasonTokenMissing      = "TokenMissing"
	ReasonTokenDenied       = "TokenDenied"
	ReasonTokenInvalid      = "TokenInvalid"
	ReasonTokenRejected     = "TokenRejected"
	ReasonNetworkNotFound   = "NetworkNotFound"
	ReasonNetworkConflict   = "NetworkConflict"
	ReasonNetworkInUse      = "NetworkInUse"
	ReasonAmbiguousNetwork  = "AmbiguousNetwork"
	ReasonEgressInternal    = "EgressInternal"
	ReasonAliasConflict     = "AliasConflict"
	ReasonImageUnavailable  = "ImageUnavailable"
	ReasonNameConflict      = "NameConflict"
	ReasonEngineUnavailable = "EngineUnavailable"
	ReasonCrashLooping      = "CrashLooping"
	ReasonRoutesRefused     = "RoutesRefused"
	ReasonPruneBlocked      = "PruneBlocked"
	ReasonPaused            = "Paused"
	ReasonOutdated          = "Outdated"
	ReasonStepFailed        = "StepFailed"
	ReasonSuspended         = "Suspended"
	ReasonRevoked           = "Revoked"
	ReasonPolicyDenied      = "PolicyDenied"
	ReasonPolicyInvalid     = "PolicyInvalid"
	ReasonQuotaExceeded     = "QuotaExceeded"
	ReasonRootsUnusable     = "RootsUnusable"

	// Reasons of the conditions other than Ready.
	ReasonResolved   = "Resolved"
	ReasonNotChecked = "NotChecked"
	ReasonFound      = "Found"
	ReasonInternal   = "InternalNetwork"
	ReasonInForce    = "InForce"
	ReasonLastGood   = "LastGood"
	ReasonPermitted  = "Permitted"
	ReasonNoPolicy   = "NoPolicy"

	// ReasonNotIsolated is Ready's while a breach keeps a sidecar off its internal network.
	ReasonNotIsolated = "NotIsolated"

	// Reasons for which Isolated is False; breaches first; the last two are always warnings, and
	// HostReachable is one where it is about what a container may do.
	ReasonNotInternal     = "NotInternal"
	ReasonDriverUnknown   = "DriverUnknown"
	ReasonHostReachable   = "HostReachable"
	ReasonOtherNetwork    = "OtherNetwork"
	ReasonSharedNamespace = "SharedNamespace"
	ReasonPrivileged      = "Privileged"
	ReasonMaySpoof        = "MaySpoof"
	ReasonHostMount       = "HostMount"
	ReasonSidecarVolume   = "SidecarVolume"
	ReasonIPv6Enabled     = "IPv6Enabled"
	ReasonDNSForwarded    = "DNSForwarded"
	ReasonNotInspected    = "NotInspected"
)

// Reasons lists every reason of a condition or a blocked plan.
func Reasons() []string {
	return []string{
		ReasonRunning, ReasonProgressing, ReasonInvalidSpec, ReasonDuplicateName, ReasonTokenMissing,
		ReasonTokenDenied, ReasonTokenInvalid, ReasonTokenRejected, ReasonNetworkNotFound, ReasonNetworkConflict,
		ReasonNetworkInUse, ReasonAmbiguousNetwork, ReasonEgressInternal, ReasonAliasConflict, ReasonImageUnavailable,
		ReasonNameConflict, ReasonEngineUnavailable, ReasonCrashLooping, ReasonRoutesRefused, ReasonPruneBlocked,
		ReasonPaused, ReasonOutdated, ReasonStepFailed, ReasonSuspended, ReasonRevoked, ReasonPolicyDenied,
		ReasonPolicyInvalid, ReasonQuotaExceeded, ReasonRootsUnusable, ReasonResolved, ReasonNotChecked, ReasonFound,
		ReasonInternal, ReasonInForce, ReasonLastGood, ReasonPermitted, ReasonNoPolicy, ReasonNotIsolated,
		ReasonNotInternal, ReasonDriverUnknown, ReasonHostReachable, ReasonOtherNetwork, ReasonSharedNamespace,
		ReasonPrivileged, ReasonMaySpoof, ReasonHostMount, ReasonSidecarVolume, ReasonIPv6Enabled, ReasonDNSForwarded,
		ReasonNotInspected,
	}
}

// reasonOf maps the kind of a failure to its reason.
func reasonOf(err error) string {
	for _, k := range []struct {
		kind   error
		reason string
	}{
		{ErrEngineUnavailable, ReasonEngineUnavailable},
		{ErrNameConflict, ReasonNameConflict},
		{ErrNetworkNotFound, ReasonNetworkNotFound},
		{ErrImageUnavailable, ReasonImageUnavailable},
		{ErrRoutesRefused, ReasonRoutesRefused},
		{ErrTokenMissing, ReasonTokenMissing},
		{ErrTokenDenied, ReasonTokenDenied},
		{ErrTokenInvalid, ReasonTokenInvalid},
		{ErrNotRunning, ReasonCrashLooping},
		{ErrNotIsolated, ReasonNotIsolated},
	} {
		if errors.Is(err, k.kind) {
			return k.reason
		}
	}
	return ReasonStepFailed
}

// isTokenReason reports whether a reason is about a token's source, which no engine event announces.
func isTokenReason(reason string) bool {
	return reason == ReasonTokenMissing || reason == ReasonTokenDenied || reason == ReasonTokenInvalid
}
