package reconcile

// Plan is the difference between what is declared and what was observed, as steps. It prints itself.
type Plan struct {
	Items   []Item    `json:"items"`
	Blocked []Blocked `json:"blocked"`
}

// Item is the plan of one name.
type Item struct {
	Name  string `json:"name"`
	Steps []Step `json:"steps"`
}

// Step is one action.
type Step struct {
	Step   StepName `json:"step"`
	Target string   `json:"target"`
	Cause  string   `json:"cause"`
}

// Blocked is a name for which no step is taken, and why.
type Blocked struct {
	Name    string `json:"name"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// String renders the plan for people: the verb, the log and the tests use this one rendering.
func (p Plan) String() string { panic("not yet") }
