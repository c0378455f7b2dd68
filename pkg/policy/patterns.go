package policy

import (
	"regexp"
	"strings"
	"unicode"

	"credproxy.dev/controller/pkg/glob"
	"credproxy.dev/controller/pkg/spec"
)

// What patterns may consist of. What values can never hold would be a pattern that never matches, written by mistake.
var (
	namePatternForm    = regexp.MustCompile(`^[a-z0-9*-]{1,63}$`)
	envPatternForm     = regexp.MustCompile(`^[A-Za-z0-9_*]{1,255}$`)
	networkPatternForm = regexp.MustCompile(`^[A-Za-z0-9_.*-]{1,128}$`)
	imagePatternForm   = regexp.MustCompile(`^[A-Za-z0-9_.:/@*-]{1,512}$`)
	urlSegmentForm     = regexp.MustCompile(`^[A-Za-z0-9._~!$&'()*+,=:@-]+$`)
)

const (
	maxPattern = 4095
	noDepth    = "must hold * for any characters and not **, which is for folders and paths"
)

func namePattern(p string) string {
	return plain(p, namePatternForm, "must be a name of specs: a-z, 0-9, '-', and * for any of them")
}

func envPattern(p string) string {
	return plain(p, envPatternForm, "must be the name of a variable: letters, digits, '_', and * for any of them")
}

func networkPattern(p string) string {
	return plain(p, networkPatternForm, "must be the name of a network: letters, digits, '_', '.', '-', and * for any of them")
}

func providerPattern(p string) string {
	return plain(p, namePatternForm, "must be the name of a provider: a-z, 0-9, '-', and * for any of them")
}

// plain says what is wrong with a pattern of one segment.
func plain(p string, form *regexp.Regexp, todo string) string {
	switch {
	case !form.MatchString(p):
		return todo
	case strings.Contains(p, glob.AnyDepth):
		return noDepth
	}
	return ""
}

// imagePattern keeps to the characters of image references.
func imagePattern(p string) string {
	if !imagePatternForm.MatchString(p) {
		return "must be an image reference, with * for any characters between slashes and ** for any number of parts"
	}
	return unclearPath(p)
}

// folderPattern is a path below --specs, or "." for that itself.
func folderPattern(p string) string {
	if p == "." {
		return ""
	}
	return filePattern(p)
}

// filePattern is a relative path.
func filePattern(p string) string {
	switch {
	case p == "" || len(p) > maxPattern:
		return "must be a path of 1 to 4095 bytes"
	case strings.HasPrefix(p, "/"):
		return "must be relative: no leading '/'"
	case strings.ContainsAny(p, `\?[]{}`):
		return `must not hold any of \?[]{}: the wildcards are * and **`
	case strings.ContainsFunc(p, unicode.IsControl):
		return "must not hold control characters"
	}
	return unclearPath(p)
}

// plainFolder is a folder without wildcards.
func plainFolder(p string) string {
	if strings.Contains(p, anything) {
		return "must be one folder, without wildcards; what is below it counts anyway"
	}
	return folderPattern(p)
}

// urlPathPattern is the path of a URL, as spec has it, with wildcards.
func urlPathPattern(p string) string {
	rest, ok := strings.CutPrefix(p, "/")
	switch {
	case !ok:
		return "must begin with '/'"
	case !strings.HasSuffix(p, "/"+glob.AnyDepth):
		return "must end in /**: an agent can ask for all that is below a route's upstream, so a pattern has to take all of it"
	case len(p) > maxPattern:
		return "must be at most 4095 bytes long"
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if segment != "" && !urlSegmentForm.MatchString(segment) {
			return "must be letters, digits, -._~!$&'()+,=:@, and * for any of them, between slashes: no spaces, '%', ';', '?', '#' or '\\'"
		}
	}
	return unclearPath(rest)
}

// unclearPath says what to mend in a path that no clean one can match.
func unclearPath(p string) string {
	for segment := range strings.SplitSeq(p, "/") {
		switch {
		case segment == "":
			return "must not hold '//', nor end in '/'"
		case segment == "." || segment == "..":
			return "must not hold '.' or '..' as a segment; write the path that is meant"
		case segment != glob.AnyDepth && strings.Contains(segment, glob.AnyDepth):
			return "must hold ** alone between slashes, such as team-a/**"
		}
	}
	return ""
}

const hostForms = `must be a DNS name (punycode for other letters), an IP address in its usual form, "*.example.org" for the names below one, or "*" for any`

// hostPattern keeps to hosts of which there is one reading.
func hostPattern(p string) string {
	if p == anything {
		return ""
	}
	name, wild := strings.CutPrefix(p, below)
	host, ok := spec.CanonicalHost(name)
	if !ok || wild && isAddress(host) {
		return hostForms
	}
	return ""
}
