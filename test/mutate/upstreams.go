package main

const destination, dialer, egress, location = "pkg/proxy/destination.go", "pkg/proxy/dialer.go", "pkg/proxy/egressproxy.go", "pkg/proxy/location.go"
const relay, upstream = "pkg/proxy/relay.go", "pkg/proxy/upstream.go"

// ofDestinations are about what is dialled.
func ofDestinations() []protection {
	return []protection{
		{name: "addresses are judged", file: dialer, old: "			refused = err\n			continue\n", new: "			refused = err\n"},
		{name: "what is dialled is what was judged", file: dialer, old: "	return d.race(ctx, network, port, permitted)", new: "	again, _ := d.lookup(ctx, \"ip\", host)\n	return d.race(ctx, network, port, append(again, permitted...))"},
		{name: "the sidecar's own addresses are not dialled", file: destination, old: "slices.Contains(s.own, addr):", new: "false:"},
		{name: "the engine's host is not dialled", file: destination, old: "slices.Contains(s.hosts, addr):", new: "false:"},
		{name: "the internal network is not dialled", file: destination, old: "s.internal.inside(addr):", new: "false:"},
		{name: "gateways are the host", file: "pkg/proxy/ward.go", old: "slices.Concat(where.hosts, gateways)", new: "slices.Concat(where.hosts, gateways[:0])"},
		{name: "a cloud's metadata is not dialled", file: destination, old: `	add(never, metadata, "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32", "fd20:ce::254/128")`, new: "	_ = metadata"},
		{name: "the loopback is not dialled", file: destination, old: `	add(never, loopback, "127.0.0.0/8", "::1/128")`, new: "	_ = loopback"},
		{name: "link-local addresses are not dialled", file: destination, old: `	add(never, linkLocal, "169.254.0.0/16", "fe80::/10")`, new: "	_ = linkLocal"},
		{name: "multicast is not dialled", file: destination, old: `	add(never, "a multicast address", "224.0.0.0/4", "ff00::/8")` + "\n", new: ""},
		{name: "addresses of no machine are not dialled", file: destination, old: `	add(never, unusable, "0.0.0.0/8", "255.255.255.255/32", "192.88.99.0/24")`, new: "	_ = unusable"},
		{name: "private networks take a route's leave", file: destination, old: "worst.kind == private && allowPrivate", new: "worst.kind == private"},
		{name: "addresses of IPv4 are known in IPv6", file: destination, old: "	if !addr.Is6() {", new: "	if addr.IsValid() {"},
		{name: "the host is known by its names", file: dialer, old: "if namesHost(host) {", new: "if false {", elsewhere: []string{"TestTheHostIsNotReachedByItsNames"}},
		{name: "of an upstream behind an egress proxy the name is judged", file: egress, old: "if err := d.judgeName(r.URL.Hostname(), w.allowPrivate); err != nil {", new: "if err := d.judgeName(r.URL.Hostname(), w.allowPrivate); err != nil && false {"},
		{name: "an egress proxy is judged", file: egress, old: "	direct := t.DialContext\n", new: "	direct := (&net.Dialer{}).DialContext\n", elsewhere: []string{"TestThroughAnEgressProxyGoesATunnelAndNoToken"}},
		{name: "the environment's proxy is not used", file: upstream, old: "Proxy: nil,", new: "Proxy: http.ProxyFromEnvironment,", elsewhere: []string{"TestEnvironmentHasNoSayInWhereRequestsGo"}},
		{name: "a refusal tells no address", file: destination, old: "	return &destinationError{block: worst}", new: "	worst.what += addr.String()\n	return &destinationError{block: worst}"},
		{name: "certificates are checked", file: upstream, old: "&tls.Config{MinVersion: tls.VersionTLS12}", new: "&tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}", elsewhere: []string{"TestARoutesOwnRootsAreItsAlone"}},
		{name: "a route's roots are its own", file: "pkg/proxy/outlets.go", old: "roots: r.Roots, ", new: "", elsewhere: []string{"TestARoutesOwnRootsAreItsAlone"}},
		{name: "a client certificate is shown for its route alone", file: "pkg/proxy/outlets.go", old: "	w.identity = sha256.Sum256([]byte(r.ClientCertificate.Certificates + key.Reveal()))", new: "	w.identity = identity{}", elsewhere: []string{"TestAClientCertificateIsShownForItsRouteAlone"}},
		{name: "not even for one that shows another", file: "pkg/proxy/outlets.go", old: "	w.identity = sha256.Sum256([]byte(r.ClientCertificate.Certificates + key.Reveal()))", new: "	w.identity = sha256.Sum256(nil)", elsewhere: []string{"TestAClientCertificateIsShownForItsRouteAlone"}},
	}
}

// ofRedirects are about places that an upstream names.
func ofRedirects() []protection {
	return []protection{
		{name: "places come back under the route", file: upstream, old: "	rt.relocate(res)\n", new: ""},
		{name: "no place becomes another route's", file: location, old: "	return to.String()\n", new: "	return to.EscapedPath()\n"},
		{name: "no path becomes a host", file: location, old: ` || beginsAuthority(rest) {`, new: " {"},
		{name: "other servers' places stay", file: location, old: " || !sameServer(to, rt.upstream) {", new: " {"},
		{name: "ports are compared", file: location, old: " && portOf(a) == portOf(b)", new: ""},
	}
}

// ofAnswers are about what an upstream sends.
func ofAnswers() []protection {
	return []protection{
		{name: "an answer's own fields are not the sidecar's", file: upstream, old: "	dropOwn(res.Header)\n", new: ""},
		{name: "nor are its trailers", file: relay, old: "	dropOwn(trailers)\n", new: ""},
		{name: "nor are interim answers'", file: "pkg/proxy/exchange.go", old: "		dropOwn(e.Header()) // of an upstream's interim answer\n", new: ""},
		{name: "an upstream's words are not in errors", file: "pkg/proxy/errors.go", old: `message: host + " could not be reached: " + reason(err),`, new: `message: host + " could not be reached: " + reason(err) + err.Error(),`},
		{name: "an answer's header is bounded", file: upstream, old: "MaxResponseHeaderBytes: maxResponseHeaderBytes,", new: "MaxResponseHeaderBytes: 1 << 30,"},
		{name: "nothing is unpacked", file: upstream, old: "DisableCompression:     true,", new: "DisableCompression:     false,"},
		{name: "what is asked for can be searched", file: route, old: "	rt.scrub.ask(out.Header)\n", new: ""},
		{name: "no part is asked for", file: "pkg/proxy/scrub.go", old: "	delete(h, \"Range\")\n", new: ""},
		{name: "on no condition either", file: "pkg/proxy/scrub.go", old: "	delete(h, \"If-Range\")\n", new: ""},
		{name: "no extension of WebSocket is asked for", file: "pkg/proxy/scrub.go", old: "	delete(h, \"Sec-Websocket-Extensions\")\n", new: ""},
		{name: "what cannot be searched is refused", file: upstream, old: "	return rt.scrub.judge(res)", new: "	return nil"},
		{name: "parts are refused", file: "pkg/proxy/scrub.go", old: "case res.StatusCode == http.StatusPartialContent:", new: "case false:"},
		{name: "extensions are refused", file: "pkg/proxy/scrub.go", old: `case res.StatusCode == http.StatusSwitchingProtocols && len(res.Header["Sec-Websocket-Extensions"]) > 0:`, new: "case false:"},
		{name: "other encodings are refused", file: "pkg/proxy/scrub.go", old: `if value != "" && !strings.EqualFold(value, "identity") {`, new: `if value != "" && !strings.EqualFold(value, "identity") && false {`},
		{name: "each field of them", file: "pkg/proxy/scrub.go", old: "		for _, value := range res.Header[e.used] {", new: "		for _, value := range res.Header[e.used][:min(1, len(res.Header[e.used]))] {"},
		{name: "bodies are searched", file: "pkg/proxy/exchange.go", old: "	out, unread := e.scrub.next(buffer, room)\n", new: "	out, unread := buffer[room:], error(nil)\n"},
		{name: "headers are searched", file: "pkg/proxy/exchange.go", old: "		e.scrub.header(e.Header())\n", new: ""},
		{name: "trailers are searched", file: relay, old: "	e.scrub.fields(trailers)\n", new: ""},
		{name: "handshakes are searched", file: upstream, old: "	rt.scrub.switched(res)\n", new: ""},
		{name: "WebSockets are searched", file: "pkg/proxy/tunnel.go", old: "		return e.scrub.tunnel(e.tunnel), nil", new: "		return e.tunnel, nil"},
		{name: "gRPC's messages are searched as such", file: "pkg/proxy/scrub_exchange.go", old: "	if isEnveloped(h) {", new: "	if false {"},
	}
}

// ofSpellings are about the forms in which a token is found.
func ofSpellings() []protection {
	const needles, stream, frames, layout = "pkg/scrub/needles.go", "pkg/scrub/stream.go", "pkg/scrub/frames.go", "pkg/scrub/layout.go"
	return []protection{
		{name: "base64 is known at each offset", file: needles, old: "for offset := range 3 {", new: "for offset := range 1 {"},
		{name: "base64 is known in both alphabets", file: needles, old: ", inBase64(token, offset, base64.RawURLEncoding))", new: ")"},
		{name: "hex is known", file: needles, old: "	all = append(all, needle{text: []byte(digits)}, needle{text: []byte(strings.ToUpper(digits))})\n", new: "	_ = digits\n"},
		{name: "hex is known in capitals", file: needles, old: ", needle{text: []byte(strings.ToUpper(digits))})", new: ")"},
		{name: "percent-encoding is known", file: stream, old: "if kinds&percents != 0 {", new: "if kinds&percents != 0 && false {"},
		{name: "JSON's escapes are known", file: stream, old: "if kinds&backslash != 0 {", new: "if kinds&backslash != 0 && false {"},
		{name: "what may go on is held back", file: stream, old: "	return s.pass(data, own, s.needles.decided(data))", new: "	return s.pass(data, own, len(data))"},
		{name: "frames that cannot be read end their connection", file: layout, old: "	if head[0]&0x70 != 0 || head[1]&0x80 != 0 {", new: "	if false {", elsewhere: []string{"TestFramesThatCannotBeReadArePassedOnNoFurther"}},
		{name: "messages that are compressed end theirs", file: layout, old: "case flagsMessage, flagsEnd, flagsTrailers:", new: "case flagsMessage, flagsEnd, flagsTrailers, flagsMessage + 1:"},
		{name: "the head of a message is searched with it", file: layout, old: ", Searched: true}", new: "}", elsewhere: []string{"TestATokenThatIsTakenForAHeadIsNotPassedOn"}},
		{name: "a message is one text in however many frames", file: layout, old: "		return Unfinished\n", new: "		return Last\n"},
		{name: "pings and their kind are searched", file: frames, old: "f.queue.put(f.scrubbedAside())", new: "f.queue.put(f.aside)"},
		{name: "frames of nothing are not kept without end", file: "pkg/scrub/queue.go", old: "q.bytes > q.room {", new: "q.bytes < 0 {", elsewhere: []string{"TestFramesOfNothingAreNotKeptWithoutEnd"}},
		{name: "what is held back tells nothing", file: "pkg/scrub/runs.go", old: "kinds[b] = inside", new: "kinds[b] = 0", elsewhere: []string{"TestWhatIsHeldBackTellsNothingOfTheToken"}},
	}
}
