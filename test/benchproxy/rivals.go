package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// The other proxies are set up as their manuals advise for an upstream whose connections are kept: they write one line for each
// request, and pass bodies on as they come where they would store them otherwise.

// configured writes a configuration and returns its path.
func configured(dir, text string) (string, error) {
	path := filepath.Join(dir, "config")
	return path, os.WriteFile(path, []byte(text), 0o600)
}

func nginx(l *lab, dir string, to demand) ([]string, error) {
	program, err := l.tool("nginx")
	if err != nil {
		return nil, err
	}
	secure := ""
	if to.secure() {
		secure = fmt.Sprintf("proxy_ssl_trusted_certificate %s; proxy_ssl_verify on; proxy_ssl_name upstream; proxy_ssl_server_name on;", l.rootsOf(to.source))
	}
	config, err := configured(dir, fmt.Sprintf(`
daemon off;
user root;
worker_processes %d;
worker_rlimit_nofile 8192;
pid %[2]s/pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
	access_log %[2]s/log combined;
	client_body_temp_path %[2]s; proxy_temp_path %[2]s; fastcgi_temp_path %[2]s; uwsgi_temp_path %[2]s; scgi_temp_path %[2]s;
	client_max_body_size 0;
	keepalive_requests 100000000;
	upstream origin { server %[3]s:%[4]d; keepalive 1024; keepalive_requests 100000000; }
	server {
		listen %[5]s:9103 backlog=4096;
		location / {
			proxy_pass %[6]s://origin;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Authorization "Bearer %[7]s";
			proxy_request_buffering off;
			%[8]s
			location /events/ { proxy_pass %[6]s://origin; proxy_buffering off; }
		}
	}
}
`, l.options.workers, dir, upstreamBeyond, to.port, proxiesInside, to.scheme, token, secure))
	return []string{program, "-c", config, "-p", dir, "-e", "stderr"}, err
}

func haproxy(l *lab, dir string, to demand) ([]string, error) {
	program, err := l.tool("haproxy")
	if err != nil {
		return nil, err
	}
	secure := ""
	switch {
	case to.source == http2Source():
		secure = "ssl verify required verifyhost upstream sni str(upstream) alpn h2 ca-file " + l.rootsOf(to.source)
	case to.secure():
		secure = "ssl verify required verifyhost upstream sni str(upstream) ca-file " + l.rootsOf(to.source)
	}
	streams := ""
	if to.streams {
		streams = "option http-no-delay"
	}
	config, err := configured(dir, fmt.Sprintf(`
global
	nbthread %d
	maxconn 4096
	log fd@2 len 2048 format raw local0
defaults
	mode http
	log global
	option httplog
	http-reuse always
	timeout connect 10s
	timeout client 1h
	timeout server 1h
	%s
frontend inside
	bind %s:9104 backlog 4096
	default_backend origin
backend origin
	http-request set-header Authorization "Bearer %s"
	server origin %s:%d pool-max-conn -1 %s
`, l.options.workers, streams, proxiesInside, token, upstreamBeyond, to.port, secure))
	return []string{program, "-db", "-f", config}, err
}

func caddy(l *lab, dir string, to demand) ([]string, error) {
	program, err := l.tool("caddy")
	if err != nil {
		return nil, err
	}
	secure := ""
	if to.secure() {
		secure = fmt.Sprintf("tls_server_name upstream\n\t\t\ttls_trusted_ca_certs %s", l.rootsOf(to.source))
	}
	config, err := configured(dir, fmt.Sprintf(`{
	admin off
	auto_https off
}
http://%s:9102 {
	log {
		output file %s/access {
			roll_disabled
		}
	}
	reverse_proxy %s {
		header_up Authorization "Bearer %s"
		transport http {
			keepalive_idle_conns_per_host 1024
			%s
		}
	}
}
`, proxiesInside, dir, to.url(), token, secure))
	return []string{program, "run", "--adapter", "caddyfile", "--config", config}, err
}
