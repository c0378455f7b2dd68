package leakhunt

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func value() string { return NewSecret("").Value }

// printedBytes is how fmt prints the bytes of a text.
func printedBytes(text string) string { return fmt.Sprintf("%d", []byte(text)) }

// Each way in which a program may write a token is planted in other text, and found as what it is.
func TestEveryWritingIsFound(t *testing.T) {
	secret := value()
	jsonOf := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	shaOf := func(text string) string { sum := sha256.Sum256([]byte(text)); return string(sum[:]) }
	sha1Of := func(text string) string { sum := sha1.Sum([]byte(text)); return string(sum[:]) }
	md5Of := func(text string) string { sum := md5.Sum([]byte(text)); return string(sum[:]) }
	b64 := base64.StdEncoding.EncodeToString
	planted := map[string]struct{ as, text string }{
		"in the open":            {"plain", secret},
		"in part":                {"plain", secret[10 : 10+enough]},
		"the last of it":         {"plain", secret[len(secret)-enough:]},
		"backwards":              {"reversed", func() string { b := []byte(secret); slices.Reverse(b); return string(b) }()},
		"%x":                     {"hex", fmt.Sprintf("%x", secret)},
		"%X":                     {"hex in capitals", fmt.Sprintf("%X", secret)},
		"%v of bytes":            {"bytes with spaces", printedBytes(secret)},
		"numbers in JSON":        {"bytes with commas", strings.ReplaceAll(printedBytes(secret), " ", ",")},
		"a query":                {"URL query", "?" + url.Values{"t": {secret}}.Encode()},
		"a query, small":         {"URL query in small letters", strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3C", "%3c", "%5C", "%5c").Replace(url.QueryEscape(secret))},
		"a path":                 {"URL path", "/" + url.PathEscape(secret)},
		"a page":                 {"HTML", html.EscapeString(secret)},
		"JSON":                   {"JSON", jsonOf(map[string]string{"k": "Bearer " + secret})},
		"%q":                     {"JSON", strconv.Quote("say " + secret)},
		"JSON in JSON":           {"JSON within JSON", jsonOf(jsonOf(secret))},
		"%q of %q":               {"JSON within JSON", fmt.Sprintf("%q", strconv.Quote(secret))},
		"Basic credentials, 0":   {"base64 at offset 0", b64([]byte("me:" + secret))},
		"Basic credentials, 1":   {"base64 at offset 1", b64([]byte("you:" + secret))},
		"Basic credentials, 2":   {"base64 at offset 2", b64([]byte("x:" + secret + ":y"))},
		"sha256sum":              {"SHA-256 of the value in hex", hex.EncodeToString([]byte(shaOf(secret)))},
		"sha256sum of the file":  {"SHA-256 of the line in hex", hex.EncodeToString([]byte(shaOf(secret + "\n")))},
		"sha256sum of a header":  {"SHA-256 of Bearer and the value in hex", hex.EncodeToString([]byte(shaOf("Bearer " + secret)))},
		"a short digest":         {"SHA-256 of the value in hex", hex.EncodeToString([]byte(shaOf(secret)))[:enough]},
		"a digest in capitals":   {"SHA-1 of the value in hex in capitals", fmt.Sprintf("%X", sha1Of(secret))},
		"a digest in base64":     {"MD5 of the value in base64", b64([]byte(md5Of(secret)))},
		"a digest in a database": {"SHA-1 of the value in bytes", sha1Of(secret)},
	}
	for where, p := range planted {
		t.Run(where, func(t *testing.T) {
			x, err := NewIndex(Secret{"other", value()}, Secret{"it", secret})
			if err != nil {
				t.Fatal(err)
			}
			before, after := rand.Text(), rand.Text()
			found := x.Search([]byte(before + " " + p.text + " " + after))
			if !slices.ContainsFunc(found, func(f Find) bool { return f.Secret == "it" && f.Writing == p.as && f.Offset > len(before) }) {
				t.Errorf("%q is not found as %s: %+v", p.text, p.as, found)
			}
			if slices.ContainsFunc(found, func(f Find) bool { return f.Secret != "it" }) {
				t.Errorf("another one is found too: %+v", found)
			}
			if found := x.Search([]byte(p.text)); len(found) == 0 {
				t.Error("it is not found where it is all there is")
			}
		})
	}
}

// Base64url differs from base64 where a token has certain bytes.
func TestBothAlphabetsOfBase64AreFound(t *testing.T) {
	secret := strings.Repeat("\xff\xfe?>", 8)
	x, err := NewIndex(Secret{"it", secret})
	if err != nil {
		t.Fatal(err)
	}
	for before := range 3 {
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			found := x.Search([]byte(encoding.EncodeToString([]byte("ab"[:before] + secret))))
			if len(found) == 0 || strings.HasSuffix(found[0].Writing, " for URLs") != (encoding == base64.URLEncoding) {
				t.Errorf("with %d bytes before, it is found as %+v", before, found)
			}
		}
	}
}

func TestWhatIsInnocentIsNotFound(t *testing.T) {
	secret := value()
	x, err := NewIndex(Secret{"it", secret})
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise)
	for _, text := range [][]byte{nil, []byte(secret[:enough-1]), noise, []byte(hex.EncodeToString(noise))} {
		if found := x.Search(text); len(found) > 0 {
			t.Errorf("found %+v", found)
		}
	}
	if err := x.Add(Secret{"short", "0123456789"}); err == nil {
		t.Error("what could be found by chance is taken")
	}
}

// Whatever salt there is, in whatever text, is tried.
func TestASaltedDigestIsFound(t *testing.T) {
	secret := value()
	salt, raw := rand.Text(), []byte(rand.Text())
	sha := func(text string) []byte { sum := sha256.Sum256([]byte(text)); return sum[:] }
	mac := hmac.New(sha256.New, []byte(salt))
	mac.Write([]byte(secret))
	md := md5.Sum([]byte(secret + salt))
	for where, text := range map[string]string{
		"before, in hex":        salt + ":" + hex.EncodeToString(sha(salt+secret)),
		"behind, in base64":     base64.StdEncoding.EncodeToString(sha(secret+salt)) + " " + salt,
		"MD5":                   "salt=" + salt + "\nhash=" + hex.EncodeToString(md[:]),
		"a salt in hex":         hex.EncodeToString(raw) + "$" + hex.EncodeToString(sha(string(raw)+secret)),
		"a salt in base64":      base64.StdEncoding.EncodeToString(raw) + "$" + hex.EncodeToString(sha(string(raw)+secret)),
		"a keyed one":           salt + "." + hex.EncodeToString(mac.Sum(nil)),
		"cut short, in a path":  "/" + salt + "/x/" + hex.EncodeToString(sha(salt + secret))[:minSalt],
		"in one run with words": salt + " cache-" + hex.EncodeToString(sha(salt+secret)),
	} {
		var salts Salts
		salts.Collect("here", []byte("some text "+text+" and more"))
		found, err := salts.Search([]Secret{{"other", value()}, {"it", secret}})
		if err != nil || len(found) == 0 || found[0].Secret != "it" || found[0].Digest != "here" {
			t.Errorf("%s: found %+v, %v", where, found, err)
		}
	}
	var salts Salts
	salts.Collect("here", []byte(salt+" "+hex.EncodeToString(sha(rand.Text()+secret))))
	if found, err := salts.Search([]Secret{{"it", secret}}); err != nil || len(found) > 0 {
		t.Errorf("with a salt that is nowhere, %+v %v", found, err)
	}
	for range maxRuns {
		salts.Collect("there", []byte(rand.Text()))
	}
	if _, err := salts.Search(nil); err == nil {
		t.Error("too much to try is not said")
	}
}

func BenchmarkSearch(b *testing.B) {
	x, err := NewIndex()
	if err != nil {
		b.Fatal(err)
	}
	for i := range 30 {
		if err := x.Add(Secret{strconv.Itoa(i), value()}); err != nil {
			b.Fatal(err)
		}
	}
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise)
	b.SetBytes(int64(len(noise)))
	for b.Loop() {
		x.Search(noise)
	}
}

func BenchmarkSalts(b *testing.B) {
	var salts Salts
	for range 1000 {
		salts.Collect("here", []byte(hex.EncodeToString([]byte(rand.Text()))))
	}
	secrets := []Secret{NewSecret("one"), NewSecret("two")}
	for b.Loop() {
		if _, err := salts.Search(secrets); err != nil {
			b.Fatal(err)
		}
	}
}
