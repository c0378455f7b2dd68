package leakhunt

import (
	"crypto/rand"
	"strings"
)

// Secret is a token that is hunted. Its value should be random, but for a mark that is shorter than 12 bytes: what it has in
// common with innocent text would be found there.
type Secret struct{ Name, Value string }

// NewSecret makes a token that can be a caller key too. What encodings treat in different ways stands so close together in
// it that no two of them write enough of it alike to be taken for each other.
func NewSecret(name string) Secret {
	var value strings.Builder
	for i, r := range rand.Text() + rand.Text() {
		value.WriteRune(r)
		if i%7 == 6 {
			value.WriteByte(`"<&%+/\>`[i/7])
		}
	}
	return Secret{name, value.String()}
}

// NewPlant makes a secret that can be the name of a spec, a container or a label as well: it is planted in places to hold
// that they are searched.
func NewPlant() Secret {
	return Secret{"plant", "plant-" + strings.ToLower(rand.Text())}
}
