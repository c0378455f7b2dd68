package app

import "testing"

func TestTheCommandThatPrunesIsOfThisController(t *testing.T) {
	for _, tt := range []struct {
		opts Options
		want string
	}{
		{Options{Specs: "/etc/specs", Instance: "default"}, "controller apply --prune --specs /etc/specs --instance default"},
		{Options{Specs: "my specs", Instance: "prod", DockerHost: "tcp://10.0.0.1:2376"},
			"controller apply --prune --specs 'my specs' --instance prod --docker-host tcp://10.0.0.1:2376"},
		{Options{Specs: "it's", Instance: "default"}, `controller apply --prune --specs 'it'\''s' --instance default`},
	} {
		if got := pruneCommand(tt.opts); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}
