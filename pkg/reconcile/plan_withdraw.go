package reconcile

// withdraw takes a sidecar off its internal network on account of a breach, and keeps it off. It runs on, with the routes
// and limits that are declared; one that does not run is neither started nor made.
func (p *planner) withdraw() *Blocked {
	p.apart = true
	internal, _ := p.view.internalOf(p.spec)
	for _, s := range p.view.sidecars[p.name] {
		if _, on := s.endpoint(internal.ID); on && s.State != StateRemoving && s.State != StateDead {
			p.steps = append(p.steps, Step{
				Step: StepDisconnect, Target: internal.Name, Cause: p.bounds.shut, id: s.ID, leaves: []string{internal.ID},
			})
		}
	}
	unclear := p.view.unclear[p.name]
	if p.refused == nil && unclear == nil {
		p.tend(internal)
	}
	switch {
	case len(p.steps) > 0:
		return nil
	case p.refused != nil:
		return p.refused
	case unclear != nil:
		return &Blocked{Reason: ReasonEngineUnavailable, Message: unclear.Error()}
	}
	return &Blocked{Reason: ReasonNotIsolated, Message: shutOut(len(p.view.sidecars[p.name]) > 0, p.bounds.shut)}
}

// tend keeps what a sidecar that runs apart would serve as it is declared. Where several networks have the name, nobody can
// tell which addresses it is to serve.
func (p *planner) tend(internal Network) {
	sidecars := p.rank()
	if len(sidecars) == 0 || sidecars[0].State != StateRunning || p.outgrown(sidecars[0]) != "" || len(p.view.networks[internal.Name]) != 1 {
		return
	}
	p.update(sidecars[0])
	p.deliver(sidecars[0], pair{internal: internal})
}

// shutOut says what becomes of a sidecar on account of a breach.
func shutOut(made bool, breach string) string {
	if made {
		return "the sidecar is kept off its internal network until this ends: " + breach
	}
	return "no sidecar is made until this ends: " + breach
}
