package attacks

// redirects sends the agent, or its credential, elsewhere.
func redirects() []attack {
	redirect := func(name, cost, to, comes string) attack {
		return attack{
			name: name, cost: cost,
			set: func(s *stage) {
				s.upstream("upstream.test").answer = func(*request) string {
					return head("HTTP/1.1 307 Temporary Redirect", "Content-Length: 0", "Location: "+to)
				}
			},
			sends: post("/r/x", "abc"), gets: []string{"307"}, arrives: []string{"upstream.test: POST /base/x"},
			shows: func(s *scene, got []answer) {
				if place := got[0].header.Get("Location"); place != comes {
					s.t.Errorf("it leads to %q, not %q", place, comes)
				}
			},
		}
	}
	const follows = "the credential would go where an upstream sends it, if the sidecar followed"
	const astray = "the agent would be led to another route, and spend that one's credential there"
	return []attack{
		redirect("a redirect to another host", follows, "http://evil.test/x", "http://evil.test/x"),
		redirect("a redirect to another host without a scheme", follows, "//evil.test/x", "//evil.test/x"),
		redirect("a redirect to another port", follows, "http://upstream.test:8080/base/x", "http://upstream.test:8080/base/x"),
		redirect("a redirect with user information", follows, "http://upstream.test@evil.test/base/x", "http://upstream.test@evil.test/base/x"),
		redirect("a redirect beside the route", astray, "/key/x", "http://upstream.test/key/x"),
		redirect("a redirect out of the route by dots", astray, "/base/../key/x", "http://upstream.test/key/x"),
		redirect("a redirect whose path looks like a host", astray, "/base//evil.test/x", "http://upstream.test/base//evil.test/x"),
		redirect("a redirect below the route", "the agent would be led past the sidecar, without a credential", "http://upstream.test/base/y?z", "/r/y?z"),
	}
}
