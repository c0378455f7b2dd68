package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"credproxy.dev/controller/internal/terminal"
	"credproxy.dev/controller/pkg/reconcile"
)

// redrawInterval is how often the time that a step takes is shown anew, and whether anybody reads is looked for.
const redrawInterval = 100 * time.Millisecond

// progress shows how far the steps of a pass have got: on a terminal a line for each name, which is kept up to date, elsewhere a line for
// each step as it begins, and one for the end of each name.
type progress struct {
	out  *screen
	live *terminal.Live // nil where lines are appended

	mu    sync.Mutex
	names []*nameProgress // in the order of the plan
	begun bool

	stop    chan struct{}
	drawing sync.WaitGroup
}

// nameProgress is how far one name has got. One that has not begun waits for others.
type nameProgress struct {
	last         reconcile.Progress
	began, ended time.Time
	// unneeded is true where, by the time that its turn came, nothing was left to do.
	unneeded bool
}

func newProgress(out *screen) *progress {
	p := &progress{out: out, stop: make(chan struct{})}
	if _, _, ok := terminal.Size(out); ok {
		p.live = terminal.NewLive(out)
	}
	return p
}

// beside is where others are told something meanwhile: on a terminal, above the lines that are kept up to date.
func (p *progress) beside(to io.Writer) io.Writer {
	if _, _, ok := terminal.Size(to); !ok || p.live == nil {
		return to
	}
	return p.live.Beside(to)
}

// begin shows the names of a plan. Without any there is nothing to show before a step is taken that no plan can know, such as the delivery
// of a token that has changed.
func (p *progress) begin(plan reconcile.Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, item := range plan.Items {
		p.names = append(p.names, &nameProgress{last: reconcile.Progress{Name: item.Name, Steps: len(item.Steps)}})
	}
	if len(plan.Items) > 0 {
		p.open()
	}
}

// open begins to show something, under the lock.
func (p *progress) open() {
	if p.begun {
		return
	}
	fmt.Fprintln(p.out)
	p.begun = true
	p.draw(time.Now())
	p.drawing.Go(p.keepUp)
}

// keepUp shows how time passes, until end.
func (p *progress) keepUp() {
	tick := time.NewTicker(redrawInterval)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case now := <-tick.C:
			p.out.lookForReader()
			p.mu.Lock()
			p.draw(now)
			p.mu.Unlock()
		}
	}
}

// end shows what came of it for the last time.
func (p *progress) end() {
	if !p.begun {
		return
	}
	close(p.stop)
	p.drawing.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.names {
		n.unneeded = n.began.IsZero()
		if n.unneeded && p.live == nil {
			fmt.Fprintf(p.out, "%s: %s\n", oneLine(n.last.Name), n.words())
		}
	}
	p.draw(time.Now())
	if p.live != nil {
		p.live.Leave()
	}
}

// take is told of each step. It implements reconcile.Options.Progress.
func (p *progress) take(now reconcile.Progress) {
	at := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open()
	n := p.named(now.Name)
	if n.began.IsZero() {
		n.began = at
	}
	if now.Done {
		n.ended = at
		now.Number = n.last.Number // it got as far as before
	}
	n.last = now
	if p.live == nil {
		fmt.Fprintf(p.out, "%s: %s\n", oneLine(now.Name), n.line(at))
		return
	}
	p.draw(at)
}

// named is the progress of a name, also of one that the plan did not have: the engine may have changed since.
func (p *progress) named(name string) *nameProgress {
	i := slices.IndexFunc(p.names, func(n *nameProgress) bool { return n.last.Name == name })
	if i < 0 {
		p.names = append(p.names, &nameProgress{last: reconcile.Progress{Name: name}})
		i = len(p.names) - 1
	}
	return p.names[i]
}

// line is what is said of a name where lines are appended.
func (n *nameProgress) line(now time.Time) string {
	if !n.last.Done {
		return n.count() + " " + n.words()
	}
	return n.words() + ", after " + n.took(now)
}

// count is how many of the steps there are were begun.
func (n *nameProgress) count() string { return fmt.Sprintf("%d/%d", n.last.Number, n.last.Steps) }

// words are what is done for a name now, or what came of it.
func (n *nameProgress) words() string {
	switch last := n.last; {
	case last.Err != nil:
		return "failed: " + oneLine(last.Err.Error())
	case last.Done:
		return "done"
	case n.unneeded:
		return "nothing was left to do"
	case n.began.IsZero():
		return "waits"
	default:
		return oneLine(string(last.Step.Step) + " " + last.Step.Target)
	}
}

// took is for how long steps have been taken, or were; empty before the first.
func (n *nameProgress) took(now time.Time) string {
	if n.began.IsZero() {
		return ""
	}
	if !n.ended.IsZero() {
		now = n.ended
	}
	return fmt.Sprintf("%.1fs", max(0, now.Sub(n.began)).Seconds())
}

// urgency orders names where not all have room.
type urgency int

const (
	hasFailed urgency = iota
	isBeingDone
	isWaiting
	isDone
)

func (n *nameProgress) urgency() urgency {
	switch {
	case n.last.Err != nil:
		return hasFailed
	case n.last.Done || n.unneeded:
		return isDone
	case n.began.IsZero():
		return isWaiting
	}
	return isBeingDone
}

func (n *nameProgress) paint() terminal.Paint {
	return [...]terminal.Paint{hasFailed: terminal.Red, isBeingDone: terminal.Cyan, isWaiting: terminal.Dim, isDone: terminal.Green}[n.urgency()]
}

// draw draws all names on a terminal.
func (p *progress) draw(now time.Time) {
	if p.live == nil {
		return
	}
	width, height, _ := terminal.Size(p.out)
	room := max(1, height-4) // but for the header, the footer, the cursor, and what was said last
	shown := p.names
	if len(shown) > room {
		shown = slices.Clone(shown)
		slices.SortStableFunc(shown, func(a, b *nameProgress) int { return cmp.Compare(a.urgency(), b.urgency()) })
		shown = shown[:room]
	}
	table := terminal.NewTable(p.out.palette, terminal.Column{Name: "NAME"}, terminal.Column{Name: "STEPS", Leaves: 2},
		terminal.Column{Name: "TIME", Leaves: 1}, terminal.Column{Name: "NOW"})
	for _, n := range shown {
		cells := cellsOf(n.last.Name, n.count(), n.took(now), n.words())
		cells[3].Paint = n.paint()
		table.Add(cells...)
	}
	_ = p.live.Draw(append(table.Lines(width), terminal.Cut(p.footer(len(shown)), width))) // a reader that goes ends the pass
}

// footer counts.
func (p *progress) footer(shown int) string {
	done, failed := 0, 0
	for _, n := range p.names {
		switch n.urgency() {
		case hasFailed:
			failed++
		case isDone:
			done++
		}
	}
	footer := fmt.Sprintf("%d of %d done", done, len(p.names))
	if failed > 0 {
		footer += fmt.Sprintf(", %d failed", failed)
	}
	if more := len(p.names) - shown; more > 0 {
		footer = fmt.Sprintf("and %d more; %s", more, footer)
	}
	return footer
}
