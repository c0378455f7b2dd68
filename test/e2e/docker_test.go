//go:build e2e

package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// newID is a short name that nothing else on the engine bears.
func newID() string { return "e2e-" + strings.ToLower(rand.Text()[:8]) }

// tryDocker runs the docker command and returns what it printed.
func tryDocker(args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("docker", args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("docker %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

// docker is tryDocker for what has to succeed.
func docker(t testing.TB, args ...string) string {
	t.Helper()
	out, err := tryDocker(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// logsOf is all that a container wrote, for people too.
func logsOf(t testing.TB, container string) string {
	t.Helper()
	out, err := exec.Command("docker", "logs", container).CombinedOutput()
	if err != nil {
		t.Fatalf("docker logs %s: %v: %s", container, err, out)
	}
	return string(out)
}

// container is the part of docker inspect that the stories look at.
type container struct {
	ID      string `json:"Id"`
	Name    string
	Created string
	Image   string
	State   struct {
		Status    string
		StartedAt string
		Pid       int
	}
	RestartCount int
	Config       struct {
		User   string
		Env    []string
		Labels map[string]string
	}
	HostConfig struct {
		Memory         int64
		NanoCPUs       int64 `json:"NanoCpus"`
		PidsLimit      int64
		ReadonlyRootfs bool
		Privileged     bool
		CapAdd         []string
		CapDrop        []string
		SecurityOpt    []string
		Sysctls        map[string]string
		RestartPolicy  struct{ Name string }
		LogConfig      struct{ Config map[string]string }
		PortBindings   map[string]any
	}
	Mounts []struct {
		Type, Name, Destination string
	}
	NetworkSettings struct {
		Networks map[string]struct {
			NetworkID, IPAddress, MacAddress, GlobalIPv6Address string

			Aliases []string
		}
	}
}

// mac is the container's hardware address on a network.
func (c container) mac(network string) string { return c.NetworkSettings.Networks[network].MacAddress }

// address is the container's IPv4 address on a network.
func (c container) address(network string) string {
	return c.NetworkSettings.Networks[network].IPAddress
}

func inspect(t testing.TB, nameOrID string) container {
	t.Helper()
	c, err := tryInspect(nameOrID)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tryInspect is inspect for what may be gone.
func tryInspect(nameOrID string) (container, error) {
	out, err := tryDocker("container", "inspect", nameOrID)
	if err != nil {
		return container{}, err
	}
	return parseContainer(out)
}

// parseContainer reads what docker inspect printed of one container.
func parseContainer(out string) (container, error) {
	var all []container
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		return container{}, err
	}
	return all[0], nil
}

// exists reports whether there is a container of a name or ID.
func exists(nameOrID string) bool {
	_, err := tryDocker("container", "inspect", nameOrID)
	return err == nil
}

// labelled lists the IDs or names of an instance's things: container, volume or network.
func labelled(t testing.TB, kind, instance string) []string {
	t.Helper()
	args := []string{kind, "ls", "-q", "--filter", "label=credproxy.dev/instance=" + instance}
	if kind == "container" {
		args = append(args, "-a", "--no-trunc")
	}
	return strings.Fields(docker(t, args...))
}
