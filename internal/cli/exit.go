package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// Exit codes, as scripts rely on them.
const (
	codeGood         = 0
	codeBad          = 1 // the answer is no, or the verb failed
	codeUsage        = 2 // the command line is wrong; for plan, also that it failed, or is not the whole of it
	codeNoController = 3 // no controller answers
	// codeClosedPipe is what a shell gives to a program that SIGPIPE ended, which is what most programs do of it.
	codeClosedPipe = 128 + 13
)

// exitError ends a verb with a code. A nil err means that everything was said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d: %v", e.code, e.err) }
func (e *exitError) Unwrap() error { return e.err }

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

func isUsage(err error) bool {
	var usage *usageError
	return errors.As(err, &usage)
}

// verb makes a command's body: what it fails with ends in the given code, unless it says another.
func verb(code int, body func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := body(cmd, args)
		var exit *exitError
		if err == nil || isUsage(err) || errors.As(err, &exit) {
			return err
		}
		return &exitError{code, err}
	}
}

// codeOf returns the exit code and what is left to be said. An error that no verb made is cobra's, about the
// command line.
func codeOf(err error) (int, error) {
	if err == nil {
		return codeGood, nil
	}
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code, exit.err
	}
	if isUsage(err) {
		return codeUsage, err
	}
	return codeUsage, &usageError{err}
}
