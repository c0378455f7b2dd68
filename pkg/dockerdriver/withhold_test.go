package dockerdriver

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"credproxy.dev/controller/pkg/reconcile"
)

func TestWordsThatRepeatATokenAreWithheld(t *testing.T) {
	const slot = "CRED_PROXY_TOKEN_1"
	quoted := func(s string) string { return fmt.Sprintf("%q", s) }
	asJSON := func(s string) string { out, _ := json.Marshal(s); return string(out) }
	written := map[string]func(string) string{
		"as it is":          func(s string) string { return s },
		"quoted":            quoted,
		"quoted in ASCII":   func(s string) string { return fmt.Sprintf("%+q", s) },
		"JSON":              asJSON,
		"JSON in JSON":      func(s string) string { return asJSON(asJSON(s)) },
		"JSON, then quoted": func(s string) string { return quoted(asJSON(s)) },
		"in a query":        url.QueryEscape,
		"in a path":         url.PathEscape,
		"base64":            func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"base64, in a text": func(s string) string { return base64.URLEncoding.EncodeToString([]byte(slot + "=" + s + "\n")) },
		"hexadecimal":       func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
		"cut short":         func(s string) string { return s[:len(s)*2/3] + "..." },
	}
	for kind, token := range map[string]string{
		"plain": "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "short": "s3cret", "quotes": `sekret"EEE`, "markup": `<sekret>&'EEE'`,
		"backslashes": `sek\ret\\EEE`, "spaces": "se kr et  EE E", "a URL": "user:p%40ss/w+rd=?&x", "foreign": "пароль-søkret-秘密の鍵", "base64 itself": "c2VrcmV0RUVFRQ==",
	} {
		for writing, write := range written {
			if kind == "short" && writing == "cut short" {
				continue // nobody can tell it from a word
			}
			t.Run(kind+", "+writing, func(t *testing.T) {
				f := newFakeEngine(t)
				f.answer("POST /containers/create", http.StatusBadRequest, failure("bad variable "+slot+"="+write(token)))
				_, err := f.driver().Create(t.Context(), reconcile.CreateRequest{ContainerName: "web",
					Env: map[string]reconcile.Token{slot: reconcile.NewToken(token)}})
				if err == nil || mentions(err, "bad variable") || !mentions(err, slot, "create container web") {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

func TestWordsThatRepeatNoTokenArePassedOn(t *testing.T) {
	tokens := map[string]reconcile.Token{
		"CRED_PROXY_TOKEN_1": reconcile.NewToken("ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
		"CRED_PROXY_TOKEN_2": reconcile.NewToken(`sekret"EEE`),
		"CRED_PROXY_TOKEN_3": reconcile.NewToken(""),
	}
	for _, words := range []string{
		"no space left on device", "Minimum memory limit allowed is 6MB", `No such image: sha256:5d41402abc4b2a76`,
		`invalid mount config for type "volume"`, "could not select device driver with capabilities: [[gpu]]",
	} {
		if err := withhold(errors.New(words), tokens); !mentions(err, words) {
			t.Errorf("%q became %v", words, err)
		}
	}
}

func TestAnErrorWithoutItsWordsKeepsItsKind(t *testing.T) {
	f := newFakeEngine(t)
	f.answer("POST /containers/create", http.StatusNotFound, failure("No such image: s3cret"))
	_, err := f.driver().Create(t.Context(), reconcile.CreateRequest{ContainerName: "web", ImageID: "i1",
		Env: map[string]reconcile.Token{"CRED_PROXY_TOKEN_1": reconcile.NewToken("s3cret")}})
	if !errors.Is(err, reconcile.ErrImageUnavailable) || mentions(err, "s3cret") {
		t.Errorf("got %v", err)
	}
}
