package attacks

import (
	"net/url"
	"strconv"
	"strings"

	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/test/leakhunt"
)

// maxSlot is the number of tokens.
const maxSlot = 5

// callerSlot is the slot of the caller key.
const callerSlot = maxSlot

// own begins every credential of an agent's own.
const own = "agents-own-credential"

func slot(n int) string { return routetable.SlotPrefix + strconv.Itoa(n) }

// token is that of a slot. In each are characters that encodings treat in different ways. The alphabets of base64 (RFC 4648 sections 4
// and 5) part at ~, ? and > alone, and of three in a row one does so at each offset.
func token(n int) string {
	return [...]string{
		1: `tk1/9Jq+Zv"u\Kw3=Xr7%y~?>N5&T`,
		2: `Yp8%hD4~cF"6/sL0_nQ&2+gW=eR\1`,
		3: `b7+Uo&K5"xA\3jV=9/zM%tG1-iC4f`,
		4: `2wE"rT/6%yU=8oP+aS&dF0\gH~jKl`,
		5: `caller-key.Zx9/Cv"Bn=5%M&Qw+Er`,
	}[n]
}

func tokens() map[string]string {
	all := map[string]string{}
	for n := 1; n <= maxSlot; n++ {
		all[slot(n)] = token(n)
	}
	return all
}

// hunt knows every writing of every token.
func hunt() (*leakhunt.Index, error) {
	var secrets []leakhunt.Secret
	for n := 1; n <= maxSlot; n++ {
		secrets = append(secrets, leakhunt.Secret{Name: "the token of " + slot(n), Value: token(n)})
	}
	return leakhunt.NewIndex(secrets...)
}

// escaped is as a query has it.
func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
