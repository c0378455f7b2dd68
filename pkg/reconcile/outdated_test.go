package reconcile

import "testing"

// An image that is built anew has another ID, and is the same image: nothing is outdated for it, and nothing replaced.
func TestOnlyAnImageOfOtherPartsIsOutdated(t *testing.T) {
	for name, tc := range map[string]struct {
		image, own string // IDs
		tag, tags  string // what the sidecar was made from, and what the controller carries
		custom     string // what the spec asks for
		want       bool
	}{
		"the same image":                  {image: "a", own: "a"},
		"the same image, with its tag":    {image: "a", own: "a", tag: "1", tags: "1"},
		"the same parts, built anew":      {image: "a", own: "b", tag: "1", tags: "1"},
		"other parts":                     {image: "a", own: "b", tag: "1", tags: "2", want: true},
		"an image of which nobody told":   {image: "a", own: "b", tags: "1", want: true},
		"no image of the controller's":    {image: "a", own: "b", want: true},
		"an image that the spec asks for": {image: "a", own: "b", tags: "1", custom: "other:1"},
		"an own image not known yet":      {image: "a", tags: "1"},
	} {
		w := newWorld()
		w.spec.Spec.Image = tc.custom
		s := w.running("a")
		s.ImageID, s.ImageTag = tc.image, tc.tag
		p := &planner{inputs: inputs{spec: w.spec, view: newView(&Observation{ImageTag: tc.tags}), ownImage: tc.own}}
		if got := p.outdated(*s); got != tc.want {
			t.Errorf("%s: outdated is %v", name, got)
		}
	}
}
