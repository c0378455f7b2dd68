//go:build e2e

package e2e

import (
	"net"
	"strings"
	"testing"
)

// A container is at a private address, and the host is at its gateway's: the one is asked where the route says so, the other
// never.
func TestPrivateAddressesTakeTheRoutesLeave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setToken("token", "s3cret")
	host := docker(t, "network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", w.egress)
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	heard := make(chan net.Conn)
	go func() {
		defer close(heard)
		if conn, err := listener.Accept(); err == nil {
			heard <- conn
		}
	}()
	c := w.run()
	permitted := w.spec("web", "/v1")
	strict := strings.ReplaceAll(permitted, "    allowPrivate: true\n", "")
	w.drop("web.yaml", strict)
	c.ready("web")
	out, err := w.agentGets("-f", proxyURL+"/api/x")
	if err == nil || !strings.Contains(out+err.Error(), "allowPrivate: true") {
		t.Errorf("without leave: %v: %s", err, out)
	}
	w.drop("web.yaml", permitted+"  - path: /host\n    upstream: http://"+listener.Addr().String()+
		"\n    insecureUpstream: true\n    allowPrivate: true\n    auth: {scheme: Bearer, tokenRef: {file: token}}\n")
	w.served(proxyURL+"/api/x", "/v1/x")
	out, err = w.agentGets("-f", proxyURL+"/host/x")
	if err == nil || !strings.Contains(out+err.Error(), "engine's host") {
		t.Errorf("the host: %v: %s", err, out)
	}
	_ = listener.Close()
	if conn, ok := <-heard; ok {
		_ = conn.Close()
		t.Error("the host was dialled")
	}
}
