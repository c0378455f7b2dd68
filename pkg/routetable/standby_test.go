package routetable

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAStandbyIsReadAsItWasWritten(t *testing.T) {
	table := Table{Listen: ":9099", InternalSubnets: []string{"10.1.2.0/24", "fd00::/64"}, InternalGateways: []string{"10.1.2.1"}}
	got, err := ParseStandby(table.Standby().String())
	if diff := cmp.Diff(&Standby{Listen: ":9099", InternalSubnets: table.InternalSubnets, InternalGateways: table.InternalGateways}, got); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s%v", diff, err)
	}
}

func TestAStandbyThatIsNotOneIsRefused(t *testing.T) {
	for text, why := range map[string]string{
		"":                          "EOF",
		"{}":                        "listen",
		`{"listen":"0.0.0.0:1"}`:    "listen",
		`{"listen":":1"}`:           "internalSubnets is empty",
		`{"listen":":1","token":1}`: "unknown field",
		`{"listen":":1","internalSubnets":["x"]}`:                                   "not a subnet",
		`{"listen":":1","internalSubnets":["10.0.0.0/8"],"internalGateways":["x"]}`: "not an IP address",
	} {
		if _, err := ParseStandby(text); err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), StandbyVariable) {
			t.Errorf("%s: %v, want %q", text, err, why)
		}
	}
}
