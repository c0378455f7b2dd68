package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/internal/ptytest"
	"credproxy.dev/controller/internal/terminal"
	"credproxy.dev/controller/pkg/reconcile"
)

// stepOf is a step that begins.
func stepOf(name string, number, steps int, step reconcile.StepName, target string) reconcile.Progress {
	return reconcile.Progress{Name: name, Number: number, Steps: steps, Step: reconcile.Step{Step: step, Target: target}}
}

func endOf(name string, steps int, err error) reconcile.Progress {
	return reconcile.Progress{Name: name, Steps: steps, Done: true, Err: err}
}

func TestApplyTellsEachStepWhereNobodyWatches(t *testing.T) {
	fake := &fakeController{once: func(_ context.Context, tell func(reconcile.Progress)) error {
		tell(stepOf("web", 1, 2, reconcile.StepCreate, "cred-proxy-web"))
		tell(stepOf("web", 2, 2, reconcile.StepStart, "cred-proxy-web"))
		tell(endOf("web", 2, nil))
		tell(stepOf("api", 1, 1, reconcile.StepDrain, "cred-proxy-api\x1b[2J"))
		tell(endOf("api", 1, errors.New("it\nhangs\x1b[2J")))
		tell(endOf("unplanned", 1, nil))
		return nil
	}}
	c := newConsole(t, fake)
	dir := specs(t, "web.yaml", goodSpec, "api.yaml", specNamed("api"), "idle.yaml", specNamed("idle"))
	if code := c.run(t, "apply", "--specs", dir); code != 0 {
		t.Fatalf("exit code %d: %s", code, c.err.String())
	}
	_, told, _ := strings.Cut(c.out.String(), "\n\n")
	told, _, _ = strings.Cut(told, "\n\n")
	want := `web: 1/2 create cred-proxy-web
web: 2/2 start cred-proxy-web
web: done, after Xs
api: 1/1 drain cred-proxy-api` + "\ufffd" + `[2J
api: failed: it hangs` + "\ufffd" + `[2J, after Xs
unplanned: done, after Xs
idle: nothing was left to do`
	if diff := gocmp.Diff(want, regexp.MustCompile(`\d+\.\ds`).ReplaceAllString(told, "Xs")); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	if strings.Contains(c.out.String(), "\x1b") {
		t.Errorf("it steers: %q", c.out.String())
	}
}

const specWithToken = goodSpec + "    auth: {scheme: Bearer, tokenRef: {file: git}}\n"

// What a token is, no plan knows: that one is delivered which has changed is seen when it is done.
func TestApplyTellsWhatItsPlanCouldNotKnow(t *testing.T) {
	c := newConsole(t, &fakeController{idle: true, once: func(_ context.Context, tell func(reconcile.Progress)) error {
		tell(stepOf("web", 1, 1, reconcile.StepReload, "cred-proxy-web"))
		tell(endOf("web", 1, nil))
		return nil
	}})
	if code := c.run(t, "apply", "--specs", specs(t, "web.yaml", specWithToken)); code != 0 {
		t.Fatalf("exit code %d: %s", code, c.err.String())
	}
	want := "Nothing to do for instance \"default\" but to deliver tokens anew, which may have changed.\n\n" +
		"web: 1/1 reload cred-proxy-web\nweb: done, after Xs\n\nNAME "
	if got := regexp.MustCompile(`\d+\.\ds`).ReplaceAllString(c.out.String(), "Xs"); !strings.HasPrefix(got, want) {
		t.Errorf("it prints\n%s", got)
	}
}

func TestApplyShowsOnATerminalWhatItsPlanCouldNotKnow(t *testing.T) {
	c, pty := newConsole(t, &fakeController{idle: true}), ptytest.Open(t, 100, 24)
	c.terminal = pty.Out
	tell, end := applying(t, c, specs(t, "web.yaml", specWithToken))
	tell(stepOf("web", 1, 1, reconcile.StepReload, "cred-proxy-web"))
	pty.Until(t, func(text string) bool {
		return regexp.MustCompile(`(?m)^web    1/1     \d+\.\ds   reload`).MatchString(text)
	})
	tell(endOf("web", 1, nil))
	if code := end(nil); code != 0 {
		t.Errorf("exit code %d", code)
	}
	pty.Until(t, func(text string) bool {
		return strings.Contains(text, "1 of 1 done") && strings.Contains(text, "READY")
	})
}

// applying runs apply on a terminal, with a pass whose steps are told by the test, and returns its exit code once it has ended.
func applying(t *testing.T, c *console, dir string) (tell func(reconcile.Progress), end func(error) int) {
	t.Helper()
	begun, over, ended := make(chan func(reconcile.Progress), 1), make(chan error, 1), make(chan int, 1)
	c.controller.once = func(_ context.Context, tell func(reconcile.Progress)) error {
		begun <- tell
		return <-over
	}
	go func() { ended <- c.run(t, "apply", "--specs", dir) }()
	return <-begun, func(err error) int { over <- err; return <-ended }
}

func TestApplyShowsHowFarItIsOnATerminal(t *testing.T) {
	for _, tt := range []struct {
		columns int
		noColor string
	}{{100, ""}, {60, ""}, {60, "1"}} {
		c, pty := newConsole(t, &fakeController{}), ptytest.Open(t, tt.columns, 24)
		c.terminal, c.errTerminal, c.vars["NO_COLOR"] = pty.Out, pty.Out, tt.noColor
		tell, end := applying(t, c, specs(t, "web.yaml", goodSpec, "api.yaml", specNamed("api")))
		shows := func(patterns ...string) {
			t.Helper()
			pty.Until(t, func(text string) bool {
				for _, p := range patterns {
					if !regexp.MustCompile("(?m)" + p).MatchString(text) {
						return false
					}
				}
				return true
			})
		}
		shows(`^NAME   STEPS   TIME   NOW$`, `^api    0/1     -      waits$`, `^web    0/1     -      waits$`, `^0 of 2 done$`)
		tell(stepOf("web", 1, 2, reconcile.StepCreate, "cred-proxy-web"))
		shows(`^web    1/2     \d+\.\ds   create cred-proxy-web$`)
		c.controller.log.Warn("a warning that is longer than a line of a terminal that has so few columns")
		shows(`level=WARN msg="a warning`, `^web    1/2     \d+\.\ds   create cred-proxy-web$`)
		tell(stepOf("web", 2, 2, reconcile.StepStart, "cred-proxy-web"))
		tell(endOf("web", 2, nil))
		tell(stepOf("api", 1, 1, reconcile.StepDrain, "cred-proxy-api"))
		tell(endOf("api", 1, errors.New("it hangs\x1b[2J")))
		shows(`^web    2/2     \d+\.\ds   done$`, `^api    1/1     \d+\.\ds   failed: it hangs.\[2J$`, `^1 of 2 done, 1 failed$`)
		if code := end(nil); code != 0 {
			t.Errorf("exit code %d", code)
		}
		pty.Until(t, func(text string) bool { return strings.Contains(text, "READY") })
		if text := pty.Text(); strings.Count(text, "NAME   STEPS") != 1 || strings.Index(text, "level=WARN") > strings.Index(text, "NAME   STEPS") {
			t.Errorf("the warning is not above what is kept up to date:\n%s", text)
		}
		for line := range strings.Lines(pty.Text()) {
			if terminal.Cells(strings.TrimSuffix(line, "\n")) > tt.columns {
				t.Errorf("%q is too wide", line)
			}
		}
		if coloured := strings.Contains(pty.Raw(), "\x1b[32mdone"); coloured == (tt.noColor != "") {
			t.Errorf("%+v: coloured is %v", tt, coloured)
		}
	}
}

// However many there are, they fit; what failed is among those that are shown.
func TestProgressOfManyFitsIntoATerminal(t *testing.T) {
	const height = 12
	c, pty := newConsole(t, &fakeController{}), ptytest.Open(t, 70, height)
	c.terminal = pty.Out
	var files []string
	for i := range 40 {
		name := fmt.Sprintf("env-%02d", i)
		files = append(files, name+".yaml", specNamed(name))
	}
	tell, end := applying(t, c, specs(t, files...))
	for i := range 30 {
		tell(stepOf(fmt.Sprintf("env-%02d", i), 1, 1, reconcile.StepCreate, "x"))
		tell(endOf(fmt.Sprintf("env-%02d", i), 1, nil))
	}
	tell(stepOf("env-31", 1, 1, reconcile.StepCreate, "y"))
	tell(endOf("env-39", 1, errors.New("no space left")))
	pty.Until(t, func(text string) bool { return strings.Contains(text, "and 32 more; 30 of 40 done, 1 failed") })
	text := pty.Text()
	shown := text[strings.LastIndex(text, "NAME "):]
	failed, works := strings.Index(shown, "env-39   0/1"), strings.Index(shown, "env-31   1/1")
	if strings.Count(shown, "\n") >= height || failed < 0 || works < failed {
		t.Errorf("it shows\n%s", shown)
	}
	end(nil)
}

func TestApplyEndsQuietlyWhenItsReaderGoes(t *testing.T) {
	fake := &fakeController{once: func(ctx context.Context, tell func(reconcile.Progress)) error {
		tell(stepOf("web", 1, 2, reconcile.StepCreate, "cred-proxy-web"))
		<-ctx.Done() // the step in hand is finished, and no other begun
		tell(endOf("web", 2, context.Cause(ctx)))
		return nil
	}}
	c := newConsole(t, fake)
	reader, writer := pipe(t)
	c.terminal = writer
	ended := make(chan int, 1)
	go func() { ended <- c.run(t, "apply", "--specs", specs(t, "web.yaml", goodSpec)) }()
	lines := bufio.NewScanner(reader)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "web: 1/2") {
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != codeClosedPipe || c.err.String() != "" {
		t.Errorf("exit code %d, and says %q", code, c.err.String())
	}
}
