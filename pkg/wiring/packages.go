package wiring

import (
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// addNPM is for npm. A registry names its packages' files by whole URLs, which the agent cannot reach, so npm is told to put
// its registry in place of every host. It refuses to publish without a token, and takes one from a file alone.
func (w *Wiring) addNPM(r *spec.Route) {
	registry := w.base(r) + "/"
	w.set("NPM_CONFIG_REGISTRY", registry)
	w.set("NPM_CONFIG_REPLACE_REGISTRY_HOST", "always")
	w.npm = append(w.npm, setting{"registry", registry}, setting{"replace-registry-host", "always"})
	if r.PassCredentials {
		w.ownKey(r, "npm's token", NPMRC)
		return
	}
	w.npm = append(w.npm, setting{strings.TrimPrefix(registry, "http:") + ":_authToken", w.credential()})
	switch {
	case !w.CallerKey:
	case w.bearsKey():
		w.readsKey = true
		w.note("npm shows the caller key from a file alone: put what -o npmrc prints into ~/.npmrc, where npm reads " + KeyVariable)
	default:
		w.cannotShow("npm", NPMRC)
	}
}

// addPip is for pip. It has one index: with a second one, whoever can put a package there chooses what is installed. Of hosts that
// speak http it trusts those that it is told to.
func (w *Wiring) addPip(r *spec.Route) {
	base := w.base(r) + "/simple/"
	switch {
	case !w.CallerKey || r.PassCredentials:
	case w.bearsKey():
		base = strings.Replace(base, "http://", "http://agent:"+keyRef+"@", 1)
	default:
		w.cannotShow("pip", PipConf)
	}
	w.set("PIP_INDEX_URL", base)
	w.set("PIP_TRUSTED_HOST", w.host())
	w.pip = append(w.pip, setting{"index-url", base}, setting{"trusted-host", w.host()})
}
