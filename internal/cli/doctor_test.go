package cli

import (
	"encoding/json"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"credproxy.dev/controller/internal/doctor"
	"credproxy.dev/controller/internal/ptytest"
	"credproxy.dev/controller/pkg/reconcile"
)

// wellEngine has nothing wrong with it but for its DNS.
func wellEngine() reconcile.EngineFacts {
	return reconcile.EngineFacts{Host: "tcp://engine:2376", Product: "Docker", Version: "24.0.7", APIVersion: "1.43", MinAPIVersion: "1.41",
		Info: &reconcile.EngineInfo{IPv4Forwarding: true, ClockKnown: true}}
}

func TestDoctorPrintsATableWithWhatToDo(t *testing.T) {
	c := newConsole(t, &fakeController{})
	c.facts = wellEngine()
	dir := specs(t, "web.yaml", goodSpec)
	if code := c.run(t, "doctor", "--specs", dir, "--listen", "127.0.0.1:0"); code != 0 {
		t.Errorf("exit code %d, with warnings alone: %s%s", code, c.out.String(), c.err.String())
	}
	for _, words := range []string{"CHECK", "Docker 24.0.7, API 1.43, at tcp://engine:2376", "internal-dns", "warning", "→ upgrade to Docker 25.0.5, 26.0 or later",
		"1 valid specs in " + dir, "will be made"} {
		if !strings.Contains(c.out.String(), words) {
			t.Errorf("it does not say %q:\n%s", words, c.out.String())
		}
	}
}

func TestDoctorWrapsWhatItFoundOnATerminal(t *testing.T) {
	pty := ptytest.Open(t, 60, 24)
	err := printChecks(&screen{Writer: pty.Out}, []doctor.Check{
		{Name: "engine", Status: doctor.OK, Found: "Docker 24.0.7, API 1.43, at unix:///var/run/docker.sock"},
		{Name: "internal-dns", Status: doctor.Warning, Found: "questions may leave", Advice: "upgrade to 26.0.0 or newer when there is time for it"},
	})
	want := `CHECK          STATUS    FOUND
engine         ok        Docker 24.0.7, API 1.43, at
                         unix:///var/run/docker.sock
internal-dns   warning   questions may leave
                         → upgrade to 26.0.0 or newer when
                         there is time for it
`
	if err != nil {
		t.Fatal(err)
	}
	pty.Until(t, func(text string) bool { return text == want })
}

func TestDoctorEndsWithOneOnAFailure(t *testing.T) {
	c := newConsole(t, &fakeController{})
	c.facts = wellEngine()
	dir := specs(t, "\x1b[2J.yaml", "kind: [")
	if code := c.run(t, "doctor", "--specs", dir, "--token-dir", dir, "--listen", "127.0.0.1:0", "-o", "json"); code != 1 {
		t.Errorf("exit code %d: %s%s", code, c.out.String(), c.err.String())
	}
	var said diagnosis
	if err := json.Unmarshal([]byte(c.out.String()), &said); err != nil || said.Kind != "Diagnosis" {
		t.Fatalf("%v in %s", err, c.out.String())
	}
	got := map[string]doctor.Status{}
	for _, check := range said.Checks {
		got[check.Name] = check.Status
	}
	if got["specs"] != doctor.Warning || got["token-dir"] != doctor.Failure || got["engine"] != doctor.OK {
		t.Errorf("%v", got)
	}
	if strings.Contains(c.out.String(), "\x1b") {
		t.Error("the name of a file steers the terminal")
	}
}

// What run would not start with is a failure, and so is a command that this user cannot run.
func TestDoctorLooksAtThePolicyAndTheProviders(t *testing.T) {
	c := newConsole(t, &fakeController{})
	c.facts = wellEngine()
	providers := filepath.Join(specs(t, "providers.yaml", `apiVersion: credproxy.dev/v1alpha1
kind: TokenProviders
providers:
- {name: vault, exec: {command: /nowhere/vault-token}}
`), "providers.yaml")
	policy := filepath.Join(specs(t, "policy.yaml", "kind: ["), "policy.yaml")
	code := c.run(t, "doctor", "--token-providers", providers, "--policy", policy, "--listen", "127.0.0.1:0")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, words := range []string{"provider vault cannot be run as this user", "/nowhere/vault-token", "policy.yaml:1: not YAML"} {
		if !strings.Contains(c.out.String(), words) {
			t.Errorf("it does not say %q:\n%s%s", words, c.out.String(), c.err.String())
		}
	}
	well := newConsole(t, &fakeController{})
	well.facts = wellEngine()
	if code := well.run(t, "doctor", "--policy", "single-user", "--listen", "127.0.0.1:0"); code != 0 || !strings.Contains(well.out.String(), "single-user is good") {
		t.Errorf("code %d: %s%s", code, well.out.String(), well.err.String())
	}
}

// An engine that cannot even be named is one failure, and the rest is looked at all the same.
func TestDoctorWithoutAnEngine(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			_ = conn.Close()
		}
	}()
	c := newConsole(t, &fakeController{})
	c.engineErr = errors.New(`docker host "x" is not an address`)
	address := listener.Addr().String()
	if code := c.run(t, "doctor", "--listen", address); code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, words := range []string{`docker host "x" is not an address`, "no --specs was given", address + " is in use by something"} {
		if !strings.Contains(c.out.String(), words) {
			t.Errorf("it does not say %q:\n%s", words, c.out.String())
		}
	}
}

func TestDoctorsCommandLineIsChecked(t *testing.T) {
	for _, args := range [][]string{{"-o", "yaml"}, {"more"}, {"--listen", "nowhere"}, {"--call-timeout", "0s"}, {"--nonsense"}} {
		if code := newConsole(t, &fakeController{}).run(t, append([]string{"doctor"}, args...)...); code != 2 {
			t.Errorf("%v ends with %d", args, code)
		}
	}
}
