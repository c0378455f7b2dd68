package wiring

import (
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// addAnthropic is for Claude Code and Anthropic's libraries. All take ANTHROPIC_AUTH_TOKEN, which they send as a bearer token, and
// unlike ANTHROPIC_API_KEY Claude Code does not ask a person whether it may be used. With both it would warn. Only for
// CLAUDE_CODE_OAUTH_TOKEN it marks its requests as those of a subscription.
func (w *Wiring) addAnthropic(role spec.Role, r *spec.Route) {
	w.set("ANTHROPIC_BASE_URL", w.base(r))
	variable := "ANTHROPIC_AUTH_TOKEN"
	if role == spec.RoleClaudeCode {
		variable = "CLAUDE_CODE_OAUTH_TOKEN"
	}
	switch {
	case r.PassCredentials:
		w.ownKey(r, variable)
		return
	case w.CallerKey && role == spec.RoleAnthropic && strings.EqualFold(w.KeyHeader, "X-Api-Key"):
		w.set("ANTHROPIC_API_KEY", keyRef)
		return
	}
	w.set(variable, w.credential())
	if w.CallerKey && !w.bearsKey() {
		w.set("ANTHROPIC_CUSTOM_HEADERS", w.KeyHeader+":"+keyRef)
		if role == spec.RoleAnthropic {
			w.note("Claude Code shows the caller key by ANTHROPIC_CUSTOM_HEADERS; Anthropic's libraries have to be given the header in code")
		}
	}
}

// addOpenAI is for OpenAI's libraries and what is made with them: their base URL has the version in it.
func (w *Wiring) addOpenAI(r *spec.Route) {
	base := w.base(r)
	if u, err := spec.ParseUpstream(r.Upstream); err == nil && u.Path == "" {
		base += "/v1"
	}
	w.set("OPENAI_BASE_URL", base)
	if r.PassCredentials {
		w.ownKey(r, "OPENAI_API_KEY")
		return
	}
	w.set("OPENAI_API_KEY", w.credential())
	if w.CallerKey && !w.bearsKey() {
		w.note("OpenAI's libraries have to be given the caller key in code, as the header " + w.KeyHeader)
	}
}
