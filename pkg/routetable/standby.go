package routetable

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// StandbyVariable names the variable that holds a Standby in the environment of a sidecar whose volume is in memory.
const StandbyVariable = "CRED_PROXY_STANDBY"

// Standby is what a sidecar is made with whose volume is in memory, and lost whenever it stops: where to answer until the
// controller has delivered a generation. That it has one tells it to take each generation out of the volume.
type Standby struct {
	// Listen, InternalSubnets and InternalGateways are as those of Table.
	Listen           string   `json:"listen"`
	InternalSubnets  []string `json:"internalSubnets"`
	InternalGateways []string `json:"internalGateways,omitempty"`
}

// Standby is where a sidecar of this table answers before it has it.
func (t *Table) Standby() *Standby {
	return &Standby{Listen: t.Listen, InternalSubnets: t.InternalSubnets, InternalGateways: t.InternalGateways}
}

// String is the variable's value.
func (s *Standby) String() string {
	// Strings always encode.
	doc, _ := json.Marshal(s)
	return string(doc)
}

// ParseStandby reads the variable's value. Its errors are for people.
func ParseStandby(text string) (*Standby, error) {
	var s Standby
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&s)
	if err == nil {
		err = errors.Join(checkListen(s.Listen), checkNetwork(s.InternalSubnets, s.InternalGateways))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", StandbyVariable, err)
	}
	return &s, nil
}
