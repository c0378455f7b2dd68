package reconcile

// Progress is how far the steps of one name have got. Each step is told as it begins, and once the end of all.
type Progress struct {
	// Name is that of the spec.
	Name string
	// Step begins now, as the one of that Number, from 1, among so many Steps. At the end it is the zero Step.
	Step          Step
	Number, Steps int
	// Done is true at the end. Err says why not all steps were taken; nil when they were.
	Done bool
	Err  error
}

// ended tells that no more steps of a name are taken.
func (c *Controller) ended(name string, steps int, err error) {
	c.opts.Progress(Progress{Name: name, Steps: steps, Done: true, Err: err})
}
