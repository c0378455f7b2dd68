package scrub

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
)

const token = "sk-0/Zb+c=d_e.Fg1"

// through passes a text in pieces of given lengths, over and over, and the rest in one.
func through(n *Needles, text []byte, lengths ...int) []byte {
	var streams Streams
	s := streams.Open(n)
	defer streams.Close(s)
	var out []byte
	for i := 0; len(text) > 0; i++ {
		length := len(text)
		if len(lengths) > 0 {
			length = min(length, lengths[i%len(lengths)])
		}
		piece := bytes.Clone(text[:length])
		out = append(out, s.Next(piece)...)
		if !bytes.Equal(piece, text[:length]) {
			panic("a piece was changed")
		}
		text = text[length:]
	}
	return append(out, s.Rest()...)
}

// throughIn is through with pieces in a buffer that has some room in front of them.
func throughIn(n *Needles, room int, text []byte, length int) []byte {
	var streams Streams
	s := streams.Open(n)
	defer streams.Close(s)
	var out []byte
	for piece := range slices.Chunk(text, length) {
		out = append(out, s.NextIn(append(make([]byte, room), piece...), room)...)
	}
	return append(out, s.Rest()...)
}

func overEscaped(format, text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

// spellings are ways in which upstreams write what they repeat, by what they are called.
func spellings(t testing.TB, token string) map[string]string {
	t.Helper()
	quoted, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	inside := string(quoted[1 : len(quoted)-1])
	all := map[string]string{
		"plain":                     token,
		"in a URL":                  url.QueryEscape(token),
		"in a path":                 url.PathEscape(token),
		"in a URL, lower case":      strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3D", "%3d").Replace(url.QueryEscape(token)),
		"every byte in a URL":       overEscaped("%%%02X", token),
		"every byte, lower case":    overEscaped("%%%02x", token),
		"in JSON":                   inside,
		"in JSON with slashes":      strings.ReplaceAll(inside, "/", `\/`),
		"in JSON that is in JSON":   strings.ReplaceAll(inside, "/", `\\\/`),
		"every byte in JSON":        overEscaped(`\u%04x`, token),
		"every byte in JSON, upper": overEscaped(`\u%04X`, token),
		"as .NET writes JSON":       strings.NewReplacer("+", `\u002B`, "/", `\u002F`).Replace(inside),
		"hex":                       hex.EncodeToString([]byte(token)),
		"hex, upper case":           strings.ToUpper(hex.EncodeToString([]byte(token))),
	}
	for user, alphabet := range map[string]*base64.Encoding{
		"": base64.StdEncoding, "a": base64.StdEncoding, "me": base64.StdEncoding, "you": base64.URLEncoding, "them": base64.RawURLEncoding, "anyof": base64.RawStdEncoding,
	} {
		encoded := alphabet.EncodeToString([]byte(user + ":" + token))
		all["Basic of "+user] = encoded
		all["Basic in a URL of "+user] = url.QueryEscape(encoded)
		all["Basic in JSON of "+user] = strings.ReplaceAll(encoded, "/", `\/`)
	}
	return all
}

func TestEverySpellingIsOverwrittenAndNothingElse(t *testing.T) {
	n := New(token)
	for name, spelled := range spellings(t, token) {
		t.Run(name, func(t *testing.T) {
			text := []byte(`{"before": "` + spelled + `", "after": 1}`)
			must, may := reference(text, []string{token}, len(text))
			for length := 1; length <= len(text); length++ {
				got := through(n, text, length)
				check(t, text, got, must, may)
				check(t, text, throughIn(n, length, text, length), must, may)
				if strings.Contains(string(got), spelled) || !strings.HasPrefix(string(got), `{"before": "`) || !strings.HasSuffix(string(got), `", "after": 1}`) {
					t.Fatalf("pieces of %d: %s", length, got)
				}
			}
			// Of the token itself at most what a character of base64 shares with a neighbour could be left.
			if got := through(n, text); strings.Count(string(got), "*") < len(token) {
				t.Errorf("too little is overwritten: %s", got)
			}
		})
	}
}

// check compares what came out with what a slow search finds.
func check(t testing.TB, text, got []byte, must, may []bool) {
	t.Helper()
	if len(got) != len(text) {
		t.Fatalf("%d bytes became %d", len(text), len(got))
	}
	for i := range text {
		if must[i] && got[i] != mark || !may[i] && got[i] != text[i] {
			t.Fatalf("byte %d of\n%q\nbecame\n%q", i, text, got)
		}
	}
}

// TestWhatComesOutDoesNotDependOnThePieces tries random tokens in random texts.
func TestWhatComesOutDoesNotDependOnThePieces(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		tokens := randomTokens(r)
		text := randomText(t, r, tokens)
		n := New(tokens...)
		must, may := reference(text, tokens, n.hold-longestEscape)
		for range 4 {
			check(t, text, through(n, text, 1+r.IntN(8), 1+r.IntN(80), 1+r.IntN(4)), must, may)
			check(t, text, throughIn(n, r.IntN(2*n.hold), text, 1+r.IntN(80)), must, may)
		}
		check(t, text, through(n, text), must, may)
	}
}

// randomTokens are one to three, of which some share beginnings and ends, and some are mostly made of what escapes.
func randomTokens(r *rand.Rand) []string {
	alphabets := []string{"ab", `%2fF\u0`, `\/"`, "abcdefghijklmnopqrstuvwxyz0123456789-_+/=.", " ab+%", "{}\xc3\xa9xyz", "0123456789abcdef"}
	var tokens []string
	for range 1 + r.IntN(3) {
		token := randomString(r, alphabets[r.IntN(len(alphabets))], MinTokenBytes+r.IntN(30))
		if len(tokens) > 0 && r.IntN(3) == 0 {
			token = tokens[0][:len(tokens[0])/2] + token
		}
		tokens = append(tokens, token)
	}
	return tokens
}

func randomString(r *rand.Rand, alphabet string, length int) string {
	b := make([]byte, length)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// randomText is made of spellings of tokens, parts of them, and what is between.
func randomText(t testing.TB, r *rand.Rand, tokens []string) []byte {
	var text strings.Builder
	for range 1 + r.IntN(8) {
		token := tokens[r.IntN(len(tokens))]
		all := spellings(t, token)
		one := all[slices.Sorted(maps.Keys(all))[r.IntN(len(all))]]
		switch r.IntN(4) {
		case 0:
			one = one[r.IntN(len(one)):]
		case 1:
			one = one[:r.IntN(len(one))]
		}
		text.WriteString(one)
		text.WriteString([]string{"", "", " ", "\\", "%", "\n", "abc", strings.Repeat("x", r.IntN(1000))}[r.IntN(8)])
	}
	return []byte(text.String())
}

func FuzzStream(f *testing.F) {
	f.Add([]byte("say "+token+" again"), token, uint8(3), uint8(5))
	f.Add([]byte(overEscaped("%%%02x", token)), token, uint8(1), uint8(1))
	f.Add([]byte(`\\\\/\\u002f`), `\\\\/\\/\\`, uint8(1), uint8(2))
	f.Fuzz(func(t *testing.T, text []byte, token string, a, b uint8) {
		n := New(token)
		if n == nil || len(token) > 200 || len(text) > 4000 {
			return
		}
		must, may := reference(text, []string{token}, n.hold-longestEscape)
		check(t, text, through(n, text, 1+int(a), 1+int(b)), must, may)
		check(t, text, throughIn(n, int(a), text, 1+int(b)), must, may)
	})
}
