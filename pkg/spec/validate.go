package spec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Bounds of what a spec may ask for. The engine refuses less than 6 MiB and less than a hundredth of a CPU; with
// fewer processes (the kernel counts threads) the proxy cannot start.
const (
	minMemory = "6Mi"
	maxMemory = "64Gi"
	minCPUs   = "10m"
	maxCPUs   = "256"
	minPids   = 16
	maxPids   = 32768
	// maxEntries is for labels, for annotations, and for each list.
	maxEntries = 256
)

// MaxRoutes is how many routes a spec may have.
const MaxRoutes = 256

// omitted stands for a value that is not put into a message: it may be a token in the wrong place, and is at the line
// anyway.
type omitted = field.OmitValueType

func invalid(path *field.Path, todo string) *field.Error { return field.Invalid(path, omitted{}, todo) }

// Check returns what is wrong with an object that did not come from a file of the operator's, such as one that another process
// sent. Nothing in one that passes means more in a command line or a file than what it stands for.
func Check(c *CredProxy) error {
	return validate(c, Options{AllowCustomImages: true}).ToAggregate()
}

// validate returns every problem of an object that has its defaults. Types are right already.
func validate(c *CredProxy, opts Options) field.ErrorList {
	errs := validateKind(c.APIVersion, c.Kind, Kind)
	errs = append(errs, validateMetadata(c, field.NewPath("metadata"))...)
	path, s := field.NewPath("spec"), &c.Spec
	errs = append(errs, validateNetworks(s, path)...)
	errs = append(errs, validateListener(s, path)...)
	errs = append(errs, validateImage(s.Image, opts, path.Child("image"))...)
	switch s.TokenDelivery {
	case DeliverFile, DeliverMemory, DeliverEnv:
	default:
		errs = append(errs, invalid(path.Child("tokenDelivery"), "must be File, Memory or Env"))
	}
	errs = append(errs, validateResources(s.Resources, path.Child("resources"))...)
	errs = append(errs, validateCallerAuth(s, path)...)
	return append(errs, validateRoutes(s.Routes, path.Child("routes"))...)
}

// validateKind says what is wrong with a document's apiVersion, and whether its kind is left out.
func validateKind(version, kind, want string) field.ErrorList {
	var errs field.ErrorList
	at := field.NewPath("apiVersion")
	switch version {
	case APIVersion:
	case "":
		errs = append(errs, field.Required(at, "write "+APIVersion))
	default:
		errs = append(errs, field.NotSupported(at, printable(version, 60), []string{APIVersion}))
	}
	if kind == "" {
		errs = append(errs, field.Required(field.NewPath("kind"), "write "+want))
	}
	return errs
}

func validateMetadata(c *CredProxy, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if c.Name == "" {
		errs = append(errs, field.Required(path.Child("name"), "name the environment, as a DNS label"))
	} else if content.IsDNS1123Label(c.Name) != nil {
		errs = append(errs, invalid(path.Child("name"), mustBeLabel))
	}
	for _, key := range slices.Sorted(maps.Keys(c.Labels)) {
		at := path.Child("labels").Key(key)
		for _, todo := range slices.Concat(content.IsLabelKey(key), content.IsLabelValue(c.Labels[key])) {
			errs = append(errs, invalid(at, todo))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.Annotations)) {
		errs = append(errs, validateAnnotation(key, c.Annotations[key], path.Child("annotations").Key(key))...)
	}
	return errs
}

// validateAnnotation refuses what is ours and not known: a typing error in "paused" must not act. Unlike Kubernetes, it refuses control
// characters: whoever reads annotations on a terminal may not be the one who wrote them, and YAML does not take them as they are.
func validateAnnotation(key, value string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, todo := range content.IsLabelKey(strings.ToLower(key)) {
		errs = append(errs, invalid(path, todo))
	}
	if at := strings.IndexFunc(value, controls); at >= 0 {
		r, _ := utf8.DecodeRuneInString(value[at:])
		errs = append(errs, invalid(path, fmt.Sprintf("must hold no control characters but tabs and line feeds; it holds %U", r)))
	}
	switch {
	case key == AnnotationPaused, key == AnnotationSuspended:
		if value != "true" && value != "false" {
			errs = append(errs, invalid(path, `must be "true" or "false", with the quotes`))
		}
	case strings.HasPrefix(key, Group+"/"):
		errs = append(errs, invalid(path, "not an annotation of this controller; known: "+AnnotationPaused+", "+AnnotationSuspended))
	}
	return errs
}

// controls reports whether a character is a control character that does not belong in a text.
func controls(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

const mustBeLabel = "must be a DNS label: at most 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"

// networkName is what the Docker CLI and Compose accept for the networks they make.
var networkName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)

func validateNetworks(s *CredProxySpec, path *field.Path) field.ErrorList {
	internal, egress := path.Child("internalNetwork"), path.Child("egressNetwork")
	errs := validateNetwork(s.InternalNetwork, "name the network that the agent is on", internal)
	errs = append(errs, validateNetwork(s.EgressNetwork, "name the network that leads to the upstreams", egress)...)
	if s.InternalNetwork == "bridge" {
		errs = append(errs, invalid(internal, "the engine's own bridge knows no aliases; make a network for the agent"))
	}
	if s.EgressNetwork != "" && s.EgressNetwork == s.InternalNetwork {
		errs = append(errs, invalid(egress, "must differ from internalNetwork: the agent would be on the way out"))
	}
	return errs
}

func validateNetwork(name, todo string, path *field.Path) field.ErrorList {
	switch {
	case name == "":
		return field.ErrorList{field.Required(path, todo)}
	case !networkName.MatchString(name):
		return field.ErrorList{invalid(path, "must be the name of a Docker network: at most 128 letters, digits, '_', '.' and '-', beginning with a letter or digit")}
	case name == "host" || name == "none" || name == "default":
		return field.ErrorList{invalid(path, "host, none and default are modes of the engine, not networks; name a network")}
	}
	return nil
}

func validateListener(s *CredProxySpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if content.IsDNS1123Label(s.Hostname) != nil {
		errs = append(errs, invalid(path.Child("hostname"), mustBeLabel))
	} else if s.Hostname == "localhost" {
		errs = append(errs, invalid(path.Child("hostname"), "localhost is the agent's own container; choose another name"))
	}
	if s.Port < 1 || s.Port > 65535 {
		errs = append(errs, invalid(path.Child("port"), "must be from 1 to 65535"))
	}
	return errs
}

const imagePath = `[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*`

// imageReference is a plausible reference: a name with a tag, a digest or both, or an image ID. The engine has the last
// word.
var imageReference = regexp.MustCompile(`^(sha256:[0-9a-f]{64}|` +
	`([a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]{1,5})?/)?` + imagePath + `(/` + imagePath + `)*(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?)$`)

func validateImage(image string, opts Options, path *field.Path) field.ErrorList {
	switch {
	case image == "":
		return nil
	case !opts.AllowCustomImages:
		return field.ErrorList{field.Forbidden(path, "the image would hold this environment's tokens; remove the field, or start the controller with --allow-custom-images")}
	case len(image) > 512 || !imageReference.MatchString(image):
		return field.ErrorList{invalid(path, "must be an image reference, such as registry.example.org/cred-proxy:1.2")}
	}
	return nil
}

func validateResources(r Resources, path *field.Path) field.ErrorList {
	errs := validateQuantity(r.Memory, minMemory, maxMemory, "64Mi", path.Child("memory"))
	errs = append(errs, validateQuantity(r.CPUs, minCPUs, maxCPUs, `"1" or 500m`, path.Child("cpus"))...)
	if r.Pids < minPids || r.Pids > maxPids {
		errs = append(errs, field.Invalid(path.Child("pids"), r.Pids, "must be from 16 to 32768"))
	}
	return errs
}

func validateQuantity(value, lowest, highest, example string, path *field.Path) field.ErrorList {
	q, ok := ParseQuantity(value)
	switch {
	case !ok:
		return field.ErrorList{invalid(path, "must be a positive quantity, such as "+example)}
	case q.Cmp(resource.MustParse(lowest)) < 0 || q.Cmp(resource.MustParse(highest)) > 0:
		return field.ErrorList{invalid(path, "must be from "+lowest+" to "+highest)}
	}
	return nil
}
