package provider

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"credproxy.dev/controller/internal/operatorfile"
	"credproxy.dev/controller/pkg/spec"
)

// Kind is what the file of --token-providers writes as kind.
const Kind = "TokenProviders"

// Defaults of fields that the file leaves out.
const (
	DefaultTimeout         = 10 * time.Second
	DefaultRefreshBefore   = time.Minute
	DefaultRefreshInterval = 5 * time.Minute
)

// Provider is one that the operator declared.
type Provider struct {
	// Name is a DNS label, unique in the file.
	Name string
	// Command is the absolute path of the program, and Args are its arguments.
	Command string
	Args    []string
	// Env are variables that the program gets, and PassEnv names of those of the controller's that it gets as well.
	Env     []Variable
	PassEnv []string
	// Timeout is how long one call may take.
	Timeout time.Duration
	// RefreshBefore is how long before its expiry a token is asked for anew, and RefreshInterval how long after the last
	// call one that says no expiry.
	RefreshBefore, RefreshInterval time.Duration
}

// Variable is a variable of an environment.
type Variable struct {
	// Name is the variable's name: letters, digits and "_", not beginning with a digit. Not CREDPROXY_ and what follows, nor
	// KUBERNETES_EXEC_INFO: these are set by the controller.
	// +pattern=variableName
	Name string `json:"name"`
	// Value is what it holds.
	Value string `json:"value"`
}

// document is all providers of tokens: commands that the controller asks for them.
type document struct {
	// APIVersion is the version of the API.
	// +enum=spec.APIVersion
	APIVersion string `json:"apiVersion"`
	// Kind is the kind of the object.
	// +enum=Kind
	Kind string `json:"kind"`
	// Providers are all that specs may name.
	// +minItems=1
	// +maxItems=256
	Providers []declaration `json:"providers"`
}

// declaration is one provider.
// +title=Provider
type declaration struct {
	// Name is that by which specs know it, unique in the file: a DNS label.
	// +pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
	// +maxLength=63
	Name string `json:"name"`
	// Exec is the command that gives tokens.
	Exec execution `json:"exec"`
	// Timeout is how long one call may take.
	// +from=minTimeout
	// +to=maxTimeout
	// +default=DefaultTimeout
	Timeout string `json:"timeout,omitempty"`
	// RefreshBefore is how long before its expiry a token is asked for anew.
	// +from=minRefreshBefore
	// +to=maxRefreshBefore
	// +default=DefaultRefreshBefore
	RefreshBefore string `json:"refreshBefore,omitempty"`
	// RefreshInterval is how long after the last call a token is asked for anew that says no expiry.
	// +from=minRefreshInterval
	// +to=maxRefreshInterval
	// +default=DefaultRefreshInterval
	RefreshInterval string `json:"refreshInterval,omitempty"`
}

// execution is a command with its arguments and its environment. It has the names of a kubeconfig's exec, and passEnv.
// +title=Exec
type execution struct {
	// Command is the absolute path of the program, not beneath --specs; nothing is looked up, and there is no shell.
	// +pattern="^/"
	Command string `json:"command"`
	// Args are its arguments.
	// +maxItems=256
	// +items=An argument.
	Args []string `json:"args,omitempty"`
	// Env are variables that the program gets.
	// +maxItems=256
	Env []Variable `json:"env,omitempty"`
	// PassEnv are variables of the controller that it gets as well.
	// +maxItems=256
	// +items=The name of a variable.
	// +items:pattern=variableName
	PassEnv []string `json:"passEnv,omitempty"`
}

// Load reads the file of --token-providers. Its error has every problem, each on a line of its own as
// file:line: field: message. A file that others could have written is refused, such as one beneath the directory of specs,
// and so is one that runs a program from there.
func Load(path, specs string) ([]Provider, error) {
	data, err := operatorfile.Read(path, specs)
	if err != nil {
		return nil, fmt.Errorf("--token-providers %s: %w", path, err)
	}
	providers, problems := Decode(path, data, specs)
	if len(problems) == 0 {
		return providers, nil
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return nil, fmt.Errorf("--token-providers cannot be used:\n%s", strings.Join(lines, "\n"))
}

// Decode reads what such a file holds. There are providers only if there are no problems.
func Decode(path string, data []byte, specs string) ([]Provider, []spec.Problem) {
	var doc document
	problems := spec.DecodeConfig(path, data, Kind, &doc, func() (spec.Header, field.ErrorList) {
		return spec.Header{APIVersion: doc.APIVersion, Kind: doc.Kind}, validate(doc, specs)
	})
	if len(problems) > 0 {
		return nil, problems
	}
	providers := make([]Provider, len(doc.Providers))
	for i, d := range doc.Providers {
		providers[i] = Provider{
			Name: d.Name, Command: d.Exec.Command, Args: d.Exec.Args, Env: d.Exec.Env, PassEnv: d.Exec.PassEnv,
			Timeout:         duration(d.Timeout, DefaultTimeout),
			RefreshBefore:   duration(d.RefreshBefore, DefaultRefreshBefore),
			RefreshInterval: duration(d.RefreshInterval, DefaultRefreshInterval),
		}
	}
	return providers, nil
}

// duration is one that was validated.
func duration(text string, byDefault time.Duration) time.Duration {
	if d, err := time.ParseDuration(text); err == nil {
		return d
	}
	return byDefault
}
