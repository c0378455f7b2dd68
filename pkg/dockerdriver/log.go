package dockerdriver

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/pkg/stdcopy"

	"credproxy.dev/controller/pkg/reconcile"
)

var _ reconcile.LogReader = (*Driver)(nil)

// LogSources implements reconcile.LogReader. Only the containers of the one spec are inspected.
func (d *Driver) LogSources(ctx context.Context, specName string) (sources []reconcile.LogSource, err error) {
	wanted := filters.NewArgs(filters.Arg("label", LabelInstance+"="+d.opts.Instance))
	if specName != "" {
		wanted.Add("label", LabelName+"="+specName)
	}
	var listed []container.Summary
	err = d.call(ctx, opContainerList, "list containers", func(ctx context.Context) (err error) {
		listed, err = d.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: wanted})
		return err
	})
	if err != nil {
		return nil, err
	}
	p := &pass{Driver: d, limit: min(d.opts.CallTimeout, inspectionTime)}
	for _, c := range listed {
		found, err := p.inspectFor(ctx, p.limit, c.ID)
		if err == nil && p.claimed(found.Config.Labels) != "" {
			var owner whose
			if owner, err = p.owner(ctx, found); err == nil && owner == ours {
				sources = append(sources, logSourceOf(found))
			}
		}
		if err != nil && !errors.Is(err, reconcile.ErrNotFound) {
			return nil, err
		}
	}
	slices.SortFunc(sources, func(a, b reconcile.LogSource) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ContainerID, b.ContainerID))
	})
	return sources, nil
}

func logSourceOf(c container.InspectResponse) reconcile.LogSource {
	return reconcile.LogSource{
		ContainerID: c.ID, ContainerName: strings.TrimPrefix(c.Name, "/"), SpecName: c.Config.Labels[LabelName],
		State: stateOf(c.State.Status), Created: moment(c.Created),
	}
}

// ReadLog implements reconcile.LogReader. Without Follow, the engine has the time of a call that moves much data. It is never asked
// for the last lines: Docker counts those of the other stream among them.
func (d *Driver) ReadLog(ctx context.Context, req reconcile.LogRequest, take func(reconcile.LogLine) error) error {
	if !req.Follow {
		return d.callFor(ctx, patience*d.opts.CallTimeout, opContainerLogs, "read the log of container "+d.nameOf(req.ContainerID),
			func(ctx context.Context) error { return d.readLog(ctx, req, take) })
	}
	if err := d.Ping(ctx); err != nil { // which is bounded, and what follows is not
		return err
	}
	err := d.readLog(withOperation(ctx, opContainerLogs), req, take)
	return explain(ctx, "follow the log of container "+d.nameOf(req.ContainerID), d.opts.CallTimeout, err)
}

func (d *Driver) readLog(ctx context.Context, req reconcile.LogRequest, take func(reconcile.LogLine) error) error {
	options := container.LogsOptions{ShowStderr: true, Timestamps: true, Follow: req.Follow, Since: unixTime(req.Since)}
	stream, err := d.docker.ContainerLogs(ctx, req.ContainerID, options)
	if err != nil {
		return err
	}
	defer stream.Close()
	var stopped error
	lines := &lineWriter{emit: func(line []byte, cut bool) {
		if stopped == nil {
			stopped = take(logLineOf(line, cut))
		}
	}}
	_, err = stdcopy.StdCopy(io.Discard, &untilFailed{lines, &stopped}, stream)
	if err == nil {
		lines.flush()
	}
	return cmp.Or(stopped, err)
}

// untilFailed writes lines until there was an error.
type untilFailed struct {
	lines *lineWriter
	err   *error
}

// Write implements io.Writer.
func (u *untilFailed) Write(p []byte) (int, error) {
	n, _ := u.lines.Write(p) // it never fails
	return n, *u.err
}

// unixTime is a time as every engine takes it; empty for none.
func unixTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	micros := t.UnixMicro()
	return strconv.FormatInt(micros/1e6, 10) + "." + strconv.FormatInt(1e6+micros%1e6, 10)[1:]
}

// logLineOf parts a line from the time that the engine has put before it.
func logLineOf(line []byte, cut bool) reconcile.LogLine {
	written, text, _ := strings.Cut(string(line), " ")
	at, err := time.Parse(time.RFC3339Nano, written)
	if err != nil {
		text = string(line)
	}
	return reconcile.LogLine{Time: at, Text: text, Cut: cut}
}
