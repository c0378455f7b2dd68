package wiring

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"credproxy.dev/controller/pkg/spec"
)

// gitEntry is a setting of git: a section, the part of it that is in quotes, a key and a value.
type gitEntry struct{ section, part, key, value string }

func (e gitEntry) needsKey() bool { return strings.Contains(e.value, keyRef) }

// askForKey is a credential helper of git: a piece of shell that reads the key where git runs. It has no spaces, so that it
// survives a command line that is put together by a shell; ":" takes the word that git adds.
const askForKey = `!echo${IFS}username=agent;echo${IFS}password=$` + KeyVariable + `;:`

// addGit has git ask the sidecar for whatever begins as the upstream does, by https or ssh. git takes the longest beginning
// (git-config, url.<base>.insteadOf).
func (w *Wiring) addGit(r *spec.Route) {
	for _, prefix := range upstreamPrefixes(r) {
		w.git = append(w.git, gitEntry{"url", w.base(r) + "/", "insteadOf", prefix})
	}
	if !w.CallerKey || slices.ContainsFunc(w.git, func(e gitEntry) bool { return e.section != "url" }) {
		return
	}
	if w.bearsKey() {
		w.readsKey = true
		w.git = append(w.git, gitEntry{"credential", w.URL, "helper", askForKey})
		return
	}
	w.git = append(w.git, gitEntry{"http", w.URL + "/", "extraHeader", w.KeyHeader + ":" + keyRef})
}

// upstreamPrefixes are how the URLs of an upstream's repositories begin, as people write them. The port of ssh is not known, and
// goes without saying.
func upstreamPrefixes(r *spec.Route) []string {
	u, err := spec.ParseUpstream(r.Upstream)
	if err != nil {
		return nil
	}
	prefixes := []string{u.String() + "/"}
	host, path := u.Host, u.Path+"/"
	if strings.Contains(host, ":") {
		return append(prefixes, "ssh://git@["+host+"]"+path)
	}
	return append(prefixes, "git@"+host+":"+strings.TrimPrefix(path, "/"), "ssh://git@"+host+path)
}

// gitVariables are the settings as git 2.31 and newer reads them from its environment.
func gitVariables(entries []gitEntry) []Variable {
	if len(entries) == 0 {
		return nil
	}
	variables := []Variable{{"GIT_CONFIG_COUNT", strconv.Itoa(len(entries))}}
	for i, e := range entries {
		variables = append(variables,
			Variable{fmt.Sprintf("GIT_CONFIG_KEY_%d", i), e.section + "." + e.part + "." + e.key},
			Variable{fmt.Sprintf("GIT_CONFIG_VALUE_%d", i), e.value})
	}
	return variables
}

// login is one of tea's.
type login struct{ name, url, token, sshHost string }

// addTea is for tea, of which the environment can tell one login: the first.
func (w *Wiring) addTea(r *spec.Route) {
	u, err := spec.ParseUpstream(r.Upstream)
	if err != nil {
		return
	}
	l := login{name: w.loginName(r), url: w.base(r), token: w.credential(), sshHost: u.Host}
	if w.CallerKey && !w.bearsKey() {
		w.cannotShow("tea", Tea)
	}
	if r.PassCredentials {
		w.ownKey(r, "tea's token", Tea)
		l.token = ""
	}
	if w.logins = append(w.logins, l); len(w.logins) > 1 {
		w.note("tea takes one login from its environment, that of " + w.logins[0].name + "; -o tea prints a file with all of them")
		return
	}
	w.set("GITEA_INSTANCE_URL", l.url)
	if l.token != "" {
		w.set("GITEA_TOKEN", l.token)
	}
	w.set("GITEA_INSTANCE_SSH_HOST", l.sshHost)
}

// loginName is a name that no other login has: tea does not tell capitals from small letters.
func (w *Wiring) loginName(r *spec.Route) string {
	name := strings.ReplaceAll(strings.TrimPrefix(r.Path, "/"), "/", "-")
	if name == "" {
		name = w.Name
	}
	for n, base := 2, name; slices.ContainsFunc(w.logins, func(l login) bool { return strings.EqualFold(l.name, name) }); n++ {
		name = base + "-" + strconv.Itoa(n)
	}
	return name
}
