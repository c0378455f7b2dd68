package spec

import (
	"net/url"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

const mustBeBeneath = "must be a clean path relative to --ca-dir: no leading '/', '.', '..', '//' or control characters"

// validateReach is about the way to a route's upstream.
func validateReach(route Route, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	overTLS := strings.HasPrefix(strings.ToLower(route.Upstream), "https:")
	if route.CAFile != "" {
		path := at.Child("caFile")
		if !overTLS {
			errs = append(errs, field.Forbidden(path, "only an https:// upstream has a certificate; remove it, or write https://"))
		}
		if !isTokenFile(route.CAFile) {
			errs = append(errs, invalid(path, mustBeBeneath))
		}
	}
	if c := route.ClientCertificate; c != nil {
		path := at.Child("clientCertificate")
		if !overTLS {
			errs = append(errs, field.Forbidden(path, "only an https:// upstream asks for one; remove it, or write https://"))
		}
		switch {
		case c.CertFile == "":
			errs = append(errs, field.Required(path.Child("certFile"), "name the file of the certificate, beneath --ca-dir"))
		case !isTokenFile(c.CertFile):
			errs = append(errs, invalid(path.Child("certFile"), mustBeBeneath))
		}
		errs = append(errs, validateTokenRef(c.KeyRef, path.Child("keyRef"))...)
	}
	if route.ProxyURL != "" {
		path := at.Child("proxyURL")
		if !overTLS {
			errs = append(errs, field.Forbidden(path, "the proxy is asked for a tunnel, which is for https:// upstreams; remove it, or write https://"))
		}
		if !isProxyURL(route.ProxyURL) {
			errs = append(errs, invalid(path, "must be http://HOST:PORT alone, such as http://proxy.example.com:3128: no user, password, path or query"))
		}
	}
	return errs
}

// isProxyURL reports whether a URL names a host and a port, and nothing else.
func isProxyURL(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" || raw != "http://"+u.Host || !isHost(u.Hostname(), strings.HasPrefix(u.Host, "[")) {
		return false
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}
