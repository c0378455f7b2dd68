package provider

import (
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/json"
	clientauth "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/pkg/apis/clientauthentication/v1beta1"

	"credproxy.dev/controller/internal/tokens/value"
	"credproxy.dev/controller/pkg/reconcile"
)

// maxAnswer is how many bytes an answer may have: the longest token, and the JSON around it.
const maxAnswer = value.MaxBytes + 16<<10

// answer is what a call gave.
type answer struct {
	token reconcile.Token
	// expiry is when the token ends; zero when the provider does not say.
	expiry time.Time
}

// decode reads what a plugin wrote. Its words repeat nothing of it, as a part of it may be the token.
func decode(data []byte, now time.Time) (answer, *failure) {
	var credential clientauth.ExecCredential
	if !utf8.Valid(data) || json.Unmarshal(data, &credential) != nil || credential.Kind != protocol().Kind {
		return answer{}, invalidAnswer("its answer is not one ExecCredential in JSON")
	}
	switch credential.APIVersion {
	case protocol().APIVersion:
	case v1beta1.SchemeGroupVersion.String():
		return answer{}, invalidAnswer("it answered in " + v1beta1.SchemeGroupVersion.String() + ", and was asked in " +
			protocol().APIVersion + ": a newer version of it may know that")
	default:
		return answer{}, invalidAnswer("its answer is of another version than " + protocol().APIVersion)
	}
	status := credential.Status
	if status == nil || status.Token == "" {
		return answer{}, noToken()
	}
	return checked(status, now)
}

// checked refuses what cannot be a token, as it is refused in files, and a token that has expired already.
func checked(status *clientauth.ExecCredentialStatus, now time.Time) (answer, *failure) {
	if len(status.Token) > value.MaxBytes {
		return answer{}, invalidAnswer("its token is longer than 64 KiB")
	}
	text, err := value.Check(status.Token)
	switch {
	case err != nil:
		return answer{}, invalidAnswer(err.Error())
	case text == "":
		return answer{}, noToken()
	}
	given := answer{token: reconcile.NewToken(text)}
	if status.ExpirationTimestamp != nil {
		given.expiry = status.ExpirationTimestamp.Time
		if !given.expiry.After(now) {
			return answer{}, invalidAnswer("the token that it gave has expired already: compare the clocks")
		}
	}
	return given, nil
}
