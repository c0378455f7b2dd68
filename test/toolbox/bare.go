package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

// reverseProxy is the floor that a proxy written in Go is measured against.
func reverseProxy(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("reverseproxy", flag.ContinueOnError)
	listen := flags.String("listen", ":9099", "address to listen on")
	roots := flags.String("roots", "", "file with the certificates in PEM that count for the upstream's, over HTTP/2 if it speaks that")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("reverseproxy wants one URL")
	}
	target, err := url.Parse(flags.Arg(0))
	if err != nil {
		return err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true, ForceAttemptHTTP2: true}
	if *roots != "" {
		pem, err := os.ReadFile(*roots)
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return serve(ctx, *listen, &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Set("Authorization", "Bearer bench")
		},
		Transport: transport,
	})
}
