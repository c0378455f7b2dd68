// Command composego reads compose files as docker compose does, with the library that it is made of, and prints the environment of
// a service, a variable a line. It is a module of its own, so that the project does not depend on that.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: composego SERVICE FILE…")
		os.Exit(2)
	}
	if err := print(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "composego:", err)
		os.Exit(1)
	}
}

func print(service string, files []string) error {
	options, err := cli.NewProjectOptions(files, cli.WithOsEnv, cli.WithName("composego"))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	found, err := project.GetService(service)
	if err != nil {
		return err
	}
	for name, value := range found.Environment {
		if value != nil {
			fmt.Println(name + "=" + *value)
		}
	}
	return nil
}
