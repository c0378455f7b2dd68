package reconcile

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

// verdict is what one look at a name found: the facts from which its conditions follow.
type verdict struct {
	spec *spec.CredProxy
	// withheld are the routes of the spec that have no token, by path.
	withheld map[string]Withheld
	// taking is true while a sidecar has, or may have, a token of these routes.
	taking bool
	// sidecar is the container that serves or should serve; nil when there is none.
	sidecar *Sidecar
	// blocked and err say why the declaration is not in force; at most one is set.
	blocked *Blocked
	err     error
	// tokenErr is why a token could not be found; tokensChecked tells whether anybody looked.
	tokenErr      error
	tokensChecked bool
	// internal is the internal network; nil when it was not found.
	internal *Network
	// bounds is how well the environment is kept in.
	bounds bounds
	// policy is what was asked for permission; nil when nothing was.
	policy *Policy
	// outdated is true when the sidecar runs another image than the controller's own.
	outdated bool
	// left is true while something is left of a name that no file declares.
	left bool
	// inUse says which networks the spec left behind that others are on; nil when there are none.
	inUse *Blocked
	// lastLines are what a sidecar that fails wrote last.
	lastLines []string
}

// apply writes the verdict into a status.
func (v verdict) apply(status *spec.CredProxyStatus) {
	for _, c := range []metav1.Condition{v.ready(), v.tokens(), v.networks(), v.isolated(), v.policy.permitted(v.name())} {
		setCondition(status, c)
	}
	status.LastError = ""
	switch {
	case v.err != nil:
		status.LastError = cut(v.err.Error())
	case v.blocked != nil && v.blocked.Reason != ReasonPaused && v.blocked.Reason != ReasonProgressing:
		status.LastError = cut(v.blocked.Message)
	case v.tokenErr != nil:
		status.LastError = cut(v.tokenErr.Error())
	}
	status.ContainerID, status.ContainerName, status.SpecHash, status.RoutesDigest, status.URL = "", "", "", "", ""
	status.WithheldRoutes = nil
	if v.sidecar == nil {
		return
	}
	status.ContainerID, status.ContainerName, status.SpecHash = v.sidecar.ID, v.sidecar.Name, v.sidecar.SpecHash
	if v.sidecar.Report != nil {
		status.RoutesDigest = v.sidecar.Report.RoutesDigest
	}
	if !v.mayHold() {
		status.WithheldRoutes = slices.Sorted(maps.Keys(v.withheld))
	}
	if v.spec != nil {
		status.URL = "http://" + net.JoinHostPort(v.spec.Spec.Hostname, strconv.Itoa(int(v.spec.Spec.Port)))
	}
}

func (v verdict) name() string {
	if v.spec == nil {
		return ""
	}
	return v.spec.Name
}

// longest is the size in bytes of the longest message shown; an engine or a file may have more to say.
const longest = 1024

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: cut(message)}
}

// cut shortens a message to what is shown of it.
func cut(message string) string {
	if len(message) <= longest {
		return message
	}
	return strings.ToValidUTF8(message[:longest], "") + " …"
}

// ready judges by what stands in the way: a refusal first, then a failure, then the state of the sidecar.
func (v verdict) ready() metav1.Condition {
	switch {
	case v.err == nil && v.suffersOnly() && v.serves():
		return ready(metav1.ConditionFalse, reasonOfWithheld(v.withheld), v.withheldWords()+v.withoutThem())
	case v.bounds.shut != "" && v.err == nil && (v.blocked == nil || v.blocked.Reason == ReasonNotIsolated):
		return ready(metav1.ConditionFalse, ReasonNotIsolated, shutOut(v.sidecar != nil, v.bounds.shut))
	case v.blocked != nil:
		return v.refused()
	case v.err != nil:
		return ready(statusOf(v.err), reasonOf(v.err), v.failure())
	case v.sidecar == nil:
		return ready(metav1.ConditionFalse, ReasonProgressing, "the sidecar is being made")
	case v.crashing():
		return ready(metav1.ConditionFalse, ReasonCrashLooping, v.crash())
	case !v.serves():
		return v.notServing()
	}
	return v.serving()
}

// refused says why no step is taken. A pause is no fault of a sidecar that serves.
func (v verdict) refused() metav1.Condition {
	if v.blocked.Reason == ReasonPaused && v.serves() {
		return ready(metav1.ConditionTrue, ReasonPaused, v.blocked.Message)
	}
	return ready(metav1.ConditionFalse, v.blocked.Reason, v.blocked.Message+v.asItIs())
}

func ready(status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return condition(spec.ConditionReady, status, reason, message)
}

// notServing says how far a sidecar is.
func (v verdict) notServing() metav1.Condition {
	switch {
	case v.sidecar.State == StateExited:
		return ready(metav1.ConditionFalse, ReasonProgressing,
			fmt.Sprintf("the sidecar ended with exit code %d, and is started again", v.sidecar.ExitCode))
	case v.sidecar.State == StateRemoving:
		return ready(metav1.ConditionFalse, ReasonProgressing, "the sidecar is being removed")
	case v.sidecar.State != StateRunning:
		return ready(metav1.ConditionFalse, ReasonProgressing, "the sidecar is "+string(v.sidecar.State))
	case v.sidecar.Report == nil:
		return ready(metav1.ConditionUnknown, ReasonProgressing, "the sidecar runs and has not answered yet")
	}
	return ready(metav1.ConditionFalse, ReasonProgressing, "the sidecar does not serve yet: "+v.sidecar.Report.Error)
}

// serving says what is to be said of a sidecar that serves.
func (v verdict) serving() metav1.Condition {
	switch {
	case errors.Is(v.tokenErr, ErrTokenDenied):
		return ready(metav1.ConditionFalse, ReasonTokenDenied, v.tokenErr.Error()+v.asItIs())
	case v.bounds.rival != "":
		return ready(metav1.ConditionFalse, ReasonAliasConflict, v.bounds.rival+v.asItIs())
	case v.outdated:
		return ready(metav1.ConditionTrue, ReasonOutdated,
			"the sidecar serves; it runs another image than the controller's own (replaced with --upgrade-sidecars)")
	}
	message := "the sidecar serves"
	if breaches := breaches(v.bounds.found); len(breaches) > 0 {
		message += "; not isolated: " + wordsOf(breaches)
	}
	if rejected := rejections(v.spec, v.sidecar); len(rejected) > 0 {
		message += "; upstreams reject the tokens of " + joined(rejected, rejection.path, ", ") + ", see " + spec.ConditionTokensResolved
	}
	return ready(metav1.ConditionTrue, ReasonRunning, message)
}

// suffersOnly reports whether there is nothing to be said of a sidecar but that its tokens are withheld.
func (v verdict) suffersOnly() bool {
	return len(v.withheld) > 0 && v.bounds.shut == "" &&
		(v.blocked == nil || v.blocked.Reason == ReasonPaused || v.blocked.Reason == reasonOfWithheld(v.withheld))
}

// mayHold reports whether a sidecar may still have tokens that are withheld.
func (v verdict) mayHold() bool { return v.err != nil || v.taking }

func (v verdict) withheldWords() string { return wordsOfWithheld(v.withheld, len(v.spec.Spec.Routes)) }

// withoutThem says what a sidecar does whose tokens are withheld.
func (v verdict) withoutThem() string {
	if len(v.withheld) < len(v.spec.Spec.Routes) {
		return "; there the sidecar answers 503, and serves the other routes"
	}
	return "; the sidecar answers 503"
}

// asItIs says what becomes of a sidecar whose declaration is withheld.
func (v verdict) asItIs() string {
	switch {
	case v.sidecar == nil:
		return ""
	case v.serves() && len(v.withheld) > 0:
		return v.withoutThem()
	case v.serves():
		return "; its sidecar serves on as it is"
	}
	return "; its sidecar does not serve"
}

func (v verdict) serves() bool {
	return v.sidecar != nil && v.sidecar.State == StateRunning && serving(*v.sidecar)
}

// statusOf is Unknown when the engine could not be asked: nothing is known to be wrong with the sidecar.
func statusOf(err error) metav1.ConditionStatus {
	if reasonOf(err) == ReasonEngineUnavailable {
		return metav1.ConditionUnknown
	}
	return metav1.ConditionFalse
}

func (v verdict) failure() string {
	message := v.err.Error()
	if v.serves() {
		message += fmt.Sprintf("; the sidecar still serves generation %d", v.sidecar.Report.Generation)
	}
	return message + quoted(v.lastLines)
}

// crashes is how often the engine has to have restarted a sidecar that does not answer before it counts as crashing.
const crashes = 3

func (v verdict) crashing() bool {
	return v.sidecar.State == StateRestarting ||
		v.sidecar.State == StateRunning && v.sidecar.Report == nil && v.sidecar.RestartCount >= crashes
}

func (v verdict) crash() string {
	return fmt.Sprintf("the sidecar keeps ending (exit code %d, restarted %d times); the engine restarts it with growing pauses",
		v.sidecar.ExitCode, v.sidecar.RestartCount) + quoted(v.lastLines)
}

func quoted(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return "; its last lines: " + strings.Join(lines, " | ")
}

func (v verdict) tokens() metav1.Condition {
	const kind = spec.ConditionTokensResolved
	rejected := rejections(v.spec, v.sidecar)
	switch {
	case len(v.withheld) > 0 && v.mayHold():
		return condition(kind, metav1.ConditionUnknown, ReasonProgressing, "they are being taken from the sidecar: "+v.withheldWords())
	case len(v.withheld) > 0:
		return condition(kind, metav1.ConditionFalse, reasonOfWithheld(v.withheld), v.withheldWords())
	case v.tokenErr != nil:
		return condition(kind, metav1.ConditionFalse, reasonOf(v.tokenErr), v.tokenErr.Error())
	case len(rejected) > 0:
		return condition(kind, metav1.ConditionFalse, ReasonTokenRejected, joined(rejected, rejection.counted, "; "))
	case v.spec == nil || !v.tokensChecked:
		return condition(kind, metav1.ConditionUnknown, ReasonNotChecked, "no token was looked for yet")
	}
	found := fmt.Sprintf("%d of %d token references have a value", len(v.spec.Spec.Slots()), len(v.spec.Spec.Slots()))
	if len(v.spec.Spec.Slots()) == 1 {
		found = "the one token reference has a value"
	}
	return condition(kind, metav1.ConditionTrue, ReasonResolved, found)
}

func (v verdict) networks() metav1.Condition {
	const kind = spec.ConditionNetworksReady
	if v.blocked != nil {
		switch v.blocked.Reason {
		case ReasonNetworkNotFound, ReasonAmbiguousNetwork, ReasonEgressInternal, ReasonNetworkConflict, ReasonNetworkInUse:
			return condition(kind, metav1.ConditionFalse, v.blocked.Reason, v.blocked.Message)
		}
	}
	if v.internal == nil {
		return condition(kind, metav1.ConditionUnknown, ReasonNotChecked, "the networks were not looked at yet")
	}
	message := "both networks exist"
	if v.inUse != nil {
		message += "; " + v.inUse.Message
	}
	return condition(kind, metav1.ConditionTrue, ReasonFound, message)
}

func (v verdict) isolated() metav1.Condition {
	const kind = spec.ConditionIsolated
	switch {
	case !v.bounds.judged:
		return condition(kind, metav1.ConditionUnknown, ReasonNotChecked, "the internal network was not looked at yet")
	case len(v.bounds.found) > 0:
		return condition(kind, metav1.ConditionFalse, v.bounds.found[0].Reason, wordsOf(v.bounds.found))
	}
	return condition(kind, metav1.ConditionTrue, ReasonInternal, "the internal network leads nowhere, and nothing on it leads out of it")
}

// served is a sidecar as an attempt left it, before the next observation confirms it.
func served(id, name, hash string, report routetable.Report) *Sidecar {
	return &Sidecar{ID: id, Name: name, SpecHash: hash, State: StateRunning, Report: &report}
}
