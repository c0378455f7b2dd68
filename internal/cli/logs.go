package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"credproxy.dev/controller/internal/app"
	"credproxy.dev/controller/pkg/nearest"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// allLines is the --tail that leaves out nothing.
const allLines = -1

// logsFlags are those of logs alone.
type logsFlags struct {
	server, output, colour string
	follow                 bool
	since                  time.Duration
	tail                   int
}

func newLogs(sys System) *cobra.Command {
	var s settings
	var l logsFlags
	cmd := &cobra.Command{
		Use:   "logs NAME",
		Short: "Print the log of a sidecar, as the engine keeps it",
		Long: `Reads the log of the container of a spec from the engine, with or without a running controller, and prints it for people: time,
level, what happened, and the rest as key=value. A request is told by its method, path, status and time; never a header, query or body is in
the log. While a sidecar is being replaced there are two containers: each line then begins with the name of its container. With --follow it
goes on with new lines until it is interrupted, over restarts and replacements of the container.

What a sidecar writes is cleaned of what could steer a terminal, in both forms of output.`,
		Example: `  controller logs web
  controller logs web -f --tail 20
  controller logs web --since 10m -o json | jq -r 'select(.status >= 400) | .path'`,
		ValidArgsFunction: first(names(sys)),
		Annotations: exits("0, also when it is interrupted; 1 the spec has no container on the engine, and why is said as far as it is known, or the " +
			"engine does not answer"),
		Args: takes("NAME"),
		RunE: verb(codeBad, func(cmd *cobra.Command, args []string) error {
			opts, err := s.options(cmd.Flags(), sys)
			if err == nil {
				err = l.check(cmd)
			}
			if err != nil {
				return err
			}
			return l.run(cmd.Context(), opts, args[0], sys)
		}),
	}
	flags := cmd.Flags()
	flags.BoolVarP(&l.follow, "follow", "f", false, "go on with new lines until interrupted")
	flags.DurationVar(&l.since, "since", 0, "only lines that are not older than this, such as 10m; all if 0")
	flags.IntVar(&l.tail, "tail", allLines, "only so many of the last lines; all if negative")
	flags.StringVarP(&l.output, "output", "o", "text", "text or json: the lines as objects, one a line, with the container's name and ID")
	choose(flags, "output", "text", "json")
	flags.StringVar(&l.server, "server", defaultServer, "address of the controller")
	colourFlag(flags, &l.colour)
	s.engineAddressFlags(flags)
	s.logFlags(flags, "warn")
	return cmd
}

func (l *logsFlags) check(cmd *cobra.Command) error {
	if l.since < 0 {
		return usagef("%s: %v is not a time to look back; give one such as 10m", origin(cmd.Flag("since")), l.since)
	}
	return nil
}

func (l *logsFlags) run(ctx context.Context, opts app.Options, name string, sys System) error {
	req := app.LogsRequest{Name: name, Tail: l.tail, Follow: l.follow}
	if l.since > 0 {
		req.Since = time.Now().Add(-l.since)
	}
	p := &logPrinter{name: name, out: newScreen(sys, l.colour), errOut: sys.Stderr, json: l.output == "json"}
	looking, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { p.lookForReader(looking) })
	defer beside.Wait()
	defer stop()
	err := app.Logs(ctx, opts, sys.Parts, req, app.LogsTaker{Sources: p.sources, Line: p.print, Lost: p.lost})
	if errors.Is(err, app.ErrNoSidecar) {
		return l.noSidecar(ctx, opts, name, sys)
	}
	return err
}

// controllerPatience is how long a controller may take to say why there is no sidecar.
const controllerPatience = 2 * time.Second

// noSidecar says why there is no log, as far as that can be known, and what to do.
func (l *logsFlags) noSidecar(ctx context.Context, opts app.Options, name string, sys System) error {
	client := newClient(l.server)
	defer client.close()
	bounded, cancel := context.WithTimeout(ctx, controllerPatience)
	defer cancel()
	one, err := client.one(bounded, name)
	switch {
	case err == nil:
		return l.declaredWithout(one, opts)
	case errors.Is(err, errNotDeclared):
		return client.notDeclared(bounded, name)
	case isUsage(err):
		return err
	}
	names, listing := app.NamesOnEngine(ctx, opts, sys.Parts)
	if listing != nil {
		return listing
	}
	name = oneLine(name)
	hint := nearest.Hint(name, names)
	return fmt.Errorf("%s has no container of instance %q on the engine%s no controller answers at %s either, so that nobody knows whether a file "+
		"declares it: 'controller plan' says what is declared, and --docker-host and --instance name another engine or instance",
		name, opts.Instance, cmp.Or(hint, ";"), client.server)
}

// declaredWithout is of a spec that is declared, and has no container on this engine.
func (l *logsFlags) declaredWithout(one spec.CredProxy, opts app.Options) error {
	if made := statusOf(one).ContainerName; made != "" {
		return fmt.Errorf("%s has no container of instance %q on this engine, while the controller at %s knows of %s: name its engine with "+
			"--docker-host, and its --instance", one.Name, opts.Instance, l.server, oneLine(made))
	}
	why := cmp.Or(unready(one), "it is just being made")
	return fmt.Errorf("%s has no container: %s; 'controller status %s' says more, and 'controller wait %s' returns once it serves", one.Name, why,
		one.Name, one.Name)
}

// logPrinter prints lines of logs, and tells people where they come from.
type logPrinter struct {
	name   string
	out    *screen
	errOut io.Writer
	json   bool
	// current are the containers that there are; several is true once there were two at a time, which lines tell from then on.
	current []reconcile.LogSource
	met     bool
	several bool
}

// lookForReader ends ctx, by way of the pipe, when nobody reads any more and no line is written that would show it.
func (p *logPrinter) lookForReader(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.out.lookForReader()
		case <-ctx.Done():
			return
		}
	}
}

// sources says which containers there are, where that is not plain.
func (p *logPrinter) sources(now []reconcile.LogSource) {
	before := p.current
	p.current, p.several = now, p.several || len(now) > 1
	if !p.met {
		p.met = true
		if len(now) > 1 {
			p.tell("%s has %d containers: %s", oneLine(p.name), len(now), strings.Join(namesOf(now), ", "))
		}
		return
	}
	for _, s := range now {
		old := slices.IndexFunc(before, func(b reconcile.LogSource) bool { return b.ContainerID == s.ContainerID })
		switch {
		case old < 0:
			p.tell("%s is there now", nameOf(s))
		case before[old].ContainerName != s.ContainerName:
			p.tell("%s is named %s now", nameOf(before[old]), oneLine(s.ContainerName))
		}
	}
	for _, s := range before {
		if !slices.ContainsFunc(now, func(n reconcile.LogSource) bool { return n.ContainerID == s.ContainerID }) {
			p.tell("%s is gone", nameOf(s))
		}
	}
	if len(now) == 0 {
		p.tell("%s has no container now; the next one is waited for", oneLine(p.name))
	}
}

func (p *logPrinter) tell(format string, args ...any) {
	fmt.Fprintf(p.errOut, "controller: "+format+"\n", args...)
}

// lost says that the engine does not answer, and when it does again.
func (p *logPrinter) lost(err error) {
	if err != nil {
		p.tell("%s; it is asked again until it answers", oneLine(err.Error()))
		return
	}
	p.tell("the engine answers again")
}

// nameOf is a container's name and the beginning of its ID: after a replacement the new one has the old one's name.
func nameOf(s reconcile.LogSource) string {
	return fmt.Sprintf("%s (%s)", oneLine(s.ContainerName), oneLine(short(s.ContainerID)))
}

func namesOf(sources []reconcile.LogSource) (names []string) {
	for _, s := range sources {
		names = append(names, nameOf(s)+", "+oneLine(string(s.State)))
	}
	return names
}

func (p *logPrinter) print(from reconcile.LogSource, line reconcile.LogLine) error {
	text := p.text
	if p.json {
		text = logObject
	}
	_, err := io.WriteString(p.out, text(from, line)+"\n")
	return err
}

// text is a line for people, which is wrapped where its words begin.
func (p *logPrinter) text(from reconcile.LogSource, line reconcile.LogLine) string {
	e := readLogLine(line)
	before, level := "", cmp.Or(e.level, "-")
	if !e.at.IsZero() {
		before = e.at.Local().Format(logTime) + "  "
	}
	if p.several {
		before = oneLine(from.ContainerName) + "  " + before
	}
	text := hang(fmt.Sprintf("%s%-5s  ", before, level), e.words, p.out.width())
	if rest, whole := strings.CutPrefix(text, before+level); whole { // a terminal may be too narrow for it
		return before + p.out.palette.Paint(e.paint(), level) + rest
	}
	return text
}

// logTime is to the millisecond, as sidecars tell it.
const logTime = time.DateTime + ".000"
