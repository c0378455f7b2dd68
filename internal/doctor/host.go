package doctor

import (
	"fmt"
	"io/fs"
	"strings"
)

const (
	// fewWatches and fewInstances are what Linux gives by default to a machine of little memory.
	fewWatches   = 8192
	fewInstances = 128

	// What users may do who are neither the owner nor of the group.
	others      fs.FileMode = 0o007
	othersRead  fs.FileMode = 0o004
	othersWrite fs.FileMode = 0o002
	othersEnter fs.FileMode = 0o001
)

func owner(f Facts) verdict {
	s := f.Socket
	who := fmt.Sprintf("user %d", f.UID)
	if f.UID == 0 {
		who = "root"
	}
	switch {
	case s.Path == "":
		return ok("%s; no socket of this machine has to be opened", who)
	case s.Err != nil:
		return unknown("%s; the socket cannot be looked at: %v", who, s.Err)
	case s.Usable:
		return ok("%s may use %s", who, s.Path)
	}
	return failure(fmt.Sprintf("%s may not use %s (%v, group %s)", who, s.Path, s.Mode, s.Group),
		"run the controller as a member of the group "+s.Group+", or as root; `usermod -aG` counts from the next login on")
}

func socket(f Facts) verdict {
	s := f.Socket
	switch {
	case s.Path == "" && f.Engine.Host == "":
		return unknown("no engine is known")
	case s.Path == "":
		return unknown("the engine at %s is not reached by a socket of this machine; whoever reaches it is root there", f.Engine.Host)
	case s.Err != nil:
		return unknown("it cannot be looked at: %v", s.Err)
	case s.Mode&othersWrite != 0:
		return failure(fmt.Sprintf("every local user may write %s (%v), and is root by that", s.Path, s.Mode),
			"chmod o-rwx "+s.Path+", and mend what makes it so (SocketMode= of docker.socket, or who started the engine)")
	}
	return ok("%s is %v, group %s", s.Path, s.Mode, s.Group)
}

func specs(f Facts) verdict {
	s := f.Specs
	switch {
	case s.Dir == "":
		return unknown("no --specs was given")
	case s.Err != nil:
		return failure(s.Err.Error(), "mend the path, its mount or its permissions")
	case s.Bad > 0:
		return warning(fmt.Sprintf("%d valid specs in %s, and %d files with problems: %s", s.Valid, s.Dir, s.Bad, s.Problem),
			"controller validate "+s.Dir)
	}
	if s.Valid == 0 {
		return warning("no spec in "+s.Dir, "write one, or name the directory that holds them; files end in .yaml, .yml or .json")
	}
	return ok("%d valid specs in %s", s.Valid, s.Dir)
}

func tokenDir(f Facts) verdict {
	d := f.TokenDir
	switch {
	case d.Dir == "":
		return ok("none was given: specs cannot name token files")
	case d.Err != nil:
		return failure(d.Err.Error(), "make the directory, for the controller's user alone: install -d -m 0700 "+d.Dir)
	case d.InSpecs:
		return failure(fmt.Sprintf("%s lies beneath the specs in %s, which others write", d.Dir, f.Specs.Dir),
			"keep tokens in a directory of their own, and rotate those that were in this one")
	case d.Mode&others != 0 && d.Readable != "":
		return failure(fmt.Sprintf("every local user may read %s in %s (%v)", d.Readable, d.Dir, d.Mode),
			"chmod -R o-rwx "+d.Dir+", and rotate the tokens")
	case d.Mode&others != 0:
		return warning(fmt.Sprintf("every local user may look into %s (%v)", d.Dir, d.Mode), "chmod o-rwx "+d.Dir)
	}
	return ok("%s is %v", d.Dir, d.Mode)
}

func providers(f Facts) verdict {
	p := f.Providers
	switch {
	case p.Path == "":
		return ok("none were given: specs cannot name providers")
	case p.Err != nil:
		return failure(p.Err.Error(), "mend it as it says; docs/tokens.md has what a provider's file and command have to be")
	}
	return ok("%d in %s, and their commands can be run; none was called", p.Count, p.Path)
}

func policy(f Facts) verdict {
	p := f.Policy
	switch {
	case p.Path == "":
		return ok("none was given: every spec may use what the flags permit")
	case p.Err != nil:
		return failure(p.Err.Error(), "mend it as it says: run delivers nothing, or does not start, without a good one")
	}
	return ok("%s is good", p.Path)
}

func stateDir(f Facts) verdict {
	d := f.StateDir
	switch {
	case d.Err != nil:
		return failure(d.Err.Error(), "name a directory that the controller may write with --state-dir")
	case d.Missing:
		return ok("%s will be made", d.Dir)
	}
	return ok("%s can be written", d.Dir)
}

func listen(f Facts) verdict {
	l := f.Listen
	switch {
	case l.Taken && !l.Controller:
		return failure(l.Address+" is in use by something that is not a controller", "choose another address with --listen")
	case l.Err != nil:
		return failure(l.Err.Error(), "choose another address with --listen")
	}
	state := "is free"
	if l.Controller {
		state = "is where a controller answers"
	}
	switch {
	case l.Loopback:
		return ok("%s %s", l.Address, state)
	case l.RemoteAPI:
		return warning(fmt.Sprintf("%s %s, and is open to other machines, the API too", l.Address, state),
			"put something before it that asks who comes, or leave --allow-remote-api out")
	}
	return warning(fmt.Sprintf("%s %s, and its metrics are open to other machines", l.Address, state),
		"keep it if that is meant; the API is refused there")
}

func inotify(f Facts) verdict {
	i := f.Inotify
	if i.Err != nil {
		return unknown("the limits cannot be read: %v", i.Err)
	}
	var low []string
	if i.Watches < fewWatches {
		low = append(low, fmt.Sprintf("fs.inotify.max_user_watches=%d", fewWatches))
	}
	if i.Instances < fewInstances {
		low = append(low, fmt.Sprintf("fs.inotify.max_user_instances=%d", fewInstances))
	}
	found := fmt.Sprintf("%d watches and %d instances for each user", i.Watches, i.Instances)
	if len(low) == 0 {
		return ok("%s", found)
	}
	return warning(found+"; without one, an edit is seen only at the next --resync", "sysctl -w "+strings.Join(low, " ")+" at least")
}
