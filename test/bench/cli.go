package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// make runs the five commands: a build that is cached, create, cp, network connect and start.
func (c *cli) make(ctx context.Context, name string) error {
	if _, err := docker(ctx, "build", "-q", "-t", c.b.cliImage(), c.context); err != nil {
		return err
	}
	create := []string{
		"create", "--name", name, "--network", c.b.internal, "--network-alias", name,
		"--user", "65532:65532", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
		"--sysctl", "net.ipv4.ip_forward=0", "--sysctl", "net.ipv6.conf.all.forwarding=0",
		"--memory", "64m", "--memory-swap", "64m", "--cpus", "1", "--pids-limit", "64",
		"--restart", "unless-stopped", "--stop-timeout", "35",
		"--log-driver", "json-file", "--log-opt", "max-size=10m", "--log-opt", "max-file=3", "--log-opt", "mode=non-blocking",
		"--mount", "type=volume,target=/run/cred-proxy", c.b.cliImage(),
	}
	if _, err := docker(ctx, create...); err != nil {
		return err
	}
	files, err := os.Open(c.files)
	if err != nil {
		return err
	}
	defer files.Close()
	copying := exec.CommandContext(ctx, "docker", "cp", "-", name+":/run/cred-proxy")
	copying.Stdin = files
	if out, err := copying.CombinedOutput(); err != nil {
		return fmt.Errorf("docker cp: %w: %s", err, out)
	}
	if _, err := docker(ctx, "network", "connect", c.b.egress, name); err != nil {
		return err
	}
	_, err = docker(ctx, "start", name)
	return err
}
