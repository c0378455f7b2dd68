package proxy

// isOverride tells the fields by which a client could have a server take a request for another one than was judged: of another
// path (Symfony and IIS knew the first two), of another site, or with another body, since CGI cannot tell Content_Length from
// Content-Length (RFC 3875 section 4.1.18). Their proper writings are net/http's, which makes them anew.
func isOverride(name string) bool {
	for _, field := range [...]string{
		"X-Original-Url", "X-Rewrite-Url", "X-Original-Uri",
		"X-Host", "X-Original-Host", "X-Http-Host-Override",
		"Content-Length", "Transfer-Encoding",
	} {
		if sameField(name, field) {
			return true
		}
	}
	return false
}

// isAddress tells the fields in which proxies of this and that make say at which address a client is.
func isAddress(name string) bool {
	for _, field := range [...]string{
		"X-Real-Ip", "Client-Ip", "X-Client-Ip", "True-Client-Ip", "X-Cluster-Client-Ip", "Cf-Connecting-Ip",
	} {
		if sameField(name, field) {
			return true
		}
	}
	return false
}
