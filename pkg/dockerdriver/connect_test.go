package dockerdriver

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/docker/docker/client"
)

// dockerConfig is a directory as `docker context create` leaves it.
func dockerConfig(t *testing.T, current string, contexts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(path, text string) {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if current != "" {
		write("config.json", `{"currentContext":"`+current+`"}`)
	}
	for name, host := range contexts {
		sum := sha256.Sum256([]byte(name))
		write("contexts/meta/"+hex.EncodeToString(sum[:])+"/meta.json",
			`{"Name":"`+name+`","Metadata":{},"Endpoints":{"docker":{"Host":"`+host+`","SkipTLSVerify":false}}}`)
	}
	return dir
}

func TestTheEngineIsFoundAsTheDockerCLIFindsIt(t *testing.T) {
	contexts := map[string]string{"remote": "ssh://user@build.example.org", "rootless": "unix:///run/user/1000/docker.sock"}
	for name, c := range map[string]struct {
		override, dockerHost, dockerContext, current, want string
	}{
		"nothing is said":                   {want: client.DefaultDockerHost},
		"the current context":               {current: "rootless", want: "unix:///run/user/1000/docker.sock"},
		"DOCKER_CONTEXT before that":        {dockerContext: "remote", current: "rootless", want: "ssh://user@build.example.org"},
		"DOCKER_HOST before that":           {dockerHost: "tcp://127.0.0.1:2375", dockerContext: "remote", want: "tcp://127.0.0.1:2375"},
		"the flag before all":               {override: "unix:///tmp/d.sock", dockerHost: "tcp://127.0.0.1:2375", want: "unix:///tmp/d.sock"},
		"the context named default is none": {dockerContext: "default", current: "rootless", want: client.DefaultDockerHost},
		"a port is added":                   {override: "tcp://127.0.0.1", want: "tcp://127.0.0.1:2375"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DOCKER_HOST", c.dockerHost)
			t.Setenv("DOCKER_CONTEXT", c.dockerContext)
			t.Setenv("DOCKER_TLS_VERIFY", "")
			t.Setenv("DOCKER_TLS", "")
			endpoint, _, err := locate(c.override, dockerConfig(t, c.current, contexts))
			if err != nil || endpoint.Host != c.want {
				t.Errorf("got %q, %v", endpoint.Host, err)
			}
		})
	}
}

func TestAnEngineThatCannotBeFoundSaysWhatToDo(t *testing.T) {
	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONTEXT", "")
	t.Setenv("DOCKER_TLS_VERIFY", "")
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "config.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		host, dir string
		words     []string
	}{
		"an unknown context":     {"", dockerConfig(t, "lost", nil), []string{`"lost"`, "docker context ls"}},
		"a broken configuration": {"", broken, []string{"--docker-host"}},
		"no address":             {"ftp://x", t.TempDir(), []string{`"ftp://x"`, "unix://"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := locate(c.host, c.dir); !mentions(err, c.words...) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTLSOfTheEnvironment(t *testing.T) {
	certificates := t.TempDir()
	if err := os.WriteFile(filepath.Join(certificates, "ca.pem"), []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CERT_PATH", certificates)
	t.Setenv("DOCKER_TLS_VERIFY", "1")
	endpoint, _, err := locate("tcp://127.0.0.1:2376", t.TempDir())
	if err != nil || endpoint.Host != "tcp://127.0.0.1:2376" || endpoint.SkipTLSVerify || endpoint.TLSData == nil || endpoint.TLSData.Cert != nil {
		t.Errorf("got %+v, %v", endpoint, err)
	}
	if _, err := connect("tcp://127.0.0.1:2376", nil); !mentions(err, "ca.pem", "tcp://127.0.0.1:2376") {
		t.Errorf("got %v", err)
	}
}
