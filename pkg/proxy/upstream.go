package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout         = 10 * time.Second
	tlsHandshakeTimeout = 10 * time.Second
	// responseHeaderTimeout is above the ten minutes that the common model SDKs wait for an answer that is not
	// streamed, so that it is the client who gives up.
	responseHeaderTimeout = 15 * time.Minute
	// maxResponseHeaderBytes bounds what an upstream can make the sidecar hold.
	maxResponseHeaderBytes = 256 << 10
	// connBufferBytes is what a connection buffers in either direction, as long as it is open. Most headers fit, and what is larger
	// goes past it.
	connBufferBytes = 2 << 10
)

// newTransport makes the transport of one way. It keeps as many connections as there may be requests at a time: to close one and make
// it anew costs more than the request.
func newTransport(d *dialer, kept int, w way, certificate *tls.Certificate) (*http.Transport, error) {
	t := &http.Transport{
		// The environment is the image's or the operator's and has no say in where a token goes, by a proxy neither.
		Proxy: nil,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return d.dial(ctx, network, address, w.allowPrivate)
		},
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		TLSHandshakeTimeout:    tlsHandshakeTimeout,
		ResponseHeaderTimeout:  responseHeaderTimeout,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConns:           kept,
		MaxIdleConnsPerHost:    kept,
		MaxResponseHeaderBytes: maxResponseHeaderBytes,
		ReadBufferSize:         connBufferBytes,
		WriteBufferSize:        connBufferBytes,
	}
	if err := secure(t, w, certificate); err != nil {
		return nil, err
	}
	if w.proxy != "" {
		if err := throughProxy(t, d, w); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// secure has a transport accept the word of its way's own authorities only, and show its certificate to who asks.
func secure(t *http.Transport, w way, certificate *tls.Certificate) error {
	if w.roots == "" && certificate == nil {
		return nil
	}
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if w.roots != "" {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(w.roots)) {
			return errors.New("its roots are not certificates in PEM")
		}
		t.TLSClientConfig.RootCAs = roots
	}
	if certificate != nil {
		t.TLSClientConfig.Certificates = []tls.Certificate{*certificate}
	}
	return nil
}

// receive takes an upstream's answer, and changes what cannot pass as it is.
func (rt *route) receive(res *http.Response) error {
	rt.standing.note(res.StatusCode)
	// An answer with such a field has to be the sidecar's own.
	dropOwn(res.Header)
	rt.relocate(res)
	if len(res.Trailer) > 0 {
		// HTTP/2 has trailers behind a body of announced length; HTTP/1.1 has them behind chunks only (RFC 9112
		// section 7.1.2).
		res.Header.Del("Content-Length")
	}
	rt.scrub.switched(res)
	return rt.scrub.judge(res)
}

// fail answers when the upstream did not.
func (rt *route) fail(e *exchange, out *http.Request, err error) {
	if refused := tookTooLong(rt, context.Cause(out.Context())); refused != nil {
		e.refuse(refused)
		return
	}
	if out.Context().Err() != nil {
		// The client has left, or the sidecar ends: nobody reads an answer.
		panic(http.ErrAbortHandler)
	}
	var unread *unreadableError
	if errors.As(err, &unread) {
		e.refuse(unreadable(rt, unread))
		return
	}
	if e.upload.failed.Load() {
		e.refuse(bodyRefusal(e.upload.why))
		return
	}
	e.refuse(upstreamRefusal(rt, err))
}
