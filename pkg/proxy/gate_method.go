package proxy

import (
	"net/url"
	"strings"
)

// isMethodOverride tells the fields by which a client asks a server to take a request for one of another method. On a route
// with a policy they are taken out: the method that was judged has to be the one that is meant.
func isMethodOverride(name string) bool {
	return sameField(name, "X-Http-Method-Override") || sameField(name, "X-Method-Override") || sameField(name, "X-Http-Method")
}

// overridesMethod reports whether a query has the parameter _method, which stands for the method with Symfony, Laravel and
// others of their kind. PHP takes a space or a dot in a name for _, and drops spaces before it.
func overridesMethod(query string) bool {
	for query != "" {
		var parameter string
		if end := strings.IndexAny(query, "&;"); end >= 0 {
			parameter, query = query[:end], query[end+1:]
		} else {
			parameter, query = query, ""
		}
		name, _, _ := strings.Cut(parameter, "=")
		if decoded, err := url.QueryUnescape(name); err == nil {
			name = decoded
		}
		name = strings.NewReplacer(" ", "_", ".", "_").Replace(strings.TrimLeft(name, " "))
		if strings.EqualFold(name, "_method") {
			return true
		}
	}
	return false
}
